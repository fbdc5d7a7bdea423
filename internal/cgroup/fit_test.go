package cgroup

import (
	"strconv"
	"strings"
	"testing"
)

// CG-07
func TestAGroupInUseIsNotFit(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	start(t, g, "sleep 60; :")
	list := inside(t, g, 2)
	if err := g.Fit(); err != nil {
		t.Errorf("made by us: %v", err)
	}
	for i := range g.Dirs {
		g.Dirs[i].Made = nil
	}
	if err := g.Fit(); err == nil || !strings.HasPrefix(err.Error(), "container's cgroup is not empty: "+strconv.Itoa(len(list))+" process(es) found") {
		t.Errorf("err = %v", err)
	}
}

func TestAFrozenGroupIsNotFit(t *testing.T) {
	t.Parallel()
	whole := made(t, "")
	for _, g := range []*Group{whole.only("freezer"), whole.only("")} {
		if g == nil {
			continue
		}
		g.Dirs[0].Made = nil
		if err := g.Freeze(); err != nil {
			t.Fatal(err)
		}
		if err := g.Fit(); err == nil || !strings.HasPrefix(err.Error(), "container's cgroup unexpectedly frozen") {
			t.Errorf("%s: err = %v", g.Dirs[0].Path, err)
		}
		if err := g.Thaw(); err != nil {
			t.Fatal(err)
		}
	}
}
