package rootfs_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

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
			r := b.run("grep -E ' /(proc/(keys|timer_list)|etc) ' /proc/self/mountinfo; cat /proc/keys /proc/timer_list; ls -A /etc; ! touch /etc/x 2>&-").ok(t)
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
