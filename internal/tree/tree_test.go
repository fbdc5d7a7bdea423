package tree

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mount trees need root")
	}
}

func idmap(host, size uint32) []specs.LinuxIDMapping {
	return []specs.LinuxIDMapping{{ContainerID: 0, HostID: host, Size: size}}
}

func TestAUserNamespaceHasItsMapsAndNoProcess(t *testing.T) {
	asRoot(t)
	before := children(t)
	fd, err := UserNamespace(append(idmap(1000, 5), specs.LinuxIDMapping{ContainerID: 5, HostID: 9, Size: 1}), idmap(2000, 10), t.TempDir())
	must(t, err)
	defer unix.Close(fd)
	if kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWUSER {
		t.Errorf("%x %v", kind, err)
	}
	if after := children(t); after != before {
		t.Errorf("children: %q, before %q", after, before)
	}
}

func children(t *testing.T) string {
	b, err := os.ReadFile("/proc/self/task/" + strconv.Itoa(os.Getpid()) + "/children")
	must(t, err)
	return string(b)
}

func TestABadMappingIsNamed(t *testing.T) {
	asRoot(t)
	if _, err := UserNamespace(nil, idmap(0, 1), t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "uidMappings: ") {
		t.Errorf("%v", err)
	}
	if _, err := UserNamespace(idmap(0, 1), append(idmap(0, 2), idmap(1, 2)...), t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "gidMappings: ") {
		t.Errorf("%v", err)
	}
}

// A tree is nowhere in the host's mounts, and goes with its descriptor.
func TestATreeIsFinishedBeforeItIsSeen(t *testing.T) {
	asRoot(t)
	before, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/file", nil, 0o644))
	fd, err := Bind(&specs.Mount{Source: filepath.Base(dir), Options: []string{"bind", "ro", "nosuid", "noexec"}}, filepath.Dir(dir), -1, false)
	must(t, err)
	defer unix.Close(fd)
	var fs unix.Statfs_t
	must(t, unix.Fstatfs(fd, &fs))
	if want := int64(unix.ST_RDONLY | unix.ST_NOSUID | unix.ST_NOEXEC); fs.Flags&want != want {
		t.Errorf("flags %#x", fs.Flags)
	}
	if _, err := unix.Openat(fd, "new", unix.O_CREAT|unix.O_WRONLY, 0o644); err != unix.EROFS {
		t.Errorf("%v", err)
	}
	after, err := os.ReadFile("/proc/self/mountinfo")
	must(t, err)
	if string(after) != string(before) {
		t.Errorf("the host's mounts changed:\n%s\nwere\n%s", after, before)
	}
}

// MT-14, MT-15: the mount's own mapping, or the container's.
func TestMakeTakesTheMountsMappingOrTheContainers(t *testing.T) {
	asRoot(t)
	dir := ownTmpfs(t)
	must(t, os.WriteFile(dir+"/file", nil, 0o644))
	s := &specs.Spec{Mounts: []specs.Mount{
		{Source: dir, Options: []string{"bind", "idmap"}, UIDMappings: idmap(500, 1), GIDMappings: idmap(600, 1)},
		{Source: dir, Options: []string{"bind", "idmap"}},
		{Source: dir, Options: []string{"bind"}},
		{Type: "tmpfs"},
	}}
	ids := &IDs{UserNamespace: false, UID: idmap(700, 1), GID: idmap(800, 1)}
	f := &rootfs.Facts{}
	need := Need(s, f, ids)
	if len(need) != 2 {
		t.Fatal(need)
	}
	for i, want := range [][2]uint32{{500, 600}, {700, 800}} {
		m, err := Make(s, f, ids, need[i], -1)
		must(t, err)
		defer unix.Close(m.FD)
		var st unix.Stat_t
		must(t, unix.Fstatat(m.FD, "file", &st, 0))
		if m.Index != i || st.Uid != want[0] || st.Gid != want[1] {
			t.Errorf("%+v: owner %d:%d, want %v", m, st.Uid, st.Gid, want)
		}
	}
}

// ownTmpfs mounts a tmpfs, which can be id-mapped, for this thread alone.
func ownTmpfs(t *testing.T) string {
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS))
	must(t, unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
	dir := t.TempDir()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestAFaultNamesTheMount(t *testing.T) {
	asRoot(t)
	s := &specs.Spec{Mounts: []specs.Mount{{}, {Source: "/nosuch", Options: []string{"bind", "idmap"}, UIDMappings: idmap(0, 1), GIDMappings: idmap(0, 1)},
		{Type: "tmpfs", Options: []string{"tmpcopyup", "nosuch=1"}}}}
	for i, want := range map[int]string{1: `mounts[1]: open_tree "/nosuch": no such file or directory`, 2: `mounts[2]: option "nosuch=1": invalid argument`} {
		if _, err := Make(s, &rootfs.Facts{}, &IDs{}, i, -1); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestTmpcopyupSaysWhenItDoesntFit(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/big", make([]byte, 1<<20), 0o644))
	must(t, os.Symlink("big", dir+"/link"))
	must(t, unix.Setxattr(dir+"/big", "security.capability", []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0))
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	must(t, err)
	defer unix.Close(fd)
	if _, err := CopyUp(&specs.Mount{Options: []string{"size=64k"}}, fd); err == nil || !strings.Contains(err.Error(), `"big": no space left on device`) {
		t.Errorf("%v", err)
	}
	to, err := CopyUp(&specs.Mount{Options: []string{"size=2m", "mode=700"}}, fd)
	must(t, err)
	defer unix.Close(to)
	var st unix.Stat_t
	must(t, unix.Fstatat(to, "big", &st, 0))
	if st.Size != 1<<20 {
		t.Errorf("%d bytes were copied", st.Size)
	}
	must(t, unix.Fstatat(to, ".", &st, 0))
	if st.Mode&0o7777 != 0o700 {
		t.Errorf("mode %o", st.Mode)
	}
	big, err := unix.Openat(to, "big", unix.O_RDONLY, 0)
	must(t, err)
	defer unix.Close(big)
	if n, err := unix.Fgetxattr(big, "security.capability", make([]byte, 64)); err != nil || n != 20 {
		t.Errorf("the file's capabilities are lost: %d %v", n, err)
	}
}

func TestReachableIsTrueOnlyWhenItIsSure(t *testing.T) {
	asRoot(t)
	dir, err := os.MkdirTemp("", "reach")
	must(t, err)
	defer os.RemoveAll(dir)
	must(t, os.Mkdir(dir+"/d", 0o755))
	must(t, os.Symlink("d", dir+"/link"))
	ids := &IDs{UserNamespace: true, UID: idmap(100000, 1000), GID: idmap(100000, 1000)}
	check := func(mode os.FileMode, uid, gid int, path string, want bool) {
		t.Helper()
		must(t, os.Chown(dir, uid, gid))
		must(t, os.Chmod(dir, mode))
		if got := Reachable(path, ids); got != want {
			t.Errorf("mode %o, owner %d:%d: %v", mode, uid, gid, got)
		}
	}
	check(0o755, 0, 0, dir+"/d", true)
	check(0o750, 0, 0, dir+"/d", false)
	check(0o710, 0, 100000, dir+"/d", true)
	check(0o701, 0, 100000, dir+"/d", false)
	check(0o100, 100000, 0, dir+"/d", true)
	check(0o000, 100005, 100005, dir+"/d", true) // the namespace's own
	check(0o755, 0, 0, dir+"/link/x", false)
	check(0o755, 0, 0, dir+"/nosuch", false)
	if !Reachable("/nosuch/x", &IDs{}) {
		t.Error("without mappings the stage must see for itself")
	}
}
