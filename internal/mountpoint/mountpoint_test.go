package mountpoint

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// testRoot makes a root with entries: "dir/", "file", "link -> target".
func testRoot(t *testing.T, entries ...string) (root, canary string) {
	t.Helper()
	dir := t.TempDir()
	root, canary = dir+"/root", dir+"/canary"
	must(t, os.Mkdir(root, 0o755))
	must(t, os.Mkdir(canary, 0o700))
	must(t, os.WriteFile(canary+"/secret", nil, 0o600))
	for _, e := range entries {
		name, target, link := strings.Cut(e, " -> ")
		path := root + "/" + name
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch {
		case link:
			must(t, os.Symlink(strings.ReplaceAll(target, "CANARY", canary), path))
		case strings.HasSuffix(e, "/"):
			must(t, os.MkdirAll(path, 0o755))
		default:
			must(t, os.WriteFile(path, nil, 0o644))
		}
	}
	t.Cleanup(func() {
		list, err := os.ReadDir(canary)
		if err != nil || len(list) != 1 {
			t.Errorf("the canary has %v, %v", list, err)
		}
	})
	return root, canary
}

func lookAt(t *testing.T, root string, s *specs.Spec) (*rootfs.Facts, *Points, error) {
	t.Helper()
	f := &rootfs.Facts{Root: root, Bundle: filepath.Dir(root), MountNamespace: true}
	p, err := Look(s, f, os.Geteuid(), os.Getegid())
	if p != nil {
		t.Cleanup(func() { p.Close() })
	}
	return f, p, err
}

// SEC-06, SEC-56: whatever a path holds, it stays inside the root; what is
// missing is known, and what lies on earlier mounts is the stage's.
func TestPathsAreResolvedInsideTheRoot(t *testing.T) {
	root, canary := testRoot(t, "a/b/", "file", "link -> CANARY", "up -> ../../../../../../../..", "chain -> up/a", "loop -> loop",
		"etc/resolv.conf -> ../run/resolve/stub.conf", "abs -> /a/b", "v -> /vol/x", "deep/er -> ../a", "dangling -> nosuch/one")
	vol := filepath.Dir(root) + "/vol"
	must(t, os.MkdirAll(vol+"/x/y", 0o755))
	must(t, os.Symlink("/a", vol+"/out"))
	at := canary[1:]
	w := walker{layers: []layer{
		{path: "vol", ground: onBind, source: vol},
		{path: "mem", ground: onEmpty},
		{path: "proc", ground: onUnknown, fixed: true},
		{path: "o", ground: onUnknown},
	}}
	var err error
	w.root, err = unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(w.root)
	for path, want := range map[string]struct {
		rootfs.Place
		missing bool
		ground  ground
		err     error
	}{
		"":                          {Place: rootfs.Place{}},
		"..":                        {Place: rootfs.Place{}},
		"../":                       {Place: rootfs.Place{}},
		"a/..//":                    {Place: rootfs.Place{}},
		"a/b":                       {Place: rootfs.Place{Path: "a/b", Exists: 2}},
		"a/./b/../b/":               {Place: rootfs.Place{Path: "a/b", Exists: 2}},
		"link":                      {Place: rootfs.Place{Path: at, Exists: rootfs.Components(at)}, missing: true},
		"link/":                     {Place: rootfs.Place{Path: at, Exists: rootfs.Components(at)}, missing: true},
		"link/.":                    {Place: rootfs.Place{Path: at, Exists: rootfs.Components(at)}, missing: true},
		"link/..":                   {Place: rootfs.Place{Path: filepath.Dir(at), Exists: rootfs.Components(at) - 1}, missing: true},
		"up":                        {Place: rootfs.Place{}},
		"up/a":                      {Place: rootfs.Place{Path: "a", Exists: 1}},
		"chain/b":                   {Place: rootfs.Place{Path: "a/b", Exists: 2}},
		"abs":                       {Place: rootfs.Place{Path: "a/b", Exists: 2}},
		"abs/c":                     {Place: rootfs.Place{Path: "a/b/c", Exists: 3}, missing: true},
		"deep/er/b":                 {Place: rootfs.Place{Path: "a/b", Exists: 2}},
		"loop":                      {err: unix.ELOOP},
		"file/x":                    {err: unix.ENOTDIR},
		"file":                      {Place: rootfs.Place{Path: "file", Exists: 1}},
		"etc/resolv.conf":           {Place: rootfs.Place{Path: "run/resolve/stub.conf", Exists: 3}, missing: true},
		"dangling":                  {Place: rootfs.Place{Path: "nosuch/one", Exists: 2}, missing: true},
		"new/../a":                  {Place: rootfs.Place{Path: "a", Exists: 1}},
		"v/y":                       {Place: rootfs.Place{Path: "vol/x/y", Exists: 3}, ground: onBind},
		"v/y/z":                     {Place: rootfs.Place{Path: "vol/x/y/z", Exists: 3}, ground: onBind, missing: true},
		"vol/out/b":                 {Place: rootfs.Place{Path: "a/b", Exists: 2}},
		"vol/../../a":               {Place: rootfs.Place{Path: "a", Exists: 1}},
		"mem":                       {Place: rootfs.Place{Path: "mem", Exists: 1}, ground: onEmpty},
		"mem/a/b":                   {Place: rootfs.Place{Path: "mem/a/b", Exists: 1}, ground: onEmpty, missing: true},
		"mem/a/../../file":          {Place: rootfs.Place{Path: "file", Exists: 1}},
		"proc/self/fd/7":            {Place: rootfs.Place{Path: "proc/self/fd/7", Exists: 4, Unknown: true}, ground: onUnknown, missing: true},
		"o/a/b":                     {Place: rootfs.Place{Path: "o/a/b", Exists: 1, Unknown: true}, ground: onUnknown, missing: true},
		strings.Repeat("a/../", 50): {Place: rootfs.Place{}},
	} {
		s, err := w.walk(path, 0)
		if err != want.err {
			t.Errorf("%q: %v, want %v", path, err, want.err)
			continue
		}
		if err != nil {
			continue
		}
		w.close(s.fd)
		if d := cmp.Diff(want.Place, s.place()); d != "" || s.missing != want.missing || s.ground != want.ground {
			t.Errorf("%q: missing %v, ground %v (-want +got):\n%s", path, s.missing, s.ground, d)
		}
	}
	for path, options := range map[string]int{"abs": noLinks, "chain/b": noLinks} {
		if _, err := w.walk(path, options); err != unix.ELOOP {
			t.Errorf("%q without links: %v", path, err)
		}
	}
	if s, err := w.walk("abs", keepLast); err != nil || s.path != "abs" || s.mode&unix.S_IFMT != unix.S_IFLNK {
		t.Errorf("a last link isn't kept: %+v %v", s, err)
	} else {
		w.close(s.fd)
	}
}

func TestAPathLeadsThroughAtMost40Links(t *testing.T) {
	entries := []string{"d/"}
	for i := range 41 {
		name, target := "l"+string(rune('A'+i)), "l"+string(rune('A'+i+1))
		if i == 40 {
			target = "d"
		}
		entries = append(entries, name+" -> "+target)
	}
	root, _ := testRoot(t, entries...)
	w := walker{}
	var err error
	w.root, err = unix.Open(root, unix.O_PATH|unix.O_DIRECTORY, 0)
	must(t, err)
	defer unix.Close(w.root)
	if _, err := w.walk("lA", 0); err != unix.ELOOP {
		t.Errorf("41 links: %v", err)
	}
	s, err := w.walk("lB", 0)
	if err != nil || s.path != "d" {
		t.Errorf("40 links: %+v %v", s, err)
	}
	w.close(s.fd)
}

func bind(destination, source string) specs.Mount {
	return specs.Mount{Destination: destination, Source: source, Options: []string{"bind"}}
}

func TestMissingListsParentsFirst(t *testing.T) {
	root, _ := testRoot(t, "etc/resolv.conf -> ../run/resolve/stub.conf")
	s := &specs.Spec{Process: &specs.Process{Cwd: "/home/me"}, Mounts: []specs.Mount{
		{Destination: "/proc", Type: "proc"}, {Destination: "/dev", Type: "tmpfs"}, {Destination: "/dev/pts", Type: "devpts"},
		bind("/etc/resolv.conf", "/dev/null"), bind("/run/x", "/"), bind("/run/x/y/z", "/dev/null"), bind("/a b/c", "/")}}
	f, p, err := lookAt(t, root, s)
	must(t, err)
	want := []string{"dir proc", "dir dev", "dir run", "dir run/resolve", "file run/resolve/stub.conf", "dir run/x", "dir a b", "dir a b/c", "dir home", "dir home/me"}
	if d := cmp.Diff(want, p.Missing()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(rootfs.Place{Path: "run/x/y/z", Exists: 2}, f.Mounts[5].Place); d != "" || !f.Mounts[5].File {
		t.Error(d)
	}
	must(t, p.Make())
	must(t, os.WriteFile(root+"/home/me/mine", nil, 0o644))
	must(t, os.WriteFile(root+"/run/resolve/stub.conf", []byte("used"), 0o644))
	must(t, Remove(root, p.Missing()))
	var left []string
	must(t, filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		left = append(left, strings.TrimPrefix(path, root))
		return err
	}))
	if d := cmp.Diff([]string{"", "/etc", "/etc/resolv.conf", "/home", "/home/me", "/home/me/mine", "/run", "/run/resolve", "/run/resolve/stub.conf"}, left); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMakeUndoesWhatItMadeWhenItFails(t *testing.T) {
	root, _ := testRoot(t, "a/")
	s := &specs.Spec{Mounts: []specs.Mount{bind("/x/y", "/"), bind("/a/b/c", "/")}}
	_, p, err := lookAt(t, root, s)
	must(t, err)
	must(t, os.WriteFile(root+"/a/b", nil, 0o644)) // meanwhile
	if err := p.Make(); err == nil || !strings.Contains(err.Error(), `make "/a/b/c" on the root file system: not a directory`) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(root + "/x"); !errors.Is(err, os.ErrNotExist) {
		t.Error("/x was left behind")
	}
	if _, err := os.Stat(root + "/a/b"); err != nil {
		t.Error("somebody else's file was removed")
	}
}

// Remove follows nothing, and removes only what is of the kind that was made.
func TestRemoveRemovesOnlyWhatWasMade(t *testing.T) {
	root, canary := testRoot(t, "d/in", "f -> CANARY/secret", "l -> other", "n", "out -> CANARY", "e/")
	must(t, Remove(root, []string{"dir d", "file f", "link mine l", "node c 1:3 n", "file out/secret", "dir out", "file nosuch/x", "dir e", "file ../canary/secret", "nonsense", ""}))
	for _, name := range []string{"d/in", "f", "l", "n", "out"} {
		if _, err := os.Lstat(root + "/" + name); err != nil {
			t.Errorf("%s was removed", name)
		}
	}
	if _, err := os.Lstat(root + "/e"); err == nil {
		t.Error("e was not removed")
	}
	if _, err := os.Lstat(canary + "/secret"); err != nil {
		t.Error("the canary's secret was removed")
	}
	must(t, Remove(root+"/nosuch", []string{"dir d"}))
}

// SEC-16: the parent's own making, and its undoing, while a directory is
// exchanged for a link that leads out.
func TestSEC16MakeAndRemoveStayInsideTheRoot(t *testing.T) {
	root, _ := testRoot(t, "a/b/", "link -> CANARY")
	s := &specs.Spec{Mounts: []specs.Mount{bind("/a/b/c/d/e", "/"), bind("/a/secret", "/dev/null"), bind("/a/x", "/dev/null")}}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, root+"/a", unix.AT_FDCWD, root+"/link", unix.RENAME_EXCHANGE)
			}
		}
	})
	rounds := 500
	if os.Getenv("MINIRT_LONG") != "" {
		rounds = 5000
	}
	for range rounds {
		f := &rootfs.Facts{Root: root, Bundle: root, MountNamespace: true}
		p, err := Look(s, f, os.Geteuid(), os.Getegid())
		if err != nil {
			continue
		}
		p.Make()
		Remove(root, p.Missing())
		Remove(root, []string{"file a/secret", "dir a"})
		p.Close()
	}
	close(stop)
	wg.Wait()
}

func TestLookNamesWhatIsWrong(t *testing.T) {
	root, _ := testRoot(t, "proc -> /tmp/p", "tmp/p/", "p -> /proc2/sys", "toroot -> /", "file", "toproc -> /proc")
	for name, c := range map[string]struct {
		mounts []specs.Mount
		want   string
	}{
		"SEC-13":            {[]specs.Mount{{Destination: "/tmp", Type: "tmpfs"}, {Destination: "/proc", Type: "proc"}}, `mounts[1].destination: "/proc" must be an ordinary directory, and what leads there too, not a symbolic link`},
		"no source":         {[]specs.Mount{bind("/a", "/nosuch")}, `mounts[0].source: "/nosuch": no such file or directory`},
		"MT-05 no source":   {[]specs.Mount{bind("/a", "nosuch")}, `mounts[0].source: "nosuch": no such file or directory`},
		"leads to the root": {[]specs.Mount{{Destination: "/toroot", Type: "tmpfs"}}, `mounts[0].destination: "/toroot" leads to the root itself`},
		"through a file":    {[]specs.Mount{{Destination: "/file/x", Type: "tmpfs"}}, `mounts[0].destination: "/file/x": not a directory`},
		"SEC-05 a bind":     {[]specs.Mount{bind("/proc", "/tmp")}, `mounts[0].destination: "/proc" must be an ordinary directory, and what leads there too, not a symbolic link`},
	} {
		_, _, err := lookAt(t, root, &specs.Spec{Mounts: c.mounts})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	root, _ = testRoot(t, "proc/", "p -> /proc/sys", "q -> /proc")
	for name, c := range map[string]struct {
		mount specs.Mount
		want  string
	}{
		"SEC-05 a bind on /proc":        {bind("/proc", "/tmp"), `mounts[0].destination: "/tmp" is no procfs; nothing else can be bound on /proc`},
		"SEC-05 a link to /proc":        {specs.Mount{Destination: "/q", Type: "tmpfs"}, `mounts[0].destination: "/q" is /proc, where only a file system of type proc can be`},
		"SEC-31 a link to inside /proc": {bind("/p", "/tmp"), `mounts[0].destination: "/p" lies inside /proc, where nothing can be mounted but what lxcfs serves`},
	} {
		_, _, err := lookAt(t, root, &specs.Spec{Mounts: []specs.Mount{c.mount}})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, _, err := lookAt(t, root, &specs.Spec{Mounts: []specs.Mount{bind("/proc", "/proc")}}); err != nil {
		t.Errorf("a bind of a procfs on /proc: %v", err)
	}
	if _, _, err := lookAt(t, root+"/nosuch", &specs.Spec{}); err == nil || !strings.HasPrefix(err.Error(), "root.path: ") {
		t.Errorf("%v", err)
	}
}

func TestHolderFindsTheMountPoint(t *testing.T) {
	for dir, want := range map[string]string{"/proc/self": "/proc", "/proc": "/proc", "/": "/"} {
		if got, err := Holder(dir); err != nil || got != want {
			t.Errorf("%s: %q %v", dir, got, err)
		}
	}
	if _, err := Holder("/nosuch"); err == nil {
		t.Error("no error for a root that doesn't exist")
	}
}

func TestFullListsWholeProcAndSysfs(t *testing.T) {
	const info = `22 27 0:21 / /proc rw,relatime - proc proc rw
23 27 0:22 / /sys rw - sysfs sysfs rw
24 27 0:22 /fs /x rw - sysfs sysfs rw
25 27 0:21 / /a\040b/proc rw shared:1 - proc proc rw
26 27 0:21 / /root/proc rw shared:1 - proc proc rw
27 1 254:0 / / rw - ext4 /dev/vda rw
`
	if d := cmp.Diff([]string{"/a b/proc", "/sys", "/proc"}, full(info, "/root")); d != "" {
		t.Error(d)
	}
}

// What looking at an ordinary root costs.
func BenchmarkLook(b *testing.B) {
	root := b.TempDir()
	for _, d := range []string{"proc", "dev", "sys"} {
		if err := os.Mkdir(root+"/"+d, 0o755); err != nil {
			b.Fatal(err)
		}
	}
	s := &specs.Spec{Process: &specs.Process{Cwd: "/"}, Mounts: []specs.Mount{{Destination: "/proc", Type: "proc"}, {Destination: "/dev", Type: "tmpfs"}, {Destination: "/dev/pts", Type: "devpts"},
		{Destination: "/dev/shm", Type: "tmpfs"}, {Destination: "/dev/mqueue", Type: "mqueue"}, {Destination: "/sys", Type: "sysfs"}, {Destination: "/sys/fs/cgroup", Type: "cgroup"}}}
	b.ReportAllocs()
	for b.Loop() {
		p, err := Look(s, &rootfs.Facts{Root: root}, 0, 0)
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
}
