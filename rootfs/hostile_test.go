package rootfs_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/internal/plan"
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

// Masks and read-only paths that lead through an image's links are found inside the root.
func TestMaskedAndReadonlyPathsStayInsideTheRoot(t *testing.T) {
	eachLink(t, func(b *box, link func(path, target string)) {
		link("/link", b.canary)
		b.mkdir(b.canary)
		must(b.t, os.WriteFile(b.root+b.canary+"/secret", []byte("inside"), 0o644))
		b.spec.Linux.MaskedPaths = []string{"/link/secret"}
		b.spec.Linux.ReadonlyPaths = []string{"/link"}
		b.run("cat /link/secret; ! touch /link/x "+b.canary+"/x 2>/dev/null").says(b.t, "")
	})
}

// SEC-06, SEC-16: also on a file system that the parent can't look into.
func TestMountPointsOnAnOverlayStayInsideTheRoot(t *testing.T) {
	eachLink(t, func(b *box, link func(path, target string)) {
		dir := b.outside("overlay")
		must(b.t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
		b.t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
		for _, d := range []string{"/lower", "/upper", "/work"} {
			must(b.t, os.Mkdir(dir+d, 0o755))
		}
		b.mount(specs.Mount{Destination: "/o", Type: "overlay", Source: "overlay", Options: []string{"lowerdir=" + dir + "/lower,upperdir=" + dir + "/upper,workdir=" + dir + "/work"}})
		root := b.root
		b.root = dir + "/lower"
		link("/link", b.canary)
		b.root = root
		b.mkdir(b.canary)
		os.Symlink(b.canary, b.root+"/hop") // where the chain's second link is looked for
		b.mount(specs.Mount{Destination: "/o/link/a/b", Type: "tmpfs"})
		b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/o/link/dev/null", Type: "c", Major: 1, Minor: 3}}
		b.run("ls "+b.canary+" "+b.canary+"/dev").says(b.t, b.canary+":\na\ndev\n\n"+b.canary+"/dev:\nnull")
		must(b.t, unix.Unmount(dir, unix.MNT_DETACH))
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

// SEC-29: no procfs of the container's has a say in the root's becoming read-only.
func TestSEC29TheRootIsReadOnlyWhateverProcHolds(t *testing.T) {
	b := newBox(t)
	b.spec.Root.Readonly = true
	b.spec.Mounts = b.spec.Mounts[1:]
	b.mkdir("tmp")
	b.mkdir("proc/self/fd")
	for i := range 20 {
		must(t, os.Symlink("/tmp", b.root+"/proc/self/fd/"+itoa(i)))
	}
	b.run("! busybox touch /x /tmp/x 2>/dev/null").says(t, "")
}

// SEC-19, DV-09: the console is the other end of a pseudo-terminal, by descriptor.
func TestSEC19TheConsoleIsBoundByDescriptor(t *testing.T) {
	b := newBox(t)
	b.spec.Process.Terminal = true
	points, err := b.look()
	must(t, err)
	defer points.Close()
	defer func() { must(t, mountpoint.Remove(b.root, points.Missing())) }()
	p := newPlan()
	p.Do(plan.Umask, 0)
	st := rootfs.Enter(p, b.spec, &b.facts)
	ptmx, pty := p.Register("ptmx"), p.Register("pty")
	p.Do(plan.Openat2, st.Root(), "dev/pts/ptmx", p.How(unix.O_RDWR|unix.O_NOCTTY, 0, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_SYMLINKS), plan.HowSize).To(ptmx)
	p.Do(plan.Ioctl, ptmx, unix.TIOCSPTLCK, p.Words(0))
	p.Do(plan.Ioctl, ptmx, unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY).To(pty)
	st.Console(pty)
	rootfs.Pivot(p, b.spec, &b.facts, st)
	p.Do(plan.Execve, "/bin/busybox", p.Strings([]string{"sh", "-c", "busybox stat -c '%F %t' /dev/console; grep -c ' /0 /dev/console .* - devpts ' /proc/self/mountinfo"}), p.Strings([]string{"PATH=/bin"}))
	b.start(p).says(t, "character special file 88\n1")
}
