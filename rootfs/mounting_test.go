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
