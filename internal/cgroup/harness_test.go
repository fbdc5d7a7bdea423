package cgroup

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var tests atomic.Int32

// newGroup is a cgroup of the test's own, not yet made, gone after the test.
func newGroup(t testing.TB, below string) *Group {
	t.Helper()
	l, err := Find()
	if err != nil {
		t.Skip("no cgroups here: ", err)
	}
	base := strings.TrimSuffix(l.Base, "/") // an ordinary user's is what was delegated
	top := base + "/minirt-test-" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(int(tests.Add(1)))
	g, err := l.Group(top+below, "")
	if err != nil {
		t.Fatal(err)
	}
	if unix.Access(g.Dirs[0].Mount+base, unix.W_OK) != nil {
		t.Skip("no right to make cgroups")
	}
	t.Cleanup(func() {
		g.Kill(unix.SIGKILL)
		for _, h := range l.Hierarchies {
			if err := removeTree(h.Mount+top, time.Now().Add(removing)); err != nil {
				t.Error("left behind: ", err)
			}
		}
	})
	return g
}

func made(t testing.TB, below string) *Group {
	t.Helper()
	g := newGroup(t, below)
	if err := g.Make(); err != nil {
		t.Fatal(err)
	}
	return g
}

// only is the group with the directories of one controller, or of version 2.
func (g *Group) only(controller string) *Group {
	d := g.dir(controller)
	if controller == "" {
		d = g.v2()
	}
	if d == nil {
		return nil
	}
	return &Group{Dirs: []Dir{*d}}
}

func content(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// start runs a shell script inside the group: version 1 by writing 0 to the
// tasks files, version 2 by CLONE_INTO_CGROUP, as the stage does.
func start(t testing.TB, g *Group, script string) *exec.Cmd {
	t.Helper()
	v1, v2, err := g.Tasks()
	if err != nil {
		t.Fatal(err)
	}
	join := ""
	cmd := exec.Command("/bin/bash", "-c")
	for i, fd := range v1 {
		n := strconv.Itoa(3 + i)
		join += "echo 0 >&" + n + "; exec " + n + ">&-; "
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "tasks"))
	}
	cmd.Args = append(cmd.Args, join+script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if v2 >= 0 {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, v2
	}
	err = cmd.Start()
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	if v2 >= 0 {
		unix.Close(v2)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// inside waits until n processes are in the group, and have joined all of its
// hierarchies, which they do one after the other.
func inside(t testing.TB, g *Group, n int) []int {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		list, err := g.Pids(true)
		if err != nil {
			t.Fatal(err)
		}
		least := len(list)
		for i := range g.Dirs {
			joined, err := (&Group{Dirs: g.Dirs[i : i+1]}).Pids(true)
			if err != nil {
				t.Fatal(err)
			}
			least = min(least, len(joined))
		}
		if least >= n && n > 0 || len(list) == 0 && n == 0 {
			return list
		}
		if time.Now().After(end) {
			t.Fatalf("%d processes inside, want %d", len(list), n)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// ways are the group by hybrid, and by each version alone.
func ways(g *Group) map[string]*Group {
	w := map[string]*Group{"all": g}
	if f := g.only("freezer"); f != nil && g.v2() != nil {
		w["freezer only"], w["version 2 only"] = f, g.only("")
		w["no freezer"] = &Group{Dirs: []Dir{*g.dir("memory")}}
	}
	return w
}
