package rootfs_test

import (
	"os"
	"path/filepath"
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

// Each option of the table, on a tmpfs and on a bind (MT-07, MT-09 to MT-11).
func TestEveryOptionShowsUp(t *testing.T) {
	shows := map[string]string{"ro": "ro", "rro": "ro", "nosuid": "nosuid", "rnosuid": "nosuid", "nodev": "nodev", "rnodev": "nodev",
		"noexec": "noexec", "rnoexec": "noexec", "noatime": "noatime", "rnoatime": "noatime", "nodiratime": "nodiratime", "rnodiratime": "nodiratime",
		"nosymfollow": "nosymfollow", "rnosymfollow": "nosymfollow", "relatime": "relatime", "rrelatime": "relatime"}
	supers := map[string]string{"ro": "ro", "sync": "sync", "dirsync": "dirsync"}
	b := newBox(t)
	vol := b.outside("vol")
	for i, o := range rootfs.Options() {
		if o == "bind" || o == "rbind" || o == "idmap" || o == "ridmap" {
			continue
		}
		b.mount(specs.Mount{Destination: "/fs" + itoa(i), Type: "tmpfs", Source: "tmpfs", Options: []string{o}})
		if o != "tmpcopyup" {
			b.mount(specs.Mount{Destination: "/bind" + itoa(i), Type: "nonsense", Source: vol, Options: []string{"rbind", o}})
		}
	}
	if faults, _ := rootfs.Check(b.spec); len(faults) > 0 {
		t.Fatal(faults)
	}
	r := b.run("cat /proc/self/mountinfo").ok(t)
	for i, o := range rootfs.Options() {
		if o == "bind" || o == "rbind" || o == "idmap" || o == "ridmap" {
			continue
		}
		options, tags, _, _, super := mountOn(t, r.out, "/fs"+itoa(i))
		all := "," + options + ","
		if want := shows[o]; want != "" && !strings.Contains(all, ","+want+",") {
			t.Errorf("tmpfs with %s has %s", o, options)
		}
		if want := supers[o]; want != "" && !strings.Contains(","+super+",", ","+want+",") {
			t.Errorf("tmpfs with %s has the file system options %s", o, super)
		}
		if strings.HasSuffix(o, "strictatime") && !strings.Contains(o, "no") && strings.Contains(options, "relatime") {
			t.Errorf("tmpfs with %s has %s", o, options)
		}
		if o == "tmpcopyup" {
			continue
		}
		bind, bindTags, _, _, _ := mountOn(t, r.out, "/bind"+itoa(i))
		if want := shows[o]; want != "" && !strings.Contains(","+bind+",", ","+want+",") {
			t.Errorf("bind with %s has %s", o, bind)
		}
		if strings.HasSuffix(o, "strictatime") && !strings.Contains(o, "no") && strings.Contains(bind, "relatime") {
			t.Errorf("bind with %s has %s", o, bind)
		}
		for _, got := range []string{tags, bindTags} {
			if strings.HasSuffix(o, "shared") != strings.Contains(got, "shared:") || strings.HasSuffix(o, "unbindable") != strings.Contains(got, "unbindable") {
				t.Errorf("a mount with %s has the tags %q", o, got)
			}
		}
	}
}

// MT-08
func TestALaterOptionOverrides(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	for i, list := range [][]string{{"ro", "rw"}, {"rbind", "ro", "rw"}, {"rbind", "rro", "rw"}, {"rbind", "rw", "rro"}, {"rbind", "noatime", "strictatime"}} {
		m := specs.Mount{Destination: "/m" + itoa(i), Type: "tmpfs", Source: "tmpfs", Options: list}
		if list[0] == "rbind" {
			m.Source = vol
		}
		b.mount(m)
	}
	r := b.run("cat /proc/self/mountinfo").ok(t)
	for i, want := range []string{"rw", "rw", "rw", "ro", "rw"} {
		options, _, _, _, _ := mountOn(t, r.out, "/m"+itoa(i))
		if got, _, _ := strings.Cut(options, ","); got != want {
			t.Errorf("mount %d: %s", i, options)
		}
		if i == 4 && strings.Contains(options, "atime") {
			t.Errorf("strictatime after noatime gives %s", options)
		}
	}
}

// MT-10: recursive options reach submounts, plain ones don't.
func TestRecursiveOptionsReachSubmounts(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	must(t, os.Mkdir(vol+"/sub", 0o755))
	must(t, unix.Mount("tmpfs", vol+"/sub", "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(vol+"/sub", unix.MNT_DETACH) })
	for i, list := range [][]string{{"rbind", "ro"}, {"rbind", "rro"}, {"rbind", "rro", "rnosuid", "rw"}, {"bind", "rro"}} {
		b.mount(specs.Mount{Destination: "/m" + itoa(i), Source: vol, Options: list})
	}
	r := b.run("cat /proc/self/mountinfo").ok(t)
	for _, c := range []struct{ point, want string }{{"/m0", "ro,"}, {"/m0/sub", "rw,"}, {"/m1", "ro,"}, {"/m1/sub", "ro,"}, {"/m2", "rw,nosuid"}, {"/m2/sub", "ro,nosuid"}, {"/m3", "ro,"}} {
		if options, _, _, _, _ := mountOn(t, r.out, c.point); !strings.HasPrefix(options, c.want) {
			t.Errorf("%s has %s, want %s", c.point, options, c.want)
		}
	}
	if strings.Contains(r.out, "/m3/sub") {
		t.Error("a bind that isn't recursive took a submount along")
	}
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

func TestOverlayOptionsMayBeLong(t *testing.T) {
	b := newBox(t)
	dir := b.outside("overlay")
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	var lower []string
	for i := range 12 {
		d := filepath.Join(dir, strings.Repeat("long", 20)+itoa(i))
		must(t, os.Mkdir(d, 0o755))
		must(t, os.WriteFile(d+"/f"+itoa(i), nil, 0o644))
		lower = append(lower, d)
	}
	must(t, os.Mkdir(dir+"/up", 0o755))
	must(t, os.Mkdir(dir+"/work", 0o755))
	b.mount(specs.Mount{Destination: "/o", Type: "overlay", Source: "overlay", Options: []string{"lowerdir=" + strings.Join(lower, ":"), "upperdir=" + dir + "/up", "workdir=" + dir + "/work"}})
	b.mount(specs.Mount{Destination: "/o/made/here", Type: "tmpfs", Source: "tmpfs"})
	b.run("ls /o | grep -c f; grep -c /o/made/here /proc/self/mountinfo").says(t, "12\n1")
}

// Advisories D, row 1.
func TestATmpfsTakesTheModeOfWhatItCovers(t *testing.T) {
	b := newBox(t)
	b.mkdir("old")
	must(t, os.Chmod(b.root+"/old", 0o751))
	b.mkdir("told")
	must(t, os.Chmod(b.root+"/told", 0o700))
	b.mount(specs.Mount{Destination: "/old", Type: "tmpfs"})
	b.mount(specs.Mount{Destination: "/told", Type: "tmpfs", Options: []string{"mode=711"}})
	b.mount(specs.Mount{Destination: "/new", Type: "tmpfs"})
	b.run("busybox stat -c %a /old /told /new /dev /dev/shm").says(t, "751\n711\n1777\n755\n1777")
}

func TestTmpcopyupKeepsWhatItCovers(t *testing.T) {
	b := newBox(t)
	b.mkdir("data/deep")
	must(t, os.WriteFile(b.root+"/data/deep/file", []byte("content"), 0o640))
	must(t, os.Chown(b.root+"/data/deep/file", 1000, 1001))
	must(t, os.Chmod(b.root+"/data", 0o751))
	must(t, os.Symlink(b.canary, b.root+"/data/link"))
	must(t, unix.Mkfifo(b.root+"/data/fifo", 0o600))
	b.mount(specs.Mount{Destination: "/data", Type: "tmpfs", Source: "tmpfs", Options: []string{"tmpcopyup", "ro", "size=1m"}})
	b.run("cat /data/deep/file; busybox stat -c '%a %u %g' /data /data/deep/file; readlink /data/link; test -p /data/fifo && ! touch /data/x 2>/dev/null && grep -o 'ro,.*tmpfs tmpfs .*size=1024k' /proc/self/mountinfo | wc -l").
		says(t, "content751 0 0\n640 1000 1001\n"+b.canary+"\n1")
}

// MT-14: owners are shifted inside, the host's file stays as it is.
func TestAnIDMappedMountShiftsOwners(t *testing.T) {
	b := newBox(t)
	vol := b.outside("vol")
	must(t, unix.Mount("tmpfs", vol, "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(vol, unix.MNT_DETACH) })
	must(t, os.WriteFile(vol+"/file", nil, 0o644))
	must(t, os.Chown(vol+"/file", 5, 6))
	maps := func(to uint32) []specs.LinuxIDMapping {
		return []specs.LinuxIDMapping{{ContainerID: 0, HostID: to, Size: 65536}}
	}
	b.mount(specs.Mount{Destination: "/m", Source: vol, Options: []string{"bind", "idmap", "ro"}, UIDMappings: maps(100000), GIDMappings: maps(200000)})
	b.mount(specs.Mount{Destination: "/n", Source: vol, Options: []string{"rbind", "ridmap"}, UIDMappings: maps(1000), GIDMappings: maps(1000)})
	b.run("busybox stat -c '%u %g' /m/file /n/file; ! touch /m/x 2>/dev/null").says(t, "100005 200006\n1005 1006")
	var st unix.Stat_t
	must(t, unix.Stat(vol+"/file", &st))
	if st.Uid != 5 || st.Gid != 6 {
		t.Error("the host's file has another owner")
	}
}

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

// PG-02 and the row of advisories D on crun 1.27.1.
func TestHostMountsMadeLaterAreSeenInASlaveBind(t *testing.T) {
	for _, options := range [][]string{{"rbind"}, {"rbind", "rslave"}, {"rbind", "rprivate"}} {
		b := newBox(t)
		vol := b.outside("vol")
		must(t, unix.Mount("tmpfs", vol, "tmpfs", 0, ""))
		t.Cleanup(func() { unix.Unmount(vol, unix.MNT_DETACH) })
		must(t, unix.Mount("", vol, "", unix.MS_SHARED, ""))
		must(t, os.Mkdir(vol+"/sub", 0o755))
		b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: options})
		r := b.runMeanwhile("read x; ls /vol/sub", func() {
			must(t, unix.Mount("tmpfs", vol+"/sub", "tmpfs", 0, ""))
			must(t, os.WriteFile(vol+"/sub/later", nil, 0o644))
		})
		if want := options[len(options)-1] != "rprivate"; strings.Contains(r.ok(t).out, "later") != want {
			t.Errorf("%v: %q", options, r.out)
		}
	}
}

// PG-01, PG-05: with rshared a volume's mount shows on the host, and the root's
// own mounts don't.
func TestABidirectionalVolumesMountShowsOnTheHost(t *testing.T) {
	for _, propagation := range []string{"shared", "rshared"} {
		b := newBox(t)
		must(t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, "")) // as systemd does; of this thread's namespace alone
		vol := b.outside("vol")
		must(t, unix.Mount("tmpfs", vol, "tmpfs", 0, ""))
		t.Cleanup(func() { unix.Unmount(vol, unix.MNT_DETACH) })
		must(t, os.Mkdir(vol+"/sub", 0o755))
		b.spec.Linux.RootfsPropagation = propagation
		b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"rbind", "rshared"}})
		before := mounts(t)
		r := b.run("mount -t tmpfs tmpfs /vol/sub; cat /proc/self/mountinfo").ok(t)
		after := mounts(t)
		if added := strings.TrimPrefix(after, before); !strings.HasPrefix(after, before) || strings.Count(added, "\n") != 1 || !strings.Contains(added, " "+vol+"/sub ") {
			t.Errorf("%s: the host's mounts changed from\n%s\nto\n%s", propagation, before, after)
		}
		_, tags, _, _, _ := mountOn(t, r.out, "/")
		if !strings.HasPrefix(tags, "shared:") || strings.Contains(before, tags+" ") {
			t.Errorf("%s: the root has the tags %q", propagation, tags)
		}
		unix.Unmount(vol+"/sub", unix.MNT_DETACH)
	}
}

func mounts(t *testing.T) string {
	b, err := os.ReadFile("/proc/thread-self/mountinfo")
	must(t, err)
	return string(b)
}

// PG-02 to PG-04, and SEC-60: the host's mounts are the same afterwards.
func TestRootfsPropagationIsSet(t *testing.T) {
	for _, c := range []struct{ word, tags string }{{"", "master:"}, {"slave", "master:"}, {"rslave", "master:"}, {"private", ""}, {"rprivate", ""}, {"unbindable", "unbindable"}, {"runbindable", "unbindable"}} {
		b := newBox(t)
		must(t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""))
		b.spec.Linux.RootfsPropagation = c.word
		before := mounts(t)
		r := b.run("cat /proc/self/mountinfo").ok(t)
		if _, tags, _, _, _ := mountOn(t, r.out, "/"); !strings.HasPrefix(tags, c.tags) || c.tags == "" && tags != "" {
			t.Errorf("%s: the root has the tags %q", c.word, tags)
		}
		if after := mounts(t); after != before {
			t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
		}
	}
}

func TestNoPivotMovesTheRoot(t *testing.T) {
	b := newBox(t)
	b.facts.NoPivot = true
	b.spec.Root.Readonly = true
	b.run("ls / && ! touch /x 2>/dev/null; ls /proc/1/exe").says(t, "bin\ndev\netc\nproc\nsys\n/proc/1/exe")
}

// SEC-60: without a mount namespace the mounts are made below the root, and
// the host's own mounts are the same when they are gone.
func TestTheSmallestContainerHasNoMountNamespace(t *testing.T) {
	b := newBox(t)
	must(t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""))
	b.namespaces = unix.CLONE_NEWPID
	b.spec.Mounts = append(b.spec.Mounts[:2:2], specs.Mount{Destination: "/dev/shm", Type: "tmpfs", Source: "shm"})
	b.spec.Linux.MaskedPaths = []string{"/proc/keys", "/etc"}
	before, files := mounts(t), listing(t, b.root)
	b.facts = rootfs.Facts{Root: b.root, Bundle: b.bundle, OpenTreeAttr: !noOpenTreeAttr}
	points, err := mountpoint.Look(b.spec, &b.facts, 0, 0)
	must(t, err)
	defer points.Close()
	undo, err := mountpoint.Before(b.root, rootfs.Unmounts(b.spec, &b.facts))
	must(t, err)
	must(t, points.Make())
	t.Cleanup(func() { mountpoint.Unmount(b.root, undo) })
	r := b.exec("ls /etc /dev; echo $$; cd /proc; echo [0-9]*; cat /proc/keys; grep -c /dev/shm /proc/mounts")
	r.says(t, "/dev:\nfd\nfull\nnull\nptmx\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n\n/etc:\n1\n1\n1")
	must(t, mountpoint.Unmount(b.root, undo))
	must(t, mountpoint.Remove(b.root, points.Missing()))
	if after := mounts(t); after != before {
		t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
	}
	if after := listing(t, b.root); after != files {
		t.Errorf("after:\n%s\nbefore:\n%s", after, files)
	}
}

func TestRemountChangesAMountThatIsThere(t *testing.T) {
	b := newBox(t)
	b.mount(specs.Mount{Destination: "/m", Type: "tmpfs", Source: "tmpfs"})
	b.mount(specs.Mount{Destination: "/m", Type: "tmpfs", Source: "tmpfs", Options: []string{"remount", "ro"}})
	b.mount(specs.Mount{Destination: "/m/", Source: "none", Options: []string{"bind", "remount", "nosuid"}})
	must(t, os.Mkdir(b.bundle+"/none", 0o755))
	r := b.run("grep ' /m ' /proc/self/mountinfo").ok(t)
	if strings.Count(r.out, "\n") != 1 || !strings.Contains(r.out, " ro,nosuid,") {
		t.Error(r.out)
	}
}
