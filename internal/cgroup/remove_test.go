package cgroup

import (
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// LC-17
func TestRemoveLeavesWhatWasThere(t *testing.T) {
	t.Parallel()
	g := newGroup(t, "/a/b")
	for _, d := range g.Dirs {
		unix.Mkdir(parent(parent(d.Path)), 0o755)
	}
	if err := g.Make(); err != nil {
		t.Fatal(err)
	}
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	for _, d := range g.Dirs {
		if exists(parent(d.Path)) || !exists(parent(parent(d.Path))) {
			t.Errorf("%s should be gone, and the one above not", parent(d.Path))
		}
	}
}

func TestRemoveLeavesParentsThatOthersUse(t *testing.T) {
	t.Parallel()
	g := made(t, "/a")
	other := &Group{Dirs: append([]Dir(nil), g.Dirs...)}
	for i := range other.Dirs {
		other.Dirs[i].Path, other.Dirs[i].Made = parent(g.Dirs[i].Path)+"/b", nil
	}
	if err := other.Make(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("Remove took %v", took)
	}
	for _, d := range other.Dirs {
		if !exists(d.Path) {
			t.Errorf("%s is gone", d.Path)
		}
	}
	if err := other.Remove(); err != nil {
		t.Fatal(err)
	}
}

func TestRemoveWaitsForADyingProcess(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	cmd := start(t, g, "sleep 0.3; :")
	inside(t, g, 2)
	begin := time.Now()
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("it didn't wait: %v", took)
	}
	cmd.Wait()
	if exists(g.Dirs[0].Path) {
		t.Error("still there")
	}
}

func TestRemoveNamesWhoIsInside(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	cmd := start(t, g, "exec sleep 60")
	inside(t, g, 1)
	for content(t, "/proc/"+strconv.Itoa(cmd.Process.Pid)+"/comm") != "sleep" {
		time.Sleep(time.Millisecond)
	}
	begin := time.Now()
	err := g.Remove()
	want := "rmdir " + g.Dirs[0].Path + ": process " + strconv.Itoa(cmd.Process.Pid) + ` ("sleep") is still inside: device or resource busy`
	if err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
	if took := time.Since(begin); took > 2*removing {
		t.Errorf("it took %v", took)
	}
}

func TestRemoveTakesSubgroupsOfTheContainer(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	for _, d := range g.Dirs {
		for _, sub := range []string{"/x", "/x/y", "/x/y/z", "/w"} {
			if err := unix.Mkdir(d.Path+sub, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := g.Remove(); err != nil {
		t.Fatal(err)
	}
	for _, d := range g.Dirs {
		if exists(d.Path) {
			t.Errorf("%s is still there", d.Path)
		}
	}
}

func TestContainersWithOneParentDontDisturbEachOther(t *testing.T) {
	t.Parallel()
	g := newGroup(t, "/p/c").only("freezer")
	if g == nil {
		t.Skip("no freezer")
	}
	errs := make(chan error)
	for i := range 4 {
		go func() {
			var err error
			for range 50 {
				own := &Group{Dirs: []Dir{g.Dirs[0]}}
				own.Dirs[0].Path += strconv.Itoa(i)
				if err = own.Make(); err != nil {
					break
				}
				if err = own.Remove(); err != nil {
					break
				}
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
