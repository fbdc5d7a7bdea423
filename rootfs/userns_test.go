package rootfs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// userNamespace puts a box into one; the stage of these tests makes no second
// process, so the pid namespace, and with it /proc, are the host's.
func (b *box) userNamespace() {
	b.namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET
	maps := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	b.spec.Linux.UIDMappings, b.spec.Linux.GIDMappings = maps, maps
	b.spec.Linux.Namespaces = append(b.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	b.spec.Mounts = []specs.Mount{}
	// t.TempDir's directories can't be entered by others.
	for dir := filepath.Dir(b.bundle); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		must(b.t, os.Chmod(dir, 0o755))
	}
}

// MT-18: in a user namespace a read-only bind is one, flags that the host set
// stay, and asking for their absence is an error.
func TestLockedFlagsStayInAUserNamespace(t *testing.T) {
	b := newBox(t)
	b.userNamespace()
	vol := b.outside("vol")
	must(t, unix.Mount("tmpfs", vol, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=777"))
	t.Cleanup(func() { unix.Unmount(vol, unix.MNT_DETACH) })
	b.mount(specs.Mount{Destination: "/proc", Source: "/proc", Options: []string{"rbind"}})
	b.mount(specs.Mount{Destination: "/m", Source: vol, Options: []string{"rbind", "ro"}})
	r := b.run("grep ' /m ' /proc/self/mountinfo; ! touch /m/x 2>/dev/null").ok(t)
	if !strings.Contains(r.out, " /m ro,nosuid,nodev,") {
		t.Error(r.out)
	}
	b.spec.Mounts[1].Options = []string{"rbind", "suid"}
	if r := b.run("true"); r.errno != unix.EPERM || !strings.Contains(r.words, "locked") {
		t.Errorf("%+v", r)
	}
}

// DV-05, DV-06: in a user namespace, too, where the kernel is new enough.
func TestDevicesHaveTheConfigsOwnerInAUserNamespace(t *testing.T) {
	b := newBox(t)
	if noOpenTreeAttr {
		t.Skip("it needs Linux 6.15")
	}
	b.userNamespace()
	mode, uid, gid := os.FileMode(0o640), uint32(1000), uint32(1001)
	b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/z", Type: "c", Major: 1, Minor: 5, FileMode: &mode, UID: &uid, GID: &gid}}
	b.mount(specs.Mount{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"mode=755"}})
	b.run("busybox stat -c '%F %a %u %g %t:%T' /dev/z; busybox head -c 3 /dev/z | busybox wc -c").says(t, "character special file 640 1000 1001 1:5\n3")
	uid = 70000
	if r := b.run("true"); r.look == nil || r.look.Error() != "linux.devices[0]: the owner is not mapped in the user namespace" {
		t.Errorf("%+v", r)
	}
}

// In a user namespace: the default devices, and what is made belongs to its root.
func TestDevicesAreBoundInAUserNamespace(t *testing.T) {
	b := newBox(t)
	b.userNamespace()
	b.mount(specs.Mount{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"mode=755"}})
	b.mount(specs.Mount{Destination: "/dev/a/b", Type: "tmpfs"})
	b.run("busybox head -c 3 /dev/zero | busybox wc -c; echo > /dev/null; busybox stat -c %u /dev/a /dev").says(t, "3\n0\n0")
}

// A source below a directory that only the host's root can enter.
func TestTheParentClonesWhatTheMappedRootCantReach(t *testing.T) {
	b := newBox(t)
	b.userNamespace()
	dir := b.outside("closed")
	must(t, os.Mkdir(dir+"/vol", 0o755))
	must(t, os.WriteFile(dir+"/vol/file", []byte("content"), 0o644))
	must(t, os.Chmod(dir, 0o700))
	b.mount(specs.Mount{Destination: "/m", Source: dir + "/vol", Options: []string{"bind", "ro"}})
	b.run("busybox cat /m/file; ! busybox touch /m/x 2>&1").says(t, "contenttouch: /m/x: Read-only file system")
}

// SEC-12: where a user namespace may not mount cgroup2, its cgroup is bound, and read-only.
func TestSEC12ACgroupIsBoundReadOnlyWhereItCantBeMounted(t *testing.T) {
	unified := "/sys/fs/cgroup/unified"
	if !isCgroup2(unified) {
		if unified = "/sys/fs/cgroup"; !isCgroup2(unified) {
			t.Skip("there is no cgroup v2 here")
		}
	}
	b := newBox(t)
	b.userNamespace()
	dir := unified + "/minirt-rootfs-userns-" + itoa(os.Getpid())
	must(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() { os.Remove(dir) })
	b.facts.Cgroups, b.facts.CgroupNamespace = []rootfs.Hierarchy{{Source: dir}}, true
	b.mount(specs.Mount{Destination: "/proc", Source: "/proc", Options: []string{"rbind"}})
	b.mount(specs.Mount{Destination: "/sys", Source: "/sys", Options: []string{"rbind", "ro"}})
	b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"ro"}})
	r := b.run("grep ' /sys/fs/cgroup ' /proc/self/mountinfo | busybox tail -n 1; for d in /sys/fs/cgroup /sys/kernel/debug /sys; do ! mkdir $d/x 2>/dev/null || echo $d; done").ok(t)
	if !strings.Contains(r.out, "/"+filepath.Base(dir)+" /sys/fs/cgroup ro,nosuid,nodev,noexec,") || strings.Count(r.out, "\n") != 1 {
		t.Error(r.out)
	}
}
