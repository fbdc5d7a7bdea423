package cgroup

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAProcessJoinsEveryHierarchy(t *testing.T) {
	t.Parallel()
	g := made(t, "/x")
	cmd := start(t, g, "sleep 60; :")
	inside(t, g, 2)
	own := content(t, "/proc/"+strconv.Itoa(cmd.Process.Pid)+"/cgroup")
	for _, d := range g.Dirs {
		names := strings.Join(d.Controllers, ",")
		if d.V2 {
			names = ""
		}
		if want := ":" + names + ":" + strings.TrimPrefix(d.Path, d.Mount); !strings.Contains(own+"\n", want+"\n") {
			t.Errorf("no %s in\n%s", want, own)
		}
	}
}

func TestPidsOfSubgroups(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	sub := &Group{Dirs: append([]Dir(nil), g.Dirs...)}
	for i := range sub.Dirs {
		sub.Dirs[i].Path, sub.Dirs[i].Made = g.Dirs[i].Path+"/sub", nil
	}
	if err := sub.Make(); err != nil {
		t.Fatal(err)
	}
	cmd := start(t, sub, "exec sleep 60")
	inside(t, g, 1)
	if list, err := g.Pids(false); err != nil || len(list) != 0 {
		t.Errorf("Pids(false) = %v, %v", list, err)
	}
	if list, err := g.Pids(true); err != nil || len(list) != 1 || list[0] != cmd.Process.Pid {
		t.Errorf("Pids(true) = %v, %v", list, err)
	}
}

func TestAGroupThatIsGoneIsEmptyAndThawed(t *testing.T) {
	t.Parallel()
	whole := newGroup(t, "")
	for name, g := range ways(whole) {
		if list, err := g.Pids(true); err != nil || len(list) != 0 {
			t.Errorf("%s: Pids = %v, %v", name, list, err)
		}
		if f, err := g.Frozen(); err != nil || f {
			t.Errorf("%s: Frozen = %v, %v", name, f, err)
		}
		if err := g.Kill(unix.SIGKILL); err != nil {
			t.Errorf("%s: Kill = %v", name, err)
		}
		if err := g.Kill(unix.SIGTERM); err != nil {
			t.Errorf("%s: Kill = %v", name, err)
		}
		if err := g.Thaw(); err != nil {
			t.Errorf("%s: Thaw = %v", name, err)
		}
	}
}
