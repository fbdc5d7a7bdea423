package rootfs_test

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestDevicesHaveTheConfigsModeAndOwner(t *testing.T) {
	b := newBox(t)
	mode, uid, gid := os.FileMode(0o640), uint32(1000), uint32(1001)
	b.spec.Linux.Devices = []specs.LinuxDevice{
		{Path: "/dev/a/b/zero", Type: "u", Major: 1, Minor: 5, FileMode: &mode, UID: &uid, GID: &gid},
		{Path: "/dev/null", Type: "c", Major: 1, Minor: 3},
		{Path: "/dev/null", Type: "c", Major: 1, Minor: 3},
		{Path: "/opt/d/fifo", Type: "p", FileMode: &mode},
		{Path: "/opt/d/loop", Type: "b", Major: 7, Minor: 77},
	}
	before := listing(t, b.root)
	b.run("cd /; busybox stat -c '%n %F %a %u %g %t:%T' /dev/a/b/zero /dev/null /opt/d/fifo /opt/d/loop").says(t, strings.Join([]string{
		"/dev/a/b/zero character special file 640 1000 1001 1:5", "/dev/null character special file 666 0 0 1:3",
		"/opt/d/fifo fifo 640 0 0 0:0", "/opt/d/loop block special file 666 0 0 7:4d"}, "\n"))
	if after := listing(t, b.root); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}

// DV-08: also without a mount on /dev; and all is removed again.
func TestDefaultDevicesAreThereWithoutAMountOnDev(t *testing.T) {
	b := newBox(t)
	b.spec.Mounts = b.spec.Mounts[:1]
	before := listing(t, b.root)
	b.run("head -c 3 /dev/zero | wc -c; echo x > /dev/null; ls /dev; readlink /dev/stderr").says(t, "3\nfd\nfull\nnull\nptmx\nrandom\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n/proc/self/fd/2")
	if after := listing(t, b.root); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}

// DV-04
func TestSomethingElseAtADevicesPathIsAnError(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"file":   func(p string) error { return os.WriteFile(p, nil, 0o644) },
		"link":   func(p string) error { return os.Symlink("zero", p) },
		"number": func(p string) error { return unix.Mknod(p, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.spec.Mounts = b.spec.Mounts[:1]
			b.mkdir("dev")
			must(t, make(b.root+"/dev/null"))
			before := listing(t, b.root)
			if r := b.run("true"); r.look == nil || !strings.Contains(r.look.Error(), "something else is there already") {
				t.Errorf("%+v", r)
			}
			if after := listing(t, b.root); after != before {
				t.Errorf("after:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
	b := newBox(t)
	b.spec.Mounts = b.spec.Mounts[:1]
	b.mkdir("dev")
	must(t, unix.Mknod(b.root+"/dev/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	b.run("echo > /dev/null").says(t, "")
	if _, err := os.Stat(b.root + "/dev/null"); err != nil {
		t.Error("a node of the image was removed")
	}
}
