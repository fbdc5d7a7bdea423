package security

import (
	"os"
	"strconv"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What once was broken by a fix for one of the advisories: each of these
// makes sure that a hardening didn't go too far.
func TestHardeningBreaksNothing(t *testing.T) {
	withstand(t, []attack{
		{
			sec: "guard SEC-20", is: "a tmpfs on a path that doesn't exist is for all",
			bundle: func(b *box) {
				b.mount(specs.Mount{Destination: "/missing", Type: "tmpfs", Source: "tmpfs"})
				b.sh("stat -c %a /missing")
			},
			says: "1777\n",
		},
		{
			sec: "guard SEC-20", is: "a tmpfs has the mode that the config asks for",
			bundle: func(b *box) {
				b.mount(specs.Mount{Destination: "/missing", Type: "tmpfs", Source: "tmpfs", Options: []string{"mode=0710"}})
				b.sh("stat -c %a /missing")
			},
			says: "710\n",
		},
		{
			sec: "guard SEC-20", is: "a tmpfs has the mode of the directory that it covers",
			bundle: func(b *box) {
				must(b, os.Mkdir(b.root+"/there", 0o750))
				b.mount(specs.Mount{Destination: "/there", Type: "tmpfs", Source: "tmpfs"})
				b.sh("stat -c %a /there")
			},
			says: "750\n",
		},
		{
			sec: "guard", is: "the default mounts have their modes and flags",
			bundle: func(b *box) { b.sh(modes) },
			says:   "/proc 555\n/dev 755\n/dev/shm 1777\n/dev/mqueue 1777\n/sys 555\n/sys is ro\n",
		},
		{
			sec: "guard", is: "the default mounts have their modes and flags in a user namespace",
			bundle: func(b *box) {
				b.users()
				b.sh(modes)
			},
			says: "/proc 555\n/dev 755\n/dev/shm 1777\n/dev/mqueue 1777\n/sys 555\n/sys is ro\n",
		},
		{
			sec: "guard", is: "a bind of a network namespace's file",
			bundle: func(b *box) {
				b.write("/netns", "", 0o644)
				b.bind(pinned(b), "/netns")
				b.sh("stat -f -c %t /netns")
			},
			says: "6e736673\n", // NSFS_MAGIC
		},
		{
			sec: "guard", is: "a recursive bind of a directory that holds one",
			bundle: func(b *box) {
				pinned(b)
				b.mount(specs.Mount{Destination: "/mnt", Source: b.dir + "/pins", Options: []string{"rbind", "ro"}})
				b.sh("stat -f -c %t /mnt/net")
			},
			says: "6e736673\n",
		},
		{
			sec: "guard", is: "a mount point that is missing in a read-only bind",
			bundle: func(b *box) {
				b.bind(b.volume("vol"), "/mnt", "ro")
				b.bind(b.volume("other"), "/mnt/missing")
			},
			refused: "/mnt",
		},
		{
			sec: "guard SEC-47", is: "a program by a relative PATH of the container",
			bundle: func(b *box) {
				b.spec.Process.Env = []string{"PATH=."}
				b.spec.Process.Cwd = "/bin"
				b.spec.Process.Args = []string{"id", "-u"}
			},
			says: "0\n",
		},
	})
}

const modes = `stat -c '%n %a' /proc /dev /dev/shm /dev/mqueue /sys; grep -q ' /sys ro,' /proc/self/mountinfo && ! mkdir /sys/fs/x 2>/tmp/x && echo /sys is ro`

// pinned makes a file that keeps a network namespace.
func pinned(b *box) string {
	pins := b.volume("pins")
	must(b, os.WriteFile(pins+"/net", nil, 0o644))
	must(b, unix.Mount("/proc/self/ns/net", pins+"/net", "", unix.MS_BIND, ""))
	b.Cleanup(func() { unix.Unmount(pins+"/net", unix.MNT_DETACH) })
	return pins + "/net"
}

// crun 1.27.1 had to mend this: mounts on the host are seen in a container
// whose bind asks for it, also if they come after start.
func TestMountsOfTheHostAreSeenLater(t *testing.T) {
	b := newBox(t)
	src, out := b.volume("src"), b.volume("out")
	must(t, unix.Mount(src, src, "", unix.MS_BIND, ""))
	defer unix.Unmount(src, unix.MNT_DETACH)
	must(t, unix.Mount("", src, "", unix.MS_SHARED, ""))
	must(t, os.Mkdir(src+"/sub", 0o755))
	b.mount(specs.Mount{Destination: "/mnt", Source: src, Options: []string{"rbind", "rslave"}})
	b.mount(specs.Mount{Destination: "/out", Source: out, Options: []string{"bind"}})
	b.sh("touch /out/ready; while ! [ -e /mnt/sub/mark ]; do true; done; touch /out/seen; while sleep 100; do true; done")
	b.hold()
	await(t, out+"/ready")
	must(t, unix.Mount("tmpfs", src+"/sub", "tmpfs", 0, ""))
	defer unix.Unmount(src+"/sub", unix.MNT_DETACH)
	must(t, os.WriteFile(src+"/sub/mark", nil, 0o644))
	await(t, out+"/seen")
	b.call("delete", "delete", "--force", "c")
}

// runc 1.4.1: exec after the container has put its first process into a cgroup below its own.
func TestExecAfterTheContainerHasDividedItsCgroup(t *testing.T) {
	b := sleeper(t)
	pid := b.pid()
	for _, dir := range b.cgroups() {
		must(t, os.Mkdir(dir+"/below", 0o755))
		defer os.Remove(dir + "/below")
		if err := os.WriteFile(dir+"/below/cgroup.procs", []byte(strconv.Itoa(pid)), 0o644); err != nil {
			t.Logf("%s: %v", dir, err) // cpuset wants CPUs first
		}
	}
	if o := b.exec(nil, "true"); o.status != 0 {
		t.Errorf("%v", o)
	}
	b.call("delete", "delete", "--force", "c")
	if left := b.cgroups(); len(left) > 0 {
		t.Errorf("cgroups left: %v", left)
	}
}

// runc 1.2.8 and others could start nothing where a procfs of their own is
// denied: a sysctl is set all the same in a user namespace with the host's pids.
func TestASysctlWithoutAProcfsOfOurOwn(t *testing.T) {
	withstand(t, []attack{{
		sec: "guard SEC-20", is: "in a user namespace with the pid namespace of the host",
		bundle: func(b *box) {
			b.users()
			b.without(specs.PIDNamespace)
			b.spec.Mounts[0] = specs.Mount{Destination: "/proc", Source: "/proc", Options: []string{"rbind"}}
			b.spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
			b.sh("cat /proc/sys/net/ipv4/ip_forward")
		},
		says: "1\n",
	}})
}

// The same source: a container in a container, also in a user namespace.
func TestARuntimeRunsInsideAContainer(t *testing.T) {
	for name, users := range map[string]bool{"by root": false, "in a user namespace": true} {
		withstand(t, []attack{{
			sec: "guard SEC-20", is: name,
			bundle: func(b *box) {
				if !ours {
					b.Skip("needs --cgroup-manager disabled")
				}
				inner := newBox(b.T)
				inner.unmount("/sys/fs/cgroup")
				inner.sh("id -u; cat /proc/sys/net/ipv4/ip_forward")
				inner.spec.Linux.CgroupsPath, inner.spec.Linux.Resources = "", nil
				inner.spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
				inner.save()
				if users {
					b.users()
				}
				b.capable("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_MKNOD",
					"CAP_SYS_CHROOT", "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN", "CAP_FOWNER")
				b.spec.Linux.ReadonlyPaths, b.spec.Linux.MaskedPaths = nil, nil
				b.write("/minirt", "", 0o755)
				b.bind(runtime, "/minirt")
				b.bind(inner.bundle, "/mnt")
				b.sh("exec /minirt --root /dev/shm/states --cgroup-manager disabled run --bundle /mnt inner")
			},
			says: "0\n1\n",
		}})
	}
}
