package bundles

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Rootless is Default for a caller without rights: the container's root is the
// caller, whose effective ids on the host are uid and gid, in a user namespace
// of one mapping. The network is the host's, since only the host's root could
// connect a new one; so sysfs can't be mounted, and /sys is bound instead. No
// limit is asked for, and no id but 0 is named in a mount: no other is mapped.
func Rootless(uid, gid uint32, cgroupNamespace bool) *specs.Spec {
	spec := Default(cgroupNamespace)
	linux := spec.Linux
	linux.Resources = nil
	linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uid, Size: 1}}
	linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: gid, Size: 1}}
	linux.Namespaces = slices.DeleteFunc(linux.Namespaces, func(n specs.LinuxNamespace) bool {
		return n.Type == specs.NetworkNamespace
	})
	linux.Namespaces = append(linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	for i := range spec.Mounts {
		rootlessMount(&spec.Mounts[i])
	}
	return spec
}

// rootlessMount makes one default mount fit for a user namespace of one mapping.
func rootlessMount(m *specs.Mount) {
	if m.Destination == "/sys" {
		// rro and not ro: the host's mounts below /sys come along, its cgroups
		// among them, and ro would leave them writable (SEC-12).
		m.Type, m.Source = "none", "/sys"
		m.Options = []string{"rbind", "nosuid", "noexec", "nodev", "rro"}
		return
	}
	m.Options = slices.DeleteFunc(m.Options, func(o string) bool {
		return strings.HasPrefix(o, "uid=") || strings.HasPrefix(o, "gid=")
	})
}
