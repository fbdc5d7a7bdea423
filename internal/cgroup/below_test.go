package cgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// SEC-58
func TestBelowStaysBelow(t *testing.T) {
	g, err := v1Only.Group("/t/c1", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"..", "../c1-evil", "x/../../y", "/../x", "a/..", "a\x00"} {
		if b, err := g.Below(nil, sub); err == nil {
			t.Errorf("%q leads to %s", sub, b.Dirs[0].Path)
		}
	}
	if _, err := g.Below([]string{"nosuch"}, "x"); err == nil {
		t.Error("a controller that isn't there is accepted")
	}
	paths := func(controllers []string, sub string) []string {
		b, err := g.Below(controllers, sub)
		if err != nil {
			t.Fatal(err)
		}
		return []string{b.Dirs[0].Path, b.Dirs[2].Path, b.dir("name=systemd").Path}
	}
	if d := cmp.Diff([]string{"/sys/fs/cgroup/cpu,cpuacct/t/c1/x/y", "/sys/fs/cgroup/memory/t/c1/x/y", "/sys/fs/cgroup/systemd/t/c1/x/y"}, paths(nil, "/x/./y/")); d != "" {
		t.Errorf("all (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"/sys/fs/cgroup/cpu,cpuacct/t/c1/x", "/sys/fs/cgroup/memory/t/c1", "/sys/fs/cgroup/systemd/t/c1/x"}, paths([]string{"cpu", "cpuacct", "systemd"}, "x")); d != "" {
		t.Errorf("some (-want +got):\n%s", d)
	}
	if g.Dirs[0].Path != "/sys/fs/cgroup/cpu,cpuacct/t/c1" {
		t.Error("the group itself was changed")
	}
}
