package bundles

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// bundleOf makes a bundle whose root file system holds files, as hostOf lays them out.
func bundleOf(t *testing.T, files map[string]string) (dir, rootfs string) {
	t.Helper()
	dir = t.TempDir()
	rootfs = filepath.Join(dir, "rootfs")
	check(t, os.Rename(hostOf(t, files), rootfs))
	check(t, Write(dir, Default(true)))
	return dir, rootfs
}

// states gives the mode, the time and the content or target of all below dir.
func states(t *testing.T, dir string) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, name := range listing(t, dir) {
		info, err := os.Lstat(name)
		check(t, err)
		list[name] = info.Mode().String() + " " + info.ModTime().String()
		switch info.Mode().Type() {
		case fs.ModeSymlink:
			target, err := os.Readlink(name)
			check(t, err)
			list[name] += " -> " + target
		case 0:
			text, err := os.ReadFile(name)
			check(t, err)
			list[name] += " " + string(text)
		}
	}
	return list
}

func TestAddToAddsToABundleAndChangesNothingOfIt(t *testing.T) {
	t.Parallel()
	dir, rootfs := bundleOf(t, map[string]string{"/etc/mine": "mine", "/lib": "-> usr/lib", "/usr/lib/l": "l"})
	before := states(t, dir)
	src := hostOf(t, map[string]string{"/f": "f"})
	check(t, AddTo(dir, Contents{
		With:   []string{quiet(t, src+"/p")},
		Copies: []Copy{{Source: src + "/f", Target: "/etc/f"}, {Source: src + "/f", Target: "/lib/f"}},
	}, nil))
	after := states(t, dir)
	for name, want := range before {
		if after[name] != want {
			t.Errorf("%s: was %s, is %s", name, want, after[name])
		}
	}
	for _, name := range []string{"/etc/f", "/usr/lib/f", src + "/p/p"} {
		if _, err := os.Lstat(rootfs + name); err != nil {
			t.Error(err)
		}
	}
}

func TestAFailedAddToLeavesTheBundleAsItWas(t *testing.T) {
	t.Parallel()
	dir, _ := bundleOf(t, map[string]string{"/etc/mine": "mine"})
	src := hostOf(t, map[string]string{"/d/a": "a", "/d/b/c": "c"})
	before := states(t, dir)
	b, err := os.OpenRoot(dir + "/rootfs")
	check(t, err)
	defer b.Close()
	for n := range 5 {
		tree := newTree("")
		tree.present = b
		check(t, tree.addCopy(Copy{Source: src + "/d", Target: "/etc/new/d"}))
		if len(tree.entries) != 5 {
			t.Fatalf("%d entries", len(tree.entries))
		}
		tree.entries[n].mode = fs.ModeSymlink // a link with no target can't be made
		if err := tree.lay(b); err == nil {
			t.Errorf("entry %d: no error", n)
		}
		if diff := cmp.Diff(before, states(t, dir)); diff != "" {
			t.Errorf("entry %d (-before +after):\n%s", n, diff)
		}
	}
}

func TestAddToRefusesWhatClashes(t *testing.T) {
	t.Parallel()
	dir, _ := bundleOf(t, map[string]string{"/etc/mine": "mine", "/same": "f", "/dangling": "-> nowhere", "/loop": "-> loop"})
	src := hostOf(t, map[string]string{"/f": "f"})
	before := states(t, dir)
	tests := []struct{ target, want string }{
		{"/etc/mine", `"/etc/mine": the bundle has a file with other contents there, and is to get a copy of "` + src + `/f"`},
		{"/etc", `"/etc": the bundle has a directory there, and is to get a copy of`},
		{"/etc/mine/x", `"/etc/mine": the bundle has a file with other contents there, and is to get a directory`},
		{"/dangling", `rootfs: "/dangling": no such file or directory`},
		{"/dangling/x", `rootfs: "/dangling": no such file or directory`},
		{"/loop/x", `rootfs: "/loop": too many levels of symbolic links`},
		{"/proc/x", `"/proc/x" lies under /proc, over which the container mounts its own`},
		{"/same", ""},
	}
	for _, test := range tests {
		err := AddTo(dir, Contents{Copies: []Copy{{Source: src + "/f", Target: test.target}}}, nil)
		if test.want == "" {
			check(t, err)
		} else if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v; not %s", test.target, err, test.want)
		}
	}
	if diff := cmp.Diff(before, states(t, dir)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	for dir, want := range map[string]string{t.TempDir(): "config.json not found", "/no/such/bundle": "no such file or directory"} {
		if err := AddTo(dir, Contents{}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// SEC-56: links of a root file system that others made lead nowhere outside it.
func TestAddToStaysInsideTheRootFileSystem(t *testing.T) {
	t.Parallel()
	canary, src := t.TempDir(), hostOf(t, map[string]string{"/f": "f"})
	up := strings.Repeat("../", 20)
	dir, rootfs := bundleOf(t, map[string]string{
		"/absolute": "-> " + canary, "/up": "-> " + up + canary[1:], "/chain": "-> up/x", canary + "/x/there": "",
	})
	for _, target := range []string{"/absolute/f", "/up/g", "/up/../h", "/chain/i", "/absolute/x/../j", "/../../k"} {
		check(t, AddTo(dir, Contents{Copies: []Copy{{Source: src + "/f", Target: target}}}, nil))
	}
	if left := listing(t, canary); len(left) != 1 {
		t.Errorf("made outside: %v", left)
	}
	for _, name := range []string{"/f", "/g", "/x/i", "/j"} {
		if _, err := os.Lstat(rootfs + canary + name); err != nil {
			t.Error(err)
		}
	}
}

// A host whose /bin is a link, and a bundle whose /bin is a directory: each path still leads to the program.
func TestAddToFollowsTheBundlesDirectories(t *testing.T) {
	t.Parallel()
	host := hostOf(t, map[string]string{
		"/bin": "-> usr/bin", "/lib": "-> usr/lib", "/usr/bin/p": elfText(fake{interp: "/lib/ld.so", needed: []string{"liba.so"}}),
		"/usr/bin/q": "-> p", "/usr/lib/ld.so": "loader", "/usr/lib/liba.so": "-> liba.so.1", "/usr/lib/liba.so.1": elfText(fake{}),
	})
	dir, rootfs := bundleOf(t, map[string]string{"/bin/sh": "sh", "/lib/x": "x"})
	root, err := os.OpenRoot(rootfs)
	check(t, err)
	defer root.Close()
	tree := newTree(host)
	tree.present = root
	check(t, addProgram(tree, "/bin/q", 0))
	check(t, tree.lacks())
	check(t, tree.lay(root))
	for _, name := range []string{"/bin/q", "/lib/ld.so", "/lib/liba.so"} {
		got, err := os.ReadFile(rootfs + name)
		check(t, err)
		want, err := os.ReadFile(host + name)
		check(t, err)
		if string(got) != string(want) {
			t.Errorf("%s is another file", name)
		}
	}
	if info, err := os.Lstat(dir + "/rootfs/bin"); err != nil || !info.IsDir() {
		t.Errorf("/bin: %v, %v", info, err)
	}
}

func TestOwnersAreTheMappedOnes(t *testing.T) {
	t.Parallel()
	tree := newTree("")
	for i, id := range []int{0, 33, 70000} {
		check(t, tree.add(entry{path: "/" + string(rune('a'+i)), uid: id, gid: id}))
	}
	mapping := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 1}, {ContainerID: 1, HostID: 200000, Size: 65535}}
	tree.shiftOwners(&specs.Linux{UIDMappings: mapping, GIDMappings: mapping[:1]})
	var got [][2]int
	for _, e := range tree.entries {
		got = append(got, [2]int{e.uid, e.gid})
	}
	if diff := cmp.Diff([][2]int{{1000, 1000}, {200032, 33}, {70000, 70000}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAddToGivesFilesToWhomTheBundleMaps(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	dir := t.TempDir()
	check(t, os.Mkdir(dir+"/rootfs", 0o755))
	check(t, Write(dir, Rootless(4711, 4712, true)))
	check(t, AddTo(dir, Contents{With: []string{quiet(t, t.TempDir())}}, nil))
	entries, err := os.ReadDir(dir + "/rootfs")
	check(t, err)
	for _, e := range entries {
		info, err := e.Info()
		check(t, err)
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 4711 || st.Gid != 4712 {
			t.Errorf("%s: owner %d:%d", e.Name(), st.Uid, st.Gid)
		}
	}
	if len(entries) == 0 {
		t.Error("nothing was added")
	}
}

func TestAddToReadsTheRootPathOfTheConfiguration(t *testing.T) {
	t.Parallel()
	src := hostOf(t, map[string]string{"/f": "f"})
	dir, elsewhere := t.TempDir(), t.TempDir()
	add := func(root *specs.Root) error {
		config := Default(true)
		config.Root = root
		os.Remove(dir + "/config.json")
		check(t, Write(dir, config))
		return AddTo(dir, Contents{Copies: []Copy{{Source: src + "/f", Target: "/f"}}}, nil)
	}
	check(t, add(&specs.Root{Path: elsewhere}))
	if _, err := os.Stat(elsewhere + "/f"); err != nil {
		t.Error(err)
	}
	for want, root := range map[string]*specs.Root{
		`root.path: "` + dir + `/none": no such file or directory`: {Path: "none"},
		"root.path: ": {},
		"root":        nil,
	} {
		if err := add(root); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v; not %s", root, err, want)
		}
	}
	check(t, os.WriteFile(dir+"/config.json", []byte("{"), 0o644))
	if err := AddTo(dir, Contents{}, nil); err == nil || !strings.Contains(err.Error(), "config.json:1:") {
		t.Errorf("no JSON: %v", err)
	}
}

// FuzzAddTo holds that a file lies where the kernel finds it inside the root,
// wherever the links on its way lead, and that nothing is made outside.
func FuzzAddTo(f *testing.F) {
	for _, seed := range [][3]string{
		{"d", "u", "/abax"}, {"/d", "/d", "/abx"}, {"dc", "/dc", "/aux"}, {"db", "c", "/ax"}, {"uuc", "/uc", "/af"},
		{"d/./u/d", "d/", "/aubx"}, {"a", "b", "/ax"}, {"x", "f", "/dbx"}, {".", "/aaa", "/abb/"}, {"udub", "/d.", "/bax"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, a, b, target string) {
		a, b, target = pathOf(a), pathOf(b), pathOf(target)
		dir := t.TempDir()
		for _, d := range []string{"canary", "rootfs/d/d", "rootfs/d/canary"} {
			check(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
		}
		check(t, os.WriteFile(dir+"/rootfs/d/file", []byte("old"), 0o644))
		check(t, os.WriteFile(dir+"/new", []byte("new"), 0o644))
		check(t, Write(dir, Default(true)))
		if os.Symlink(a, dir+"/rootfs/a") != nil || os.Symlink(b, dir+"/rootfs/d/b") != nil {
			return
		}
		before := states(t, dir)
		err := AddTo(dir, Contents{Copies: []Copy{{Source: dir + "/new", Target: target}}}, nil)
		after := states(t, dir)
		for name, state := range after {
			if before[name] != state && (err != nil || before[name] != "" || !strings.HasPrefix(name, dir+"/rootfs/")) {
				t.Errorf("%s: was %q, is %q; %v", name, before[name], state, err)
			}
		}
		if err != nil || target == "" {
			return
		}
		if strings.HasSuffix(target, "/") {
			target += "new"
		}
		if text := insideRoot(t, dir+"/rootfs", target); text != "new" {
			t.Errorf("the kernel finds %q at %q", text, target)
		}
	})
}

// pathOf makes a path of letters, each of which stands for a name.
func pathOf(letters string) string {
	names := map[byte]string{'a': "a", 'b': "b", 'c': "canary", 'd': "d", 'f': "file", 'u': "..", '.': ".", '/': ""}
	var path []string
	for i := range min(len(letters), 12) {
		name, ok := names[letters[i]]
		if !ok {
			name = "x"
		}
		path = append(path, name)
	}
	return strings.Join(path, "/")
}

// insideRoot reads the file at a path as the kernel finds it with rootfs as root directory.
func insideRoot(t *testing.T, rootfs, name string) string {
	root, err := unix.Open(rootfs, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	check(t, err)
	defer unix.Close(root)
	fd, err := -1, error(unix.EAGAIN)
	for err == unix.EAGAIN { // ".." while something on the machine is renamed
		fd, err = unix.Openat2(root, name, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	}
	if err != nil {
		return err.Error()
	}
	defer unix.Close(fd)
	text := make([]byte, 16)
	n, _ := unix.Read(fd, text)
	return string(text[:max(n, 0)])
}
