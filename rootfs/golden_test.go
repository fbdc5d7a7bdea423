package rootfs

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "write the golden plans anew")

// Each testdata/NAME.json is a config, NAME.plan the plan of its file system:
// what a change does to the kernel's side shows in a review.
func TestPlansAreGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".json")
		t.Run(filepath.Base(name), func(t *testing.T) {
			s := readSpec(t, file)
			if faults, _ := Check(s); len(faults) > 0 {
				t.Fatal(faults)
			}
			f := Ordinary(s, "/bundle/rootfs", "/bundle")
			f.Holder = "/bundle"
			f.Cgroups = []Hierarchy{{"cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/minirt/web"}, {"pids", "/sys/fs/cgroup/pids/minirt/web"}}
			f.Aliases = []Alias{{"cpu", "cpu,cpuacct"}, {"cpuacct", "cpu,cpuacct"}}
			if strings.HasSuffix(name, "v2") {
				f.Cgroups, f.Aliases = []Hierarchy{{"", "/sys/fs/cgroup/minirt/web"}}, nil
			}
			for i := range s.Mounts {
				f.Mounts[i].File = strings.HasPrefix(s.Mounts[i].Source, "file")
				if IsCopyUp(&s.Mounts[i]) {
					f.Mounts[i].Tree = 7
				}
			}
			f.OpenTreeAttr = !strings.HasSuffix(name, "5.14")
			p := newGoldenPlan()
			Pivot(p, s, f, Enter(p, s, f))
			if err := p.Err(); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".plan", p.Text())
		})
	}
}

func readSpec(t testing.TB, file string) *specs.Spec {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := new(specs.Spec)
	if err := json.Unmarshal(b, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// Equal facts give the same plan, and a plan's registers are never left open.
func TestEveryDescriptorIsClosed(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		s := readSpec(t, file)
		f := Ordinary(s, "/bundle/rootfs", "/bundle")
		p := newGoldenPlan()
		Pivot(p, s, f, Enter(p, s, f))
		open := map[string]int{}
		for i := range p.Steps {
			name, call, ok := strings.Cut(p.Line(i), " = ")
			switch {
			case ok && open[name] > 0 && p.Steps[i].OnSuccess == 0 && !retry(p, i):
				t.Errorf("%s: step %d opens %s over an open one: %s", file, i, name, call)
			case ok:
				open[name] = 1
			case strings.HasPrefix(name, "close("):
				open[strings.TrimSuffix(strings.TrimPrefix(name, "close("), ")")] = 0
			}
		}
		for name, n := range open {
			if n > 0 && name != "root" {
				t.Errorf("%s: %s stays open", file, name)
			}
		}
	}
}

// retry tells whether step i is what an earlier one jumps over when it succeeds.
func retry(p *plan.Plan, i int) bool {
	for j := range i {
		if j+int(p.Steps[j].OnSuccess) >= i && p.Steps[j].OnSuccess > 0 {
			return true
		}
	}
	return false
}

func newGoldenPlan() *plan.Plan { return plan.New(plan.AMD64, 3) }
