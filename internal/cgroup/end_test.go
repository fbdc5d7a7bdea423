package cgroup

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// subgroups makes cgroups below, as a container with rights to its own does,
// and gives the groups; processes are started in each.
func subgroups(t *testing.T, g *Group, names ...string) {
	t.Helper()
	for _, name := range names {
		below, err := g.Below(nil, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range below.Dirs {
			if err := unix.Mkdir(d.Path, 0o755); err != nil {
				t.Fatal(err)
			}
			if !d.V2 && d.Has("cpuset") {
				if err := d.fill(d.Path); err != nil {
					t.Fatal(err)
				}
			}
		}
		start(t, below, "exec sleep 1000")
		inside(t, below, 1)
	}
}

// A container is killed and removed within a second, though it is frozen, and so
// are cgroups that it made.
func TestAFrozenGroupWithFrozenOnesBelowEndsWithinASecond(t *testing.T) {
	for name := range ways(made(t, "")) {
		t.Run(name, func(t *testing.T) {
			g := made(t, "")
			w := ways(g)[name]
			subgroups(t, g, "a", "a/b", "c")
			start(t, g, "exec sleep 1000")
			inside(t, g, 4)
			for _, sub := range []string{"/a/b", "/c", "/a", ""} {
				if d := w.freezer(); d != nil {
					s := &Group{Dirs: []Dir{*d}}
					s.Dirs[0].Path += sub
					if err := s.Freeze(); err != nil {
						t.Fatal(err)
					}
				}
			}
			t.Cleanup(func() { g.ThawAll() }) // or a test that fails would wait for them
			begin := time.Now()
			if err := w.Kill(unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if err := g.Remove(); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// 500 of them with MINIRT_LONG=1.
func TestOfManyGroupsWithProcessesBelowNoneIsLeft(t *testing.T) {
	rounds := 10
	if os.Getenv("MINIRT_LONG") != "" {
		rounds = 500
	}
	before := newGroup(t, "")
	top := before.Dirs
	for i := range rounds {
		g := &Group{Dirs: append([]Dir(nil), top...)}
		for j := range g.Dirs {
			g.Dirs[j].Path += "/" + strconv.Itoa(i)
		}
		if err := g.Make(); err != nil {
			t.Fatal(err)
		}
		subgroups(t, g, "a", "a/b")
		if i%2 == 1 {
			if err := g.Freeze(); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Kill(unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := g.Remove(); err != nil {
			t.Fatal(err)
		}
		for _, d := range g.Dirs {
			if exists(d.Path) {
				t.Fatalf("round %d: %s is left", i, d.Path)
			}
		}
	}
}

// Children go first, and who keeps one of them is named.
func TestRemoveNamesWhoIsInsideASubgroup(t *testing.T) {
	t.Parallel()
	g := made(t, "").only("")
	if g == nil {
		t.Skip("no version 2")
	}
	subgroups(t, g, "a", "a/b")
	begin := time.Now()
	err := g.Remove()
	if err == nil || !strings.HasPrefix(err.Error(), "rmdir "+g.Dirs[0].Path+"/a/b: process ") || !strings.HasSuffix(err.Error(), " is still inside: device or resource busy") {
		t.Errorf("err = %v", err)
	}
	if took := time.Since(begin); took > 2*removing {
		t.Errorf("it took %v", took)
	}
}

func TestAGroupThatNoProcessCanJoinIsNotFitAndSaysWhy(t *testing.T) {
	t.Parallel()
	g := made(t, "/a/b").only("")
	if g == nil {
		t.Skip("no version 2")
	}
	d := &g.Dirs[0]
	fit := func(made ...string) string {
		at := &Group{Dirs: []Dir{*d}}
		at.Dirs[0].Made = made
		if err := at.Fit(); err != nil {
			return strings.TrimPrefix(strings.ReplaceAll(err.Error(), d.Path, "DIR"), "join DIR: ")
		}
		return ""
	}
	got := []string{fit(d.Path), fit()}
	if len(d.Controllers) > 0 { // with controllers for those below
		if err := write(d.Path+"/cgroup.subtree_control", "+"+d.Controllers[0]); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Replace(fit(), d.Controllers[0], "C", 1))
		if err := write(d.Path+"/cgroup.subtree_control", "-"+d.Controllers[0]); err != nil {
			t.Fatal(err)
		}
	} else {
		got = append(got, "the controllers C are enabled for cgroups below it, so no process can be in this one: device or resource busy")
	}
	for _, c := range d.Controllers { // those of processes don't go with threads
		write(parent(d.Path)+"/cgroup.subtree_control", "-"+c)
		write(parent(parent(d.Path))+"/cgroup.subtree_control", "-"+c)
	}
	if err := write(parent(d.Path)+"/cgroup.type", "threaded"); err != nil {
		t.Fatal(err)
	}
	got = append(got, fit(d.Path))
	if err := write(d.Path+"/cgroup.type", "threaded"); err != nil {
		t.Fatal(err)
	}
	got = append(got, fit(d.Path))
	want := []string{"", "",
		"the controllers C are enabled for cgroups below it, so no process can be in this one: device or resource busy",
		"the cgroup above it is threaded, so no process can be in this one: operation not supported",
		"the cgroup is threaded, and has room for single threads only: operation not supported",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
