package bundles

import "github.com/opencontainers/runtime-spec/specs-go"

// version is the OCI runtime specification that the made bundles comply with.
const version = "1.3.0"

// defaultPath is the PATH of the made bundles, the usual six directories.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// defaultHostname is the hostname of a bundle that has no better one.
const defaultHostname = "minirt"

// Default is the bundle that `spec` writes: a shell in a read-only root file
// system with namespaces of its own, three capabilities and no device but the
// specification's own. cgroupNamespace asks for a cgroup namespace too, which
// belongs to hosts with nothing but cgroup v2: on v1, programs expect to see
// the host's names.
//
// It is what runc writes (since 1.2, which took the ambient capabilities out),
// but for the version and the hostname, and for the masks, where it follows the
// newest engines. The inheritable and ambient sets stay empty, or files with
// inheritable capabilities would give them to any user (SEC-11). Each value is
// new: the caller may change it.
func Default(cgroupNamespace bool) *specs.Spec {
	return &specs.Spec{
		Version:  version,
		Process:  defaultProcess(),
		Root:     &specs.Root{Path: "rootfs", Readonly: true},
		Hostname: defaultHostname,
		Mounts:   defaultMounts(),
		Linux: &specs.Linux{
			Resources: &specs.LinuxResources{
				Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}},
			},
			Namespaces:    defaultNamespaces(cgroupNamespace),
			MaskedPaths:   maskedPaths(),
			ReadonlyPaths: readonlyPaths(),
		},
	}
}

func defaultProcess() *specs.Process {
	return &specs.Process{
		Terminal: true,
		Args:     []string{"sh"},
		Env:      []string{"PATH=" + defaultPath, "TERM=xterm"},
		Cwd:      "/",
		Capabilities: &specs.LinuxCapabilities{
			Bounding:  defaultCapabilities(),
			Effective: defaultCapabilities(),
			Permitted: defaultCapabilities(),
		},
		Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Hard: 1024, Soft: 1024}},
		NoNewPrivileges: true,
	}
}

func defaultCapabilities() []string {
	return []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
}

// defaultMounts are the file systems that config-linux.md, Default Filesystems,
// names, and what programs expect beside them.
func defaultMounts() []specs.Mount {
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc"},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs",
			Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts",
			Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm",
			Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue",
			Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs",
			Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup",
			Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}}, // SEC-40: never writable unasked
	}
}

func defaultNamespaces(cgroup bool) []specs.LinuxNamespace {
	namespaces := []specs.LinuxNamespace{
		{Type: specs.PIDNamespace},
		{Type: specs.NetworkNamespace},
		{Type: specs.IPCNamespace},
		{Type: specs.UTSNamespace},
		{Type: specs.MountNamespace},
	}
	if cgroup {
		namespaces = append(namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	return namespaces
}

// maskedPaths are what a container has no business to read (SEC-31): runc's list,
// in its order, and the two that Docker added since: the host's interrupts and
// the power it draws are both enough to spy on a neighbour's secrets. Docker's
// third, thermal_throttle of each CPU, is left out: it would need the host's
// number of CPUs, which a value can't know.
func maskedPaths() []string {
	return []string{
		"/proc/acpi",
		"/proc/asound",
		"/proc/kcore",
		"/proc/keys",
		"/proc/latency_stats",
		"/proc/timer_list",
		"/proc/timer_stats",
		"/proc/sched_debug",
		"/sys/firmware",
		"/proc/scsi",
		"/proc/interrupts",
		"/sys/devices/virtual/powercap",
	}
}

// readonlyPaths are what a container's root may read but not change (SEC-31).
func readonlyPaths() []string {
	return []string{
		"/proc/bus",
		"/proc/fs",
		"/proc/irq",
		"/proc/sys",
		"/proc/sysrq-trigger",
	}
}
