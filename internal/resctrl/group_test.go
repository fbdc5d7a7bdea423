package resctrl_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/resctrl"
	"github.com/minirt/minirt/internal/resctrl/resctrltest"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// groups are the schemata of all groups, and the names of the monitoring groups.
func groups(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	dirs := []string{""}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "info" && e.Name() != "mon_data" && e.Name() != "mon_groups" {
			dirs = append(dirs, e.Name())
		}
	}
	for _, d := range dirs {
		b, err := os.ReadFile(filepath.Join(root, d, "schemata"))
		if err != nil {
			t.Fatal(err)
		}
		found["/"+d] = string(b)
		monitors, _ := os.ReadDir(filepath.Join(root, d, "mon_groups"))
		for _, m := range monitors {
			found["/"+d+" monitors "+m.Name()] = ""
		}
	}
	return found
}

// IR-04 to IR-11. The files of the fake are ordinary ones: what is written last
// covers the beginning of what was there, so the texts show the order of writes.
func TestAGroupIsMadeJoinedAndTakenBackAsTheSpecSays(t *testing.T) {
	const l3, mb = "L3:0=f;1=fffff", "MB:0=20;1=100"
	fresh := resctrltest.Schemata
	after := func(lines ...string) string {
		b := []byte(fresh)
		for _, l := range lines {
			copy(b, l+"\n")
		}
		return string(b)
	}
	for _, c := range []struct {
		name    string
		rdt     specs.LinuxIntelRdt
		exists  []string
		refused string            // the path in config.json
		made    map[string]string // while the container lives
		left    map[string]string // after delete; made, if nil
	}{
		{"nothing asked for", specs.LinuxIntelRdt{}, nil, "", map[string]string{"/": fresh, "/web": fresh}, map[string]string{"/": fresh}},
		{"the cache", specs.LinuxIntelRdt{L3CacheSchema: l3}, nil, "", map[string]string{"/": fresh, "/web": after(l3)}, map[string]string{"/": fresh}},
		{"all, in order", specs.LinuxIntelRdt{Schemata: []string{"L2:0=1"}, MemBwSchema: mb, L3CacheSchema: l3}, nil, "",
			map[string]string{"/": fresh, "/web": after(l3, mb, "L2:0=1")}, map[string]string{"/": fresh}},
		{"a directory with the same name stays", specs.LinuxIntelRdt{MemBwSchema: mb}, []string{"web"}, "", map[string]string{"/": fresh, "/web": after(mb)}, nil},
		{"closID alone", specs.LinuxIntelRdt{ClosID: "gold"}, []string{"gold"}, "", map[string]string{"/": fresh, "/gold": fresh}, nil},
		{"closID alone, and nobody's", specs.LinuxIntelRdt{ClosID: "gold"}, nil, "linux.intelRdt.closID", nil, nil},
		{"closID that is made, and stays", specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: l3}, nil, "", map[string]string{"/": fresh, "/gold": after(l3)}, nil},
		{"closID that has it already", specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=fffff;1=fffff"}, []string{"gold"}, "",
			map[string]string{"/": fresh, "/gold": after("L3:0=fffff;1=fffff")}, nil},
		{"closID that has another cache", specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: l3}, []string{"gold"}, "linux.intelRdt.l3CacheSchema", nil, nil},
		{"closID that has another bandwidth", specs.LinuxIntelRdt{ClosID: "gold", MemBwSchema: mb}, []string{"gold"}, "linux.intelRdt.memBwSchema", nil, nil},
		{"the default group", specs.LinuxIntelRdt{ClosID: "/"}, nil, "", map[string]string{"/": fresh}, nil},
		{"a name of resctrl's", specs.LinuxIntelRdt{ClosID: "info"}, nil, "linux.intelRdt.closID", nil, nil},
		{"monitored", specs.LinuxIntelRdt{EnableMonitoring: true}, nil, "", map[string]string{"/": fresh, "/web": fresh, "/web monitors web": ""}, map[string]string{"/": fresh}},
		{"monitored in a group that stays", specs.LinuxIntelRdt{ClosID: "/", EnableMonitoring: true}, nil, "", map[string]string{"/": fresh, "/ monitors web": ""}, map[string]string{"/": fresh}},
		{"monitored by another already", specs.LinuxIntelRdt{ClosID: "gold", EnableMonitoring: true}, []string{"gold", "gold/mon_groups/web"}, "linux.intelRdt.enableMonitoring", nil, nil},
		{"no monitoring group left", specs.LinuxIntelRdt{ClosID: "gold", EnableMonitoring: true}, []string{"gold", "gold/mon_groups/a", "gold/mon_groups/b"}, "linux.intelRdt.enableMonitoring", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, mountinfo := resctrltest.Tree(t)
			for _, d := range c.exists {
				if err := resctrl.Mkdir(filepath.Join(root, d), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			before := groups(t, root)
			b, err := os.ReadFile(mountinfo)
			if err != nil || resctrl.Find(b) != root {
				t.Fatal(err, resctrl.Find(b))
			}
			try := func() (*resctrl.Group, error) {
				g := resctrl.New(root, "web", &c.rdt)
				if err := g.Look(); err != nil {
					return g, err
				}
				return g, g.Make()
			}
			g, err := try()
			if (err == nil) != (c.refused == "") || err != nil && !strings.HasPrefix(err.Error(), c.refused+": ") {
				t.Errorf("refused by %v, not by %q", err, c.refused)
			}
			if err := g.Undo(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(before, groups(t, root)); diff != "" {
				t.Errorf("Undo (-before +after):\n%s", diff)
			}
			if c.refused != "" {
				return
			}
			if g, err = try(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.made, groups(t, root)); diff != "" {
				t.Errorf("made (-want +got):\n%s", diff)
			}
			if err := resctrl.Join(g.Dir, g.Monitor, 4711); err != nil {
				t.Error(err)
			}
			for _, d := range []string{g.Dir, g.Monitor} {
				if b, _ := os.ReadFile(filepath.Join(d, "tasks")); d != "" && string(b) != "4711" {
					t.Errorf("%s/tasks: %q", d, b)
				}
			}
			if err := resctrl.Remove(g.Dir, g.Monitor, g.Own); err != nil {
				t.Error(err)
			}
			if c.left == nil {
				c.left = c.made
			}
			if diff := cmp.Diff(c.left, groups(t, root)); diff != "" {
				t.Errorf("left (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAGroupThatTheMachineHasNoRoomForIsRefusedAndTakenBack(t *testing.T) {
	root, _ := resctrltest.Tree(t)
	before := groups(t, root)
	for name, c := range map[string]struct {
		errno   unix.Errno
		monitor bool
		want    string
	}{
		"classes":  {unix.ENOSPC, false, "no class of service left"},
		"monitors": {unix.EPERM, true, "can't monitor"},
	} {
		t.Run(name, func(t *testing.T) {
			mkdir := resctrl.Mkdir
			defer func() { resctrl.Mkdir = mkdir }()
			resctrl.Mkdir = func(path string, mode uint32) error {
				if c.monitor == (filepath.Base(filepath.Dir(path)) == "mon_groups") {
					return c.errno
				}
				return mkdir(path, mode)
			}
			g := resctrl.New(root, "web", &specs.LinuxIntelRdt{EnableMonitoring: c.monitor})
			if err := g.Look(); err != nil {
				t.Fatal(err)
			}
			if err := g.Make(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
			if err := g.Undo(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(before, groups(t, root)); diff != "" {
				t.Errorf("left (-before +after):\n%s", diff)
			}
		})
	}
}

func TestAGroupThatOthersHaveJoinedIsNotTakenBack(t *testing.T) {
	root, _ := resctrltest.Tree(t)
	g := resctrl.New(root, "web", &specs.LinuxIntelRdt{ClosID: "gold", L3CacheSchema: "L3:0=f"})
	if err := g.Look(); err != nil {
		t.Fatal(err)
	}
	if err := g.Make(); err != nil {
		t.Fatal(err)
	}
	if err := resctrl.Join(g.Dir, "", 1); err != nil {
		t.Fatal(err)
	}
	if err := g.Undo(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(g.Dir); err != nil {
		t.Error(err)
	}
}
