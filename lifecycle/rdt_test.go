package lifecycle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/resctrl"
	"github.com/minirt/minirt/internal/resctrl/resctrltest"
)

// rdtProof is a place with a container's config that has linux.intelRdt, and a
// resctrl of ordinary files.
func rdtProof(t *testing.T, rdt string) (p *proof, root string) {
	t.Helper()
	p = newProof(t, []byte(`{"ociVersion":"1.3.0","process":{"args":["sleep","1000"],"cwd":"/","env":["PATH=/bin"],"user":{"uid":0,"gid":0}},
		"root":{"path":"rootfs"},"mounts":[{"destination":"/proc","type":"proc"},{"destination":"/dev","type":"tmpfs"}],
		"linux":{"namespaces":[{"type":"pid"},{"type":"mount"}],"intelRdt":`+rdt+`}}`))
	root, mountinfo := resctrltest.Tree(t)
	old := mountinfoFile
	mountinfoFile = mountinfo
	t.Cleanup(func() { mountinfoFile = old })
	return p, root
}

// IR-01, IR-06, IR-09, IR-11
func TestAContainerIsInItsGroupOfResctrlBeforeItsProgramRuns(t *testing.T) {
	p, root := rdtProof(t, `{"l3CacheSchema":"L3:0=f","enableMonitoring":true}`)
	before := entries(root)
	if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
		t.Fatal(err)
	}
	c, err := p.load("web")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	dir := filepath.Join(root, "web")
	want := RecordRdt{dir, dir + "/mon_groups/web", true}
	if diff := cmp.Diff(want, c.Rdt); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	for _, d := range []string{want.Dir, want.Monitor} {
		if b, err := os.ReadFile(d + "/tasks"); err != nil || string(b) != strconv.Itoa(c.Process.PID) {
			t.Errorf("%s/tasks: %q, %v", d, b, err)
		}
	}
	if c.plainDelete() {
		t.Error("delete would not come to resctrl")
	}
	if err := p.Start("web"); err != nil {
		t.Fatal(err)
	}
	if err := p.Update("web", Changes{MemBwSchema: "MB:0=50"}); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(dir + "/schemata"); !strings.HasPrefix(string(b), "MB:0=50\n") {
		t.Errorf("update: schemata %q", b)
	}
	s, err := p.Stats("web")
	if err != nil {
		t.Fatal(err)
	}
	var data struct {
		Rdt map[string]any `json:"intel_rdt"`
	}
	if err := json.Unmarshal(s.AppendJSON(nil), &data); err != nil {
		t.Fatal(err)
	}
	figures := map[string]any{
		"l3_cache_info":        map[string]any{"cbm_mask": "fffff", "min_cbm_bits": 1., "num_closids": 16.},
		"l3_cache_schema_root": "L3:0=fffff;1=fffff",
		"mem_bw_info":          map[string]any{"bandwidth_gran": 10., "delay_linear": 1., "min_bandwidth": 10., "num_closids": 8.},
		"mem_bw_schema_root":   "MB:0= 100;1= 100", "mem_bw_schema": "MB:0= 100;1= 100",
		"schemata":  []any{"MB:0=50", "=fffff;1=fffff", "MB:0= 100;1= 100"}, // a file that remembers the beginning of what it was told
		"mbm_stats": []any{map[string]any{"mbm_total_bytes": 7., "mbm_local_bytes": 0.}, map[string]any{"mbm_total_bytes": 7., "mbm_local_bytes": 0.}},
		"cmt_stats": []any{map[string]any{"llc_occupancy": 4096.}, map[string]any{"llc_occupancy": 4096.}},
	}
	if diff := cmp.Diff(figures, data.Rdt); diff != "" {
		t.Errorf("intel_rdt (-want +got):\n%s", diff)
	}
	if err := p.Delete("web", true); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, entries(root)); diff != "" {
		t.Errorf("delete leaves something (-before +after):\n%s", diff)
	}
}

// IR-02, IR-07, IR-08
func TestWhatResctrlCannotDoIsRefusedAndLeavesNothing(t *testing.T) {
	for _, c := range []struct{ name, rdt, want string }{
		{"no such group", `{"closID":"gold"}`, `linux.intelRdt.closID: "gold": resctrl has no such group`},
		{"another's schema", `{"closID":"/","memBwSchema":"MB:0=20"}`, `linux.intelRdt.memBwSchema: "MB:0=20" is not what the existing group "/" has: "MB:0= 100;1= 100" (config.json:`},
		{"the process can't be put in", `{"enableMonitoring":true}`, "linux.intelRdt: the container's process: join "},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, root := rdtProof(t, c.rdt)
			before, census := entries(root), p.census()
			if strings.Contains(c.name, "process") {
				mkdir := resctrl.Mkdir
				resctrl.Mkdir = func(path string, mode uint32) error {
					defer os.Remove(path + "/tasks")
					return mkdir(path, mode)
				}
			}
			err := p.Create("web", CreateOptions{Bundle: p.bundle})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, not %s", err, c.want)
			}
			if diff := cmp.Diff(before, entries(root)); diff != "" {
				t.Errorf("resctrl (-before +after):\n%s", diff)
			}
			p.nothingLeft(census, c.name)
		})
	}
	p, _ := rdtProof(t, `{"closID":"/"}`)
	if err := os.WriteFile(mountinfoFile, []byte("22 1 0:20 / /sys rw - sysfs sysfs rw\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err == nil || !strings.Contains(err.Error(), "linux.intelRdt: resctrl is not mounted") {
		t.Error(err)
	}
}
