package cgroup

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// CG-08, CG-11, CG-12
func TestDelegateGivesAwayTheListedFilesOnly(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root gives away")
	}
	whole := made(t, "")
	g := whole.only("")
	if g == nil {
		t.Skip("no version 2")
	}
	if len(whole.Dirs) > 1 {
		if err := whole.Delegate(1234, 4321); err != nil {
			t.Fatal(err)
		}
		if owner(t, g.Dirs[0].Path) != 0 {
			t.Error("chown though version 1 is in use")
		}
	}
	if err := g.Delegate(1234, 4321); err != nil {
		t.Fatal(err)
	}
	listed := " cgroup.procs cgroup.subtree_control cgroup.threads "
	if b, err := os.ReadFile("/sys/kernel/cgroup/delegate"); err == nil {
		listed = " " + strings.Join(strings.Fields(string(b)), " ") + " "
	}
	if got := owner(t, g.Dirs[0].Path); got != 1234 {
		t.Errorf("the directory's owner is %d", got)
	}
	files, _ := os.ReadDir(g.Dirs[0].Path)
	for _, f := range files {
		want := uint32(0)
		if strings.Contains(listed, " "+f.Name()+" ") {
			want = 1234
		}
		if got := owner(t, g.Dirs[0].Path+"/"+f.Name()); got != want {
			t.Errorf("%s: owner %d, want %d", f.Name(), got, want)
		}
	}
}

func owner(t *testing.T, path string) uint32 {
	t.Helper()
	var s unix.Stat_t
	if err := unix.Lstat(path, &s); err != nil {
		t.Fatal(err)
	}
	return s.Uid
}
