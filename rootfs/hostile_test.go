package rootfs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// links makes path in the root a symbolic link to target, an absolute path on
// the host, in the three ways that a hostile image may try.
var links = map[string]func(b *box, path, target string){
	"absolute": func(b *box, path, target string) { must(b.t, os.Symlink(target, b.root+path)) },
	"relative": func(b *box, path, target string) {
		must(b.t, os.Symlink(strings.Repeat("../", 30)+target[1:], b.root+path))
	},
	"chain": func(b *box, path, target string) {
		must(b.t, os.Symlink(strings.Repeat("../", 30)+target[1:], b.root+"/hop"))
		must(b.t, os.Symlink("/hop", b.root+path))
	},
}

func eachLink(t *testing.T, do func(b *box, link func(path, target string))) {
	for name, link := range links {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			before := mounts(t)
			do(b, func(path, target string) { link(b, path, target) })
			if after := mounts(t); after != before {
				t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

// rounds is how often a race is run: SEC tests want 50, and 500 by night.
func rounds() int {
	if os.Getenv("MINIRT_LONG") != "" {
		return 500
	}
	return 50
}

// race exchanges two names without pause while do runs.
func race(t *testing.T, a, b string, do func()) {
	t.Helper()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
			}
		}
	})
	do()
	close(stop)
	wg.Wait()
}

// SEC-06: the last component of a mount point, too, is resolved inside the root.
func TestSEC06MountPointsStayInsideTheRoot(t *testing.T) {
	eachLink(t, func(b *box, link func(path, target string)) {
		vol := b.outside("vol")
		must(b.t, os.WriteFile(vol+"/inside", nil, 0o644))
		link("/data", b.canary+"/x")
		b.mount(specs.Mount{Destination: "/data", Source: vol, Options: []string{"bind"}})
		b.mount(specs.Mount{Destination: "/data/deep/er", Type: "tmpfs"})
		b.run("ls /data").says(b.t, "deep\ninside")
	})
}

// SEC-07, SEC-13, SEC-21: /proc and /sys are ordinary directories or nothing.
func TestSEC07SEC13SEC21SymlinkedProcAndSysAreRefused(t *testing.T) {
	for _, dir := range []string{"proc", "sys"} {
		for _, target := range []string{"/x", "/vol/a", "/tmp/p", "../../..", "../../../.."} {
			b := newBox(t)
			b.mkdir("tmp/p")
			vol := b.outside("vol")
			must(t, os.Mkdir(vol+"/a", 0o755))
			must(t, os.Symlink(target, b.root+"/"+dir))
			b.spec.Mounts = append([]specs.Mount{{Destination: "/vol", Source: vol, Options: []string{"bind"}}, {Destination: "/tmp", Type: "tmpfs"}}, b.spec.Mounts...)
			before := mounts(t)
			r := b.run("true")
			var fault rootfs.Fault
			if !errors.As(r.look, &fault) || !strings.Contains(fault.Text, "/"+dir+`" must be an ordinary directory`) || !strings.HasSuffix(fault.Path, "].destination") {
				t.Errorf("/%s -> %s: %+v", dir, target, r)
			}
			if after := mounts(t); after != before {
				t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
			}
		}
	}
}

// SEC-07: what was a directory when the parent looked becomes a link: the stage refuses.
func TestSEC07AProcThatBecomesALinkIsRefused(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	must(t, os.Mkdir(vol+"/p", 0o755))
	must(t, os.Symlink("/", vol+"/q"))
	b.spec.Mounts = []specs.Mount{{Destination: "/vol", Source: vol, Options: []string{"bind"}}, {Destination: "/vol/p", Type: "proc", Source: "proc"}}
	points, err := b.look()
	must(t, err)
	points.Close()
	must(t, unix.Renameat2(unix.AT_FDCWD, vol+"/p", unix.AT_FDCWD, vol+"/q", unix.RENAME_EXCHANGE))
	if r := b.exec("true"); r.errno != unix.ELOOP || !strings.Contains(r.words, "must be an ordinary directory") || r.origin != "mounts[1].destination" {
		t.Errorf("%+v", r)
	}
	must(t, mountpoint.Remove(b.root, points.Missing()))
}

// SEC-09: a component of a mount point is exchanged for a link to the host's root.
func TestSEC09ARaceNeverMountsOutsideTheRoot(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	must(t, os.MkdirAll(vol+"/x/y", 0o755))
	must(t, os.Symlink(b.canary, vol+"/link"))
	must(t, os.Mkdir(b.root+"/y", 0o755))
	b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"bind"}})
	b.mount(specs.Mount{Destination: "/vol/x/y", Type: "tmpfs", Source: "race"})
	before := mounts(t)
	built := 0
	race(t, vol+"/x", vol+"/link", func() {
		for range rounds() {
			if r := b.run("grep -c ' /vol/x/y .* race ' /proc/self/mountinfo"); !r.refused() {
				built++
			}
			if after := mounts(t); after != before {
				t.Fatalf("the host's mounts changed from\n%s\nto\n%s", before, after)
			}
		}
	})
	t.Logf("%d of %d containers were built", built, rounds())
}

// SEC-16: directories of a mount point are made while one is exchanged: in a
// volume, where the stage makes them, and on a root that another container
// shares, where the parent does.
func TestSEC16ARaceNeverMakesAnythingOutsideTheRoot(t *testing.T) {
	for _, where := range []string{"volume", "root"} {
		t.Run(where, func(t *testing.T) {
			b := newBox(t)
			vol, prefix := b.outside("vol"), "/vol"
			b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"bind"}})
			if where == "root" {
				vol, prefix = b.root, ""
			}
			must(t, os.MkdirAll(vol+"/a", 0o755))
			must(t, os.Symlink(b.canary, vol+"/link"))
			b.mount(specs.Mount{Destination: prefix + "/a/b/c/d", Type: "tmpfs"})
			b.mount(specs.Mount{Destination: prefix + "/a/file", Source: "/dev/zero", Options: []string{"bind"}})
			race(t, vol+"/a", vol+"/link", func() {
				for range rounds() {
					b.run("true")
					os.RemoveAll(vol + "/a/b") // in the directory, whichever name it has
				}
			})
		})
	}
}

// SEC-18: a mask is the host's null device, whatever happens to the container's.
func TestSEC18AMaskIsNeverWhatTheContainerSupplies(t *testing.T) {
	b := newBox(t)
	dev := b.outside("dev")
	must(t, unix.Mknod(dev+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(t, os.Symlink("/proc/sys/kernel/core_pattern", dev+"/evil"))
	b.spec.Mounts = []specs.Mount{b.spec.Mounts[0], {Destination: "/dev", Source: dev, Options: []string{"bind"}}}
	b.spec.Linux.MaskedPaths = []string{"/proc/keys", "/proc/timer_list", "/etc", "/nosuch"}
	race(t, dev+"/null", dev+"/evil", func() {
		for range rounds() {
			r := b.run("grep -E ' /(proc/(keys|timer_list)|etc) ' /proc/self/mountinfo; cat /proc/keys /proc/timer_list; ls -A /etc; ! touch /etc/x 2>/dev/null").ok(t)
			if strings.Count(r.out, "\n") != 3 || strings.Count(r.out, " /null /proc/") != 2 || !strings.Contains(r.out, " / /etc ro,") {
				t.Fatal(r.out)
			}
		}
	})
}

// A mask of a path that is exchanged between a file and a directory covers one
// of them or ends the create; it never fails open.
func TestAMaskNeverFailsOpen(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	must(t, os.Mkdir(vol+"/dir", 0o755))
	must(t, os.WriteFile(vol+"/dir/secret", []byte("secret"), 0o644))
	must(t, os.WriteFile(vol+"/secret", []byte("secret"), 0o644))
	b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"bind"}})
	b.spec.Linux.MaskedPaths = []string{"/vol/dir"}
	race(t, vol+"/dir", vol+"/secret", func() {
		for range rounds() {
			if r := b.run("grep -c ' /vol/.* \\(ro\\|rw\\),' /proc/self/mountinfo"); !r.refused() && strings.TrimSpace(r.out) != "1" {
				t.Fatalf("%q", r.out)
			}
		}
	})
}

// SEC-23: the devices and links of an image whose /dev leads out.
func TestSEC23DevicesStayInsideTheRoot(t *testing.T) {
	eachLink(t, func(b *box, link func(path, target string)) {
		link("/dev", b.canary)
		b.spec.Mounts = b.spec.Mounts[:1]
		b.run("echo > /dev/null; readlink /dev/fd").says(b.t, "/proc/self/fd")
	})
}

// SEC-24: the same with a deep device path, and in a user namespace, where
// devices are bound.
func TestSEC24DeepDevicesStayInsideTheRoot(t *testing.T) {
	eachLink(t, func(b *box, link func(path, target string)) {
		b.spec.Mounts = b.spec.Mounts[:1]
		b.mkdir("dev")
		link("/dev/a", b.canary)
		b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/a/b/c", Type: "c", Major: 1, Minor: 5}}
		b.run("head -c 3 /dev/a/b/c | wc -c").says(b.t, "3")
	})
	eachLink(t, func(b *box, link func(path, target string)) {
		b.userNamespace()
		link("/dev", b.canary)
		b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/a/b/c", Type: "c", Major: 1, Minor: 5}}
		b.run("busybox head -c 3 /dev/a/b/c | busybox wc -c; echo > /dev/null").says(b.t, "3")
	})
}

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

// SEC-25
func TestSEC25TheConsoleIsNeverMadeOutsideTheRoot(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		eachLink(t, func(b *box, link func(path, target string)) {
			b.spec.Mounts = b.spec.Mounts[:1]
			b.mkdir("dev")
			link("/dev/console", b.canary+"/new")
			b.spec.Process.Terminal = terminal
			if r := b.run("true"); r.refused() != terminal {
				b.t.Errorf("%+v", r)
			}
		})
	}
	b := newBox(t)
	b.spec.Process.Terminal = true
	b.run("test -f /dev/console && busybox stat -c %a /dev/console").says(t, "644")
}

// SEC-26: an image's /dev/null that is a link is not taken for the device.
func TestSEC26ALinkIsNoNullDevice(t *testing.T) {
	b := newBox(t)
	b.spec.Mounts = b.spec.Mounts[:1]
	file := b.outside("x") + "/f"
	must(t, os.WriteFile(file, []byte("host"), 0o600))
	b.mount(specs.Mount{Destination: "/f", Source: file, Options: []string{"bind"}})
	b.mkdir("dev")
	must(t, os.Symlink("/f", b.root+"/dev/null"))
	if r := b.run("true"); r.look == nil || !strings.Contains(r.look.Error(), `"/dev/null": something else`) {
		t.Errorf("%+v", r)
	}
}

// SEC-17: nothing is written where an image's links lead.
func TestSEC17NothingIsWrittenThroughAnImagesLinks(t *testing.T) {
	b := newBox(t)
	for _, l := range []string{"/run", "/dev", "/etc/mtab", "/.dockerenv", "/.minirt"} {
		must(t, os.Symlink(b.canary+"/secret", b.root+l))
	}
	b.spec.Mounts = b.spec.Mounts[:1]
	b.run("true")
}

// SEC-48: a source that is exchanged is one of the two, as it was opened.
func TestSEC48ABindsSourceIsOpenedOnce(t *testing.T) {
	b := newBox(t)
	dir := b.outside("vol")
	must(t, os.Mkdir(dir+"/src", 0o755))
	must(t, os.WriteFile(dir+"/src/name", []byte("src"), 0o644))
	other := b.outside("other")
	must(t, os.WriteFile(other+"/name", []byte("other"), 0o644))
	must(t, os.Symlink(other, dir+"/link"))
	b.mount(specs.Mount{Destination: "/m", Source: dir + "/src", Options: []string{"bind", "ro"}})
	race(t, dir+"/src", dir+"/link", func() {
		for range rounds() {
			if r := b.run("cat /m/name; ! touch /m/x 2>/dev/null").ok(t); r.out != "src" && r.out != "other" {
				t.Fatalf("%q", r.out)
			}
		}
	})
}

// SEC-60: a read-only bind is never writable, not for a moment.
func TestSEC60AReadOnlyBindIsNeverWritable(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	b.mount(specs.Mount{Destination: "/m", Source: vol, Options: []string{"rbind", "ro"}})
	points, err := b.look()
	must(t, err)
	defer points.Close()
	p := newPlan()
	rootfs.Enter(p, b.spec, &b.facts)
	attached := false
	for i := range p.Steps {
		line := p.Line(i)
		attached = attached || p.Steps[i].Origin == "mounts[6]" && strings.HasPrefix(line, "move_mount")
		if strings.Contains(line, "MS_REMOUNT") || attached && strings.Contains(line, "MOUNT_ATTR_RDONLY") {
			t.Errorf("step %d changes a mount after it is attached: %s", i, line)
		}
	}
	if !attached {
		t.Errorf("no bind in\n%s", p.Text())
	}
	must(t, mountpoint.Remove(b.root, points.Missing()))
}

// SEC-12, SEC-40: without a cgroup of its own the container sees an empty
// read-only file system, not the host's; and nothing below a read-only /sys is
// left writable.
func TestSEC12SEC40CgroupsAreReadOnly(t *testing.T) {
	b := newBox(t)
	b.facts.Cgroups = []rootfs.Hierarchy{{Name: "", Source: ""}}
	sys := b.outside("sys")
	must(t, unix.Mount("tmpfs", sys, "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(sys, unix.MNT_DETACH) })
	for _, d := range []string{"/fs", "/fs/cgroup", "/debug"} {
		must(t, os.Mkdir(sys+d, 0o755))
	}
	must(t, unix.Mount("tmpfs", sys+"/debug", "tmpfs", 0, ""))
	b.spec.Mounts[5] = specs.Mount{Destination: "/sys", Source: sys, Options: []string{"rbind", "ro"}}
	b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"ro"}})
	b.run("for d in /sys /sys/debug /sys/fs/cgroup; do ! mkdir $d/x 2>/dev/null || echo $d; done; ls -A /sys/fs/cgroup").says(t, "")
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
