package security

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What the runtime writes to procfs, sysfs and cgroups is the kernel's, and
// what the container sees of them is what the config says.
func TestTheKernelsFilesAreTheKernels(t *testing.T) {
	fakeProc := func(b *box) string {
		dir := b.volume("fake")
		must(b, os.MkdirAll(dir+"/self/attr/apparmor", 0o755))
		must(b, os.MkdirAll(dir+"/self/fd", 0o755))
		for _, f := range []string{"exec", "current", "apparmor/exec"} {
			must(b, os.WriteFile(dir+"/self/attr/"+f, nil, 0o666))
		}
		for i := range 32 {
			must(b, os.Symlink("/tmp", dir+"/self/fd/"+strconv.Itoa(i)))
		}
		return dir
	}
	attacks := []attack{
		{
			sec: "SEC-05", is: "a bind of a directory on /proc, and a profile",
			bundle: func(b *box) {
				b.spec.Mounts[0] = specs.Mount{Destination: "/proc", Source: fakeProc(b), Options: []string{"bind"}}
				b.spec.Process.ApparmorProfile = "unconfined"
			},
			refused: "config.json:", // whichever is found first
		},
		{
			sec: "SEC-05", is: "a bind of a directory on /proc",
			bundle: func(b *box) {
				b.spec.Mounts[0] = specs.Mount{Destination: "/proc", Source: fakeProc(b), Options: []string{"bind"}}
			},
			refused: "/proc",
		},
		{
			sec: "SEC-29", is: "a read-only root, and a /proc whose descriptors lead to /tmp",
			bundle: func(b *box) {
				b.spec.Mounts[0] = specs.Mount{Destination: "/proc", Source: fakeProc(b), Options: []string{"rbind"}}
				b.sh("touch /x && echo written")
			},
			refused: "/proc", either: true, never: "written",
		},
		{
			sec: "SEC-29", is: "a read-only root, and a tmpfs on /proc",
			bundle: func(b *box) {
				b.spec.Mounts[0] = specs.Mount{Destination: "/proc", Type: "tmpfs", Source: "tmpfs"}
				b.spec.Linux.MaskedPaths, b.spec.Linux.ReadonlyPaths = nil, nil
				b.sh("touch /x && echo written")
			},
			refused: "/proc", either: true, never: "written",
		},
		{
			sec: "SEC-29", is: "a read-only root is read-only",
			bundle: func(b *box) { b.sh("touch /x") },
			says:   "Read-only file system",
		},
		{
			sec: "SEC-20 SEC-31", is: "a bind covers a file of /proc/sys that is to be written",
			bundle: func(b *box) {
				f := b.volume("v") + "/f"
				must(b, os.WriteFile(f, nil, 0o666))
				b.bind(f, "/proc/sys/net/ipv4/ip_forward")
				b.spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
			},
			refused: "/proc",
			after: func(b *box) {
				if got, _ := os.ReadFile(b.dir + "/v/f"); len(got) != 0 {
					b.Errorf("the covering file was written: %q", got)
				}
			},
		},
		{
			sec: "SEC-40", is: "writing to the cgroups",
			bundle: func(b *box) {
				b.sh(`for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/x && echo WRITTEN; for f in $d/release_agent $d/notify_on_release $d/cgroup.procs; do
					[ -e $f ] && echo 1 >$f && echo WRITTEN; done; done; true`)
			},
			says: "Read-only file system", never: "WRITTEN",
		},
		{
			sec: "SEC-12", is: "writing to the cgroups of the host, bound with /sys, in a user namespace",
			bundle: func(b *box) {
				b.users()
				b.without(specs.NetworkNamespace)
				b.unmount("/sys")
				b.mount(specs.Mount{Destination: "/sys", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"}})
				b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
				b.sh(`for d in /sys/fs/cgroup /sys/fs/cgroup/* /sys/kernel/*; do touch $d/x 2>&1 && echo WRITTEN; mkdir $d/x 2>&1 && echo WRITTEN; done | grep -v 'Not a dir'; true`)
			},
			says: "Read-only file system", never: "WRITTEN",
		},
		{
			sec: "SEC-14", is: "unified leaves the container's cgroup",
			bundle:  func(b *box) { b.unified("../victim/memory.max", "0") },
			refused: "linux.resources.unified",
		},
		{
			sec: "SEC-14", is: "unified moves processes",
			bundle:  func(b *box) { b.unified("cgroup.procs", "1") },
			refused: "linux.resources.unified",
		},
		{
			sec: "SEC-12 SEC-31", is: "the default masks hide, and the default read-only paths are read-only",
			bundle: func(b *box) {
				b.sh(`head -c 1 /proc/kcore; ls /sys/firmware; for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern; do echo x >$f; done; true`)
			},
			says: "Read-only file system", never: "acpi",
		},
	}
	for _, dest := range []string{"/proc/sys", "/proc/self/attr", "/proc/1", "/proc/../proc/sys"} {
		attacks = append(attacks, attack{
			sec: "SEC-31", is: "a mount on " + dest,
			bundle:  func(b *box) { b.mount(specs.Mount{Destination: dest, Type: "tmpfs", Source: "tmpfs"}) },
			refused: "/proc",
		})
	}
	for _, dest := range []string{"/proc/uptime", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/loadavg", "/proc/swaps", "/proc/diskstats"} {
		attacks = append(attacks, attack{
			sec: "SEC-31", is: "lxcfs mounts on " + dest,
			bundle: func(b *box) {
				f := b.volume("lxcfs") + "/f"
				must(b, os.WriteFile(f, []byte("by lxcfs"), 0o644))
				b.bind(f, dest)
				b.sh("cat " + dest)
			},
			says: "by lxcfs",
		})
	}
	for key, value := range map[string]string{
		"kernel.shm_rmid_forced":     "1+kernel.core_pattern=x",
		"kernel.core_pattern":        "|/x",
		"net/../kernel/core_pattern": "x",
		"net.ipv4.ip_forward":        "1",
		"kernel.sem":                 "1\nkernel.core_pattern=x",
	} {
		attacks = append(attacks, attack{
			sec: "SEC-41", is: key + "=" + strconv.Quote(value),
			bundle: func(b *box) {
				if key == "net.ipv4.ip_forward" {
					b.without(specs.NetworkNamespace)
				}
				b.spec.Linux.Sysctl = map[string]string{key: value}
			},
			refused: "sysctl",
		})
	}
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	must(t, err)
	withstand(t, attacks)
	if now, _ := os.ReadFile("/proc/sys/kernel/core_pattern"); string(now) != string(pattern) {
		t.Errorf("core_pattern of the host is %q, was %q", now, pattern)
		os.WriteFile("/proc/sys/kernel/core_pattern", pattern, 0)
	}
}

func (b *box) unified(key, value string) {
	if _, err := os.Stat("/sys/fs/cgroup/unified"); err != nil {
		if _, err := os.Stat("/sys/fs/cgroup/cgroup.procs"); err != nil {
			b.Skip("there is no cgroup v2 here")
		}
	}
	b.spec.Linux.Resources.Unified = map[string]string{key: value}
}

// SEC-08: whatever the list of devices is, all others are denied.
func TestSEC08OtherDevicesAreDenied(t *testing.T) {
	zero, null := int64(5), int64(1)
	for name, list := range map[string][]specs.LinuxDeviceCgroup{
		"a list that only allows": {{Allow: true, Type: "c", Major: &null, Minor: &zero, Access: "rwm"}},
		"an empty list":           {},
		"no list":                 nil,
	} {
		withstand(t, []attack{{
			sec: "SEC-08", is: name,
			bundle: func(b *box) {
				b.spec.Linux.Resources.Devices = list
				b.capable("CAP_MKNOD")
				b.sh(`cat /dev/zero | head -c 0 && echo allowed; mknod /dev/k c 1 1 && cat /dev/k`)
			},
			says: "Operation not permitted",
		}})
	}
}

// SEC-18: a mask is never made of what the container supplies.
func TestSEC18AMaskIsTheRuntimesOwn(t *testing.T) {
	b := newBox(t)
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	must(t, err)
	vol := b.volume("vol")
	must(t, unix.Mknod(vol+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(t, os.Symlink("/proc/sys/kernel/core_pattern", vol+"/evil"))
	b.unmount("/dev")
	b.bind(vol, "/dev")
	b.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/null", Type: "c", Major: 1, Minor: 3}}
	b.spec.Linux.ReadonlyPaths = nil
	b.sh(`stat -c '%F %t:%T' /proc/kcore /proc/keys /proc/timer_list; for f in /proc/kcore /proc/keys /proc/timer_list; do echo pwned >$f; done`)
	const want = "character special file 1:3"
	ran := 0
	before := b.census()
	b.race(vol+"/null", vol+"/evil", func(way string) {
		o := b.run(way)
		b.unharmed(before, o)
		if now, _ := os.ReadFile("/proc/sys/kernel/core_pattern"); string(now) != string(pattern) {
			os.WriteFile("/proc/sys/kernel/core_pattern", pattern, 0)
			b.Errorf("core_pattern became %q: %v", now, o)
		}
		if o.refused {
			return
		}
		ran++
		for l := range strings.SplitSeq(strings.TrimSpace(o.stdout), "\n") {
			if l != want {
				b.Errorf("a mask is %q: %v", l, o)
			}
		}
	})
	if ran == 0 {
		t.Error("no container ran: the masks were never looked at")
	}
}

// SEC-20: a sysctl is written to the kernel's procfs, though the mount
// namespace that the container joins shows something else there.
func TestSEC20ACoveredProcIsNotWrittenTo(t *testing.T) {
	for _, way := range ways {
		b := newBox(t)
		holder := exec.Command("unshare", "-m", "sh", "-c",
			"mount -t tmpfs covered /proc/sys/net && mkdir /proc/sys/net/ipv4 && : >/proc/sys/net/ipv4/ip_forward && : >"+b.dir+"/covered && exec sleep 60")
		must(t, holder.Start())
		defer func() { holder.Process.Kill(); holder.Wait() }()
		await(t, b.dir+"/covered")
		proc := "/proc/" + strconv.Itoa(holder.Process.Pid)
		covered, err := os.Open(proc + "/root/proc/sys/net/ipv4/ip_forward")
		must(t, err)
		defer covered.Close()
		b.namespace(specs.MountNamespace, proc+"/ns/mnt")
		b.spec.Linux.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
		b.sh("cat /proc/sys/net/ipv4/ip_forward")
		o := b.run(way)
		st, err := covered.Stat()
		must(t, err)
		if st.Size() != 0 {
			t.Errorf("the covering file was written: %v", o)
		}
		if !o.refused && o.stdout != "1\n" {
			t.Errorf("the kernel's was not: %v", o)
		}
	}
}

// SEC-60: without a mount namespace the host's mounts and their propagation stay as they are.
func TestSEC60WithoutAMountNamespaceNoPropagationChanges(t *testing.T) {
	b := newBox(t)
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")) // still within our own namespace
	defer unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	b.without(specs.MountNamespace)
	b.spec.Mounts = nil
	b.spec.Root.Readonly = false
	b.spec.Linux.MaskedPaths, b.spec.Linux.ReadonlyPaths = nil, nil
	for _, way := range ways {
		before := b.census()
		b.before = func() {
			if now := mountLines(); strings.Join(now, "\n") != strings.Join(before.Mounts, "\n") {
				same(b, before.Mounts, now)
			}
		}
		o := b.run(way)
		if o.refused && ours {
			b.Errorf("was refused: %v", o)
		}
		b.unharmed(before, o)
	}
}

// SEC-60: a read-only bind is at no instant writable.
func TestSEC60AReadOnlyBindIsReadOnlyFromTheFirst(t *testing.T) {
	b := newBox(t)
	src := b.volume("src")
	b.bind(src, "/mnt", "ro")
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() { // creates a file by way of every process in the container's cgroup
		defer close(done)
		hierarchy := "/sys/fs/cgroup/pids" + b.cgroup
		if _, err := os.Stat("/sys/fs/cgroup/pids"); err != nil {
			hierarchy = "/sys/fs/cgroup" + b.cgroup
		}
		for {
			select {
			case <-stop:
				return
			default:
			}
			pids, _ := os.ReadFile(hierarchy + "/cgroup.procs")
			for pid := range strings.FieldsSeq(string(pids)) {
				for _, m := range []string{"/mnt", b.root + "/mnt"} {
					mountinfo, _ := os.ReadFile("/proc/" + pid + "/mountinfo")
					if strings.Contains(string(mountinfo), " "+m+" ") {
						os.WriteFile("/proc/"+pid+"/root"+m+"/written", nil, 0o644)
					}
				}
			}
		}
	}()
	for i := range rounds() {
		o := b.run(ways[i%2])
		if files, _ := filepath.Glob(src + "/*"); len(files) > 0 {
			t.Errorf("a file was made in the source of a read-only bind: %v", o)
			break
		}
	}
	close(stop)
	<-done
}
