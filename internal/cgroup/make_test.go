package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestMakeThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	g := newGroup(t, "/a")
	last := &g.Dirs[len(g.Dirs)-1]
	last.Path += "/a\nb" // which the kernel refuses
	err := g.Make()
	if want := "mkdir " + last.Path + ": invalid argument"; err == nil || err.Error() != want {
		t.Fatalf("err = %v, want %s", err, want)
	}
	last.Path = parent(last.Path)
	for _, d := range g.Dirs {
		if exists(parent(d.Path)) {
			t.Errorf("%s is still there", parent(d.Path))
		}
	}
}

func TestMakeSurvivesParentsThatVanish(t *testing.T) {
	t.Parallel()
	g := newGroup(t, "/a")
	for _, d := range g.Dirs {
		if err := unix.Mkdir(parent(d.Path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Survey(); err != nil {
		t.Fatal(err)
	}
	for _, d := range g.Dirs {
		unix.Rmdir(parent(d.Path))
	}
	if err := g.Make(); err != nil {
		t.Fatal(err)
	}
	if err := g.Remove(); err != nil || exists(parent(g.Dirs[0].Path)) {
		t.Errorf("err = %v, or the parent is still there", err)
	}
}

func TestAGroupThatWasThereIsUsedAndStays(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	same := &Group{Dirs: append([]Dir(nil), g.Dirs...)}
	for i := range same.Dirs {
		same.Dirs[i].Made = nil
	}
	if err := same.Make(); err != nil {
		t.Fatal(err)
	}
	if err := same.Fit(); err != nil {
		t.Errorf("empty: %v", err)
	}
	if err := same.Remove(); err != nil {
		t.Fatal(err)
	}
	for _, d := range g.Dirs {
		if !exists(d.Path) {
			t.Errorf("%s was removed by one who didn't make it", d.Path)
		}
	}
}

// tree is a directory that looks like version 2's, for what this machine's
// hierarchy has no controllers to show.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	top := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(top, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// UN-01
func TestControllersAreEnabledAlongThePath(t *testing.T) {
	t.Parallel()
	top := tree(t, map[string]string{
		"cgroup.subtree_control":       "cpu memory pids\n",
		"a/cgroup.subtree_control":     "memory\n",
		"a/b/cgroup.subtree_control":   "",
		"a/b/c/cgroup.subtree_control": "",
	})
	d := Dir{Hierarchy: Hierarchy{Mount: top, V2: true, Controllers: []string{"cpu", "memory", "pids"}}, Path: top + "/a/b/c"}
	if err := d.enable(); err != nil {
		t.Fatal(err)
	}
	got := []string{content(t, top+"/cgroup.subtree_control"), content(t, top+"/a/cgroup.subtree_control"), content(t, top+"/a/b/cgroup.subtree_control"), content(t, top+"/a/b/c/cgroup.subtree_control")}
	if d := cmp.Diff([]string{"cpu memory pids", "+cpu +pids", "+cpu +memory +pids", ""}, got); d != "" {
		t.Errorf("top, a, b, c (-want +got):\n%s", d)
	}
}

func TestNothingIsEnabledWhenAllIs(t *testing.T) {
	t.Parallel()
	top := tree(t, map[string]string{"a/cgroup.subtree_control": "cpu memory\n"}) // and none above to be read
	d := Dir{Hierarchy: Hierarchy{Mount: top, V2: true, Controllers: []string{"cpu", "memory"}}, Path: top + "/a/b"}
	if err := d.enable(); err != nil {
		t.Fatal(err)
	}
}

// Below one new parent, each finds its files, whoever enables them.
func TestControllersAreThereWhenManyBeginAtOnce(t *testing.T) {
	t.Parallel()
	g := newGroup(t, "/a").only("")
	if g == nil {
		t.Skip("no version 2")
	}
	w := Write{Controller: "cpuset", V2: true, File: "cpuset.cpus", Value: "0", Path: "x"}
	have := " " + content(t, parent(parent(g.Dirs[0].Path))+"/cgroup.controllers") + " "
	if !strings.Contains(have, " cpuset ") {
		w.Controller, w.File = "hugetlb", "hugetlb.2MB.max"
	}
	if !strings.Contains(have, " "+w.Controller+" ") || !exists("/sys/kernel/mm/hugepages/hugepages-2048kB") {
		t.Skip("neither controller is on version 2 here: cpuset, hugetlb")
	}
	for i := range 20 {
		errs := make(chan error)
		for j := range 6 {
			go func() {
				one := &Group{Dirs: []Dir{g.Dirs[0]}}
				one.Dirs[0].Path += strconv.Itoa(i) + "/" + strconv.Itoa(j)
				err := one.Make()
				if err == nil {
					err = one.Apply([]Write{w})
				}
				errs <- err
			}()
		}
		for range 6 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}

func TestADelegatedPartOfTheTreeServesWithoutRoot(t *testing.T) {
	l, err := Find()
	if err != nil || l.Base == "/" {
		t.Skip("nothing is delegated to us here")
	}
	denied, err := l.Group("/minirt-test-denied", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := denied.Make(); !errors.Is(err, ErrNoRights) {
		t.Errorf("at the top: %v, want ErrNoRights", err)
	}
	g, err := l.Group("", "test-"+strconv.Itoa(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Make(); err != nil {
		t.Fatal(err)
	}
	early, late, err := Compile(&specs.LinuxResources{Memory: &memory{Limit: p(int64(1 << 25))}}, l)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(early); err != nil {
		t.Error(err)
	}
	if err := g.Apply(late); !errors.Is(err, ErrNoRights) {
		t.Errorf("device program: %v, want ErrNoRights", err)
	}
	if err := g.Remove(); err != nil || exists(g.Dirs[0].Path) {
		t.Error(err)
	}
}
