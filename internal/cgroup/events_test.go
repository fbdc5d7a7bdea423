package cgroup

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Version 2's memory.events, with a file in its place: each news is told once.
func TestKillsForMemoryAreToldOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "memory.events")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ready := func(fd int) bool {
		n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0
	}
	put("low 0\nhigh 1\nmax 9\noom 3\noom_kill 2\noom_group_kill 7\n")
	g := &Group{Dirs: []Dir{{Hierarchy: Hierarchy{V2: true, Controllers: []string{"memory"}}, Path: dir}}}
	o, err := g.WatchOOM()
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if ready(o.FD) || o.News() != 0 {
		t.Error("what was before is told")
	}
	put("max 20\noom_kill 4\n")
	if !ready(o.FD) {
		t.Error("nothing is told")
	}
	if n := o.News(); n != 2 {
		t.Errorf("%d, not 2", n)
	}
	if ready(o.FD) || o.News() != 0 {
		t.Error("it is told again")
	}
	put("max 21\noom_kill 4\n")
	if !ready(o.FD) || o.News() != 0 {
		t.Error("what is no kill is told")
	}
	if o, err := (&Group{Dirs: []Dir{{Path: dir}}}).WatchOOM(); o != nil || err != nil {
		t.Errorf("without a memory controller: %v, %v", o, err)
	}
	os.Remove(file)
	if _, err := g.WatchOOM(); err == nil {
		t.Error("no memory.events, and no error")
	}
}
