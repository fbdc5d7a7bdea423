package security

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Nothing that an image's links say leads out of its root.
func TestNothingIsMadeOrMountedOutsideTheRoot(t *testing.T) {
	var attacks []attack
	for _, dir := range []string{"proc", "sys"} {
		for _, target := range []string{"/x", "/tmp/p", "../../..", "../../../.."} {
			attacks = append(attacks, attack{
				sec: "SEC-07 SEC-13 SEC-21", is: "/" + dir + " is a link to " + target,
				bundle: func(b *box) {
					must(b, os.RemoveAll(b.root+"/"+dir))
					must(b, os.MkdirAll(b.root+"/tmp/p", 0o755))
					must(b, os.Symlink(target, b.root+"/"+dir))
					b.first(specs.Mount{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs"})
				},
				refused: "/" + dir,
			})
		}
	}
	for i, path := range []string{"/../x", "/a/..//x", "/link/", "/link/.", "/link/../x"} {
		attacks = append(attacks, attack{
			sec: "SEC-56", is: "mount point " + path, links: true,
			bundle: func(b *box) {
				must(b, os.MkdirAll(b.root+b.canary, 0o755))
				must(b, os.Mkdir(b.root+"/a", 0o755))
				b.link("/link", b.canary)
				vol := b.volume("vol")
				must(b, os.WriteFile(fmt.Sprintf("%s/mark%d", vol, i), nil, 0o644))
				b.bind(vol, path)
				b.sh("ls " + path)
			},
			either: true, says: fmt.Sprintf("mark%d", i),
		})
	}
	withstand(t, append(attacks, []attack{
		{
			sec: "SEC-06", is: "a mount point's last component is a link", links: true,
			bundle: func(b *box) {
				vol := b.volume("vol")
				must(b, os.WriteFile(vol+"/mark", nil, 0o644))
				b.link("/data", b.canary+"/x")
				b.bind(vol, "/data")
				b.sh("ls " + b.canary + "/x")
			},
			says: "mark",
		},
		{
			sec: "SEC-17", is: "the image has links where runtimes write", links: true,
			bundle: func(b *box) {
				for _, path := range []string{"/.minirt", "/.minirt.config", "/run", "/etc/mtab", "/.dockerenv", "/etc/hostname", "/etc/hosts", "/krun-sev.json", "/.krun_config.json"} {
					b.link(path, b.canary+"/secret")
				}
				b.sh("true; ls -ld /etc/mtab")
			},
			says: "/etc/mtab -> ",
		},
		{
			sec: "SEC-23", is: "/dev is a link", links: true,
			bundle: func(b *box) {
				deviceCanary(b)
				b.unmount("/dev")
				b.link("/dev", b.canary)
			},
			either: true,
		},
		{
			sec: "SEC-24", is: "/dev is a link, in a user namespace", links: true,
			bundle: func(b *box) {
				deviceCanary(b)
				b.users()
				b.unmount("/dev")
				b.link("/dev", b.canary)
			},
			either: true,
		},
		{
			sec: "SEC-24", is: "a device lies behind a link", links: true,
			bundle: func(b *box) {
				deviceCanary(b)
				b.unmount("/dev")
				b.link("/dev/a", b.canary)
				b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/a/b/c", Type: "c", Major: 1, Minor: 3}}
			},
			either: true,
		},
		{
			sec: "SEC-25", is: "/dev/console is a link, without a terminal", links: true,
			bundle: func(b *box) {
				b.unmount("/dev")
				b.link("/dev/console", b.canary+"/new")
			},
		},
		{
			sec: "SEC-26", is: "/dev/null is a link to a file of the host", links: true,
			bundle: func(b *box) {
				b.unmount("/dev")
				b.write("/f", "", 0o644)
				b.bind(b.canary+"/secret", "/f")
				b.link("/dev/null", "/f")
				b.user(1000, 1000)
			},
			either: true,
		},
		{
			sec: "SEC-27", is: "an annotation names a handler whose helper the image has",
			bundle: func(b *box) {
				b.spec.Annotations = map[string]string{"run.oci.handler": "krun", "krun.use_passt": "true"}
				for _, path := range []string{"/bin/passt", "/bin/krun", "/usr/bin/passt", "/usr/bin/crun-krun"} {
					b.write(path, "#!/bin/sh\necho >"+b.canary+"/helper\n", 0o755)
				}
			},
			either: true,
		},
		{
			sec: "SEC-30", is: "/proc/self and /dev/stdout are links, and the id is used again", links: true,
			bundle: func(b *box) {
				b.unmount("/dev")
				b.link("/proc/self", b.canary)
				for _, name := range []string{"/dev/stdout", "/dev/stdin", "/dev/fd"} {
					b.link(name, b.canary+"/secret")
				}
			},
			either: true,
		},
	}...))
}

// deviceCanary puts into the canary what a runtime would replace in /dev.
func deviceCanary(b *box) {
	for _, name := range []string{"ptmx", "fd", "null", "stdin"} {
		must(b, os.WriteFile(b.canary+"/"+name, nil, 0o600))
	}
}

// SEC-17: the image's tree is the same after a container as before.
func TestSEC17TheImageIsAsItWas(t *testing.T) {
	b := newBox(t)
	must(t, os.RemoveAll(b.root+"/sys")) // to be made as a mount point, and to go again
	before := tree(t, b.root)
	for _, way := range ways {
		if o := b.run(way); o.refused {
			t.Errorf("refused: %v", o)
		}
		same(b, before, tree(t, b.root))
	}
}

// SEC-07, SEC-13: a container that shares the volume makes /proc a link while another starts.
func TestSEC07ProcBehindARaceIsRefused(t *testing.T) {
	b := newBox(t)
	vol := b.volume("vol")
	must(t, os.MkdirAll(vol+"/a", 0o755))
	must(t, os.Symlink("/vol/c", vol+"/b"))
	must(t, os.MkdirAll(vol+"/c", 0o755))
	must(t, os.RemoveAll(b.root+"/proc"))
	must(t, os.Symlink("/vol/a", b.root+"/proc"))
	b.first(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"bind"}})
	before := b.census()
	b.race(vol+"/a", vol+"/b", func(way string) { b.closed(before, b.run(way), "/proc") })
}

// SEC-09: the mount point becomes a link to the root between look and mount.
func TestSEC09ARaceMountsNothingOutsideTheRoot(t *testing.T) {
	b := newBox(t)
	vol := b.volume("vol")
	must(t, os.MkdirAll(vol+"/x/y", 0o755))
	must(t, os.Symlink(strings.Repeat("../", 30), vol+"/l"))
	b.bind(vol, "/vol")
	b.mount(specs.Mount{Destination: "/vol/x/y", Type: "tmpfs", Source: "tmpfs"})
	before := b.census()
	b.race(vol+"/x", vol+"/l", func(way string) { b.unharmed(before, b.run(way)) })
}

// SEC-16: a component of a missing mount point becomes a link to the canary.
func TestSEC16ARaceMakesNothingOutsideTheRoot(t *testing.T) {
	b := newBox(t)
	vol, data := b.volume("vol"), b.volume("data")
	must(t, os.Mkdir(vol+"/a", 0o755))
	must(t, os.Symlink(b.canary, vol+"/l"))
	b.bind(vol, "/vol")
	b.bind(data, "/vol/a/b/c/d")
	before := b.census()
	b.race(vol+"/a", vol+"/l", func(way string) {
		b.unharmed(before, b.run(way))
		os.RemoveAll(vol + "/a/b")
	})
}

// SEC-48: a bind's source is opened once: what is mounted is one of the two.
func TestSEC48ABindIsOneOfTheTwoSources(t *testing.T) {
	b := newBox(t)
	vol := b.volume("vol")
	must(t, os.Mkdir(vol+"/src", 0o755))
	must(t, os.WriteFile(vol+"/src/mine", nil, 0o644))
	must(t, os.Symlink(b.canary, vol+"/l"))
	b.bind(vol+"/src", "/mnt", "ro")
	b.sh("ls /mnt; touch /mnt/x 2>/dev/null && echo written")
	before := b.census()
	b.race(vol+"/src", vol+"/l", func(way string) {
		o := b.run(way)
		b.unharmed(before, o)
		if o.stdout != "mine\n" && o.stdout != "secret\n" {
			b.Errorf("neither of the two: %v", o)
		}
	})
}

// SEC-48: a file that becomes a directory is refused, or mounted as what it was.
func TestSEC48ABindsTypeIsThatOfWhatWasOpened(t *testing.T) {
	b := newBox(t)
	vol := b.volume("vol")
	must(t, os.WriteFile(vol+"/src", []byte("mine\n"), 0o644))
	must(t, os.Symlink("/", vol+"/l"))
	b.write("/f", "", 0o644)
	b.bind(vol+"/src", "/f")
	b.sh("cat /f")
	before := b.census()
	b.race(vol+"/src", vol+"/l", func(way string) {
		o := b.run(way)
		b.unharmed(before, o)
		if !o.refused && o.stdout != "mine\n" {
			b.Errorf("what is mounted is not the file: %v", o)
		}
	})
}
