package rootfs_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// mountOn finds the last line of a mountinfo for a mount point: its options,
// optional fields, type, source and the file system's options.
func mountOn(t *testing.T, mountinfo, point string) (options, tags, kind, source, super string) {
	t.Helper()
	found := false
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || f[4] != point || len(g) < 3 {
			continue
		}
		found = true
		options, tags, kind, source, super = f[5], strings.Join(f[6:], " "), g[0], g[1], g[2]
	}
	if !found {
		t.Fatalf("nothing is mounted on %s:\n%s", point, mountinfo)
	}
	return
}

func TestTheDefaultBundleIsBuilt(t *testing.T) {
	b := newBox(t)
	b.spec.Linux.MaskedPaths = []string{"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/proc/scsi", "/nosuch/path"}
	b.spec.Linux.ReadonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
	b.spec.Root.Readonly = true
	before := listing(t, b.root)
	r := b.run("cat /proc/self/mountinfo; ls -l /dev; touch /x; touch /tmp/x /dev/x; cat /proc/keys; ls /sys/firmware; echo 1 > /proc/sys/kernel/hostname; ls -la /proc/self/fd /proc/self/cwd").ok(t)
	for point, kind := range map[string]string{"/proc": "proc", "/dev": "tmpfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs", "/dev/mqueue": "mqueue", "/sys": "sysfs", "/proc/keys": "devtmpfs", "/sys/firmware": "tmpfs", "/proc/sys": "proc"} {
		if _, _, k, _, _ := mountOn(t, r.out, point); k != kind {
			t.Errorf("on %s there is a file system of type %s, not %s", point, k, kind)
		}
	}
	for _, want := range []string{"/x: Read-only file system", "/proc/sys/kernel/hostname: Read-only file system", "ptmx -> pts/ptmx", "fd -> /proc/self/fd", "stdin -> /proc/self/fd/0",
		"crw-rw-rw-    1 0        0           1,   3", "crw-rw-rw-    1 0        0           5,   0"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("%q is missing in\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out, b.canary) || strings.Contains(r.out, "/dev/x:") {
		t.Errorf("output:\n%s", r.out)
	}
	if after := listing(t, b.root); after != before {
		t.Errorf("the root file system is not as it was:\n%s\nwas\n%s", after, before)
	}
	if t.Failed() {
		t.Log(r.out)
	}
}

// RT-04: the root is read-only, other mounts keep their own flags.
func TestAReadOnlyRootLeavesOtherMountsWritable(t *testing.T) {
	b := newBox(t)
	b.spec.Root.Readonly = true
	vol := b.outside("vol")
	b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"rbind"}})
	b.mount(specs.Mount{Destination: "/tmp", Type: "tmpfs"})
	b.run("touch /vol/a /tmp/b && ! touch /c 2>/dev/null && ls /vol /tmp").says(t, "/tmp:\nb\n\n/vol:\na")
}

// MT-01: in order, and the last wins.
func TestMountsAreMadeInOrder(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/a/b", Type: "tmpfs", Source: "first"})
	b.mount(specs.Mount{Destination: "/a", Type: "tmpfs", Source: "second"})
	b.mount(specs.Mount{Destination: "/a/b/c", Type: "tmpfs", Source: "third"})
	b.mount(specs.Mount{Destination: "a/b/c", Type: "tmpfs", Source: "fourth"})
	r := b.run("grep -o ' /a.*' /proc/self/mountinfo; cd /a/b/c").ok(t)
	if _, _, _, source, _ := mountOn(t, r.out+b.run("cat /proc/self/mountinfo").out, "/a/b/c"); source != "fourth" {
		t.Errorf("the last mount is %s", source)
	}
}

// Mount points are made, files for files, through links, and taken away again
// exactly; what the container put there stays.
func TestMountPointsAreMadeAndRemovedExactly(t *testing.T) {
	b := newBox(t)
	file := b.outside("x") + "/file"
	must(t, os.WriteFile(file, []byte("content"), 0o644))
	must(t, os.Symlink("../run/systemd/resolve/stub-resolv.conf", b.root+"/etc/resolv.conf"))
	must(t, os.Symlink("/var/data", b.root+"/data"))
	for _, d := range []string{"/etc/resolv.conf", "/new/file", "/data/file", "/run/x/y"} {
		b.mount(specs.Mount{Destination: d, Source: file, Options: []string{"bind", "ro"}})
	}
	b.spec.Process.Cwd = "/home/user"
	before := listing(t, b.root)
	b.run("cat /etc/resolv.conf /new/file /var/data/file /run/x/y; pwd; ls -d /home/user").says(t, "contentcontentcontentcontent/\n/home/user")
	if after := listing(t, b.root); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
	points, err := b.look()
	must(t, err)
	points.Close()
	must(t, os.WriteFile(b.root+"/home/user/.profile", []byte("mine"), 0o644))
	must(t, mountpoint.Remove(b.root, points.Missing()))
	if _, err := os.Stat(b.root + "/home/user/.profile"); err != nil {
		t.Error("what the container wrote was removed")
	}
	must(t, os.RemoveAll(b.root+"/home"))
	if after := listing(t, b.root); after != before {
		t.Errorf("after Remove:\n%s\nbefore:\n%s", after, before)
	}
}

// Many mounts fit a small limit on descriptors, in the parent and in the stage.
func Test300MountsFitASmallLimitOfDescriptors(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	for i := range 300 {
		m := specs.Mount{Destination: "/m/" + itoa(i), Source: vol, Options: []string{"rbind", "ro"}}
		if i%3 == 0 {
			m = specs.Mount{Destination: "/dev/m/" + itoa(i), Type: "tmpfs", Source: "tmpfs"}
		}
		b.mount(m)
	}
	var old unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	must(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: old.Max}))
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	b.run("grep -c ' /m/' /proc/self/mountinfo; grep -c ' /dev/m/' /proc/self/mountinfo").says(t, "200\n100")
}

func TestCgroupsOfVersion1AreBoundReadOnly(t *testing.T) {
	b := newBox(t)
	one, two := b.outside("one"), b.outside("two")
	must(t, os.WriteFile(one+"/tasks", nil, 0o644))
	b.facts.Cgroups = []rootfs.Hierarchy{{Name: "cpu,cpuacct", Source: one}, {Name: "memory", Source: two}, {Name: "pids"}}
	b.facts.Aliases = []rootfs.Alias{{Name: "cpu", Target: "cpu,cpuacct"}}
	b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}})
	r := b.run("ls /sys/fs/cgroup /sys/fs/cgroup/cpu/; for d in /sys/fs/cgroup /sys/fs/cgroup/memory; do mkdir $d/x 2>&1; done; readlink /sys/fs/cgroup/cpu; echo")
	r.says(t, "/sys/fs/cgroup:\ncpu\ncpu,cpuacct\nmemory\n\n/sys/fs/cgroup/cpu/:\ntasks\n"+
		"mkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system\nmkdir: can't create directory '/sys/fs/cgroup/memory/x': Read-only file system\ncpu,cpuacct")
}

// Version 2 alone: the container's own cgroup, by cgroup2 in a cgroup
// namespace and by a bind without one.
func TestACgroupOfVersion2IsTheContainersOwn(t *testing.T) {
	unified := "/sys/fs/cgroup/unified"
	if _, err := os.Stat(unified + "/cgroup.procs"); err != nil {
		if unified = "/sys/fs/cgroup"; !isCgroup2(unified) {
			t.Skip("there is no cgroup v2 here")
		}
	}
	for _, namespace := range []bool{false, true} {
		b := newBox(t)
		dir := unified + "/minirt-rootfs-test-" + itoa(os.Getpid())
		must(t, os.Mkdir(dir, 0o755))
		must(t, os.Mkdir(dir+"/child", 0o755))
		t.Cleanup(func() { os.Remove(dir + "/child"); os.Remove(dir) })
		b.facts.Cgroups = []rootfs.Hierarchy{{Source: dir}}
		b.facts.CgroupNamespace = namespace
		if namespace {
			b.namespaces |= unix.CLONE_NEWCGROUP
		}
		b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"ro", "nosuid"}})
		r := b.run("ls -d /sys/fs/cgroup/child; ! mkdir /sys/fs/cgroup/x 2>/dev/null && grep ' /sys/fs/cgroup ' /proc/self/mountinfo")
		r.ok(t)
		// In a new namespace the root is where the test itself is, unless it is the container's cgroup that the stage was born in.
		if !namespace && !strings.Contains(r.out, "/sys/fs/cgroup/child\n") {
			t.Errorf("not the container's cgroup: %s", r.out)
		}
		if !strings.Contains(r.out, " ro,nosuid,nodev,noexec,") || !strings.Contains(r.out, " - cgroup2 ") {
			t.Error(r.out)
		}
		os.Remove(dir + "/child")
		must(t, os.Remove(dir))
	}
}

func isCgroup2(dir string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC
}

// RT-03: the root may be reached through a link.
func TestTheRootMayBeASymbolicLink(t *testing.T) {
	b := newBox(t)
	must(t, os.Symlink("rootfs", b.bundle+"/link"))
	b.root = b.bundle + "/link"
	b.run("ls /bin").says(t, "busybox\nsh")
}
