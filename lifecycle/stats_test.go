package lifecycle

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/cgroup"
)

// flat gives each value of a document by its path.
func flat(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var document any
	if err := json.Unmarshal(b, &document); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	values := map[string]any{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		m, ok := v.(map[string]any)
		if !ok {
			values[path] = v
		}
		for k, v := range m {
			walk(path+"."+k, v)
		}
		if ok && len(m) == 0 {
			values[path] = "{}"
		}
	}
	walk("", document)
	return values
}

// The figures have runc's names, whole, and where they are no moment's, its values.
func TestFiguresAreThoseOfRunc(t *testing.T) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Skip("the host has no runc")
	}
	p := newHost(t, func(c map[string]any) {
		c["linux"].(map[string]any)["resources"] = map[string]any{
			"memory": map[string]any{"limit": 64 << 20, "reservation": 32 << 20},
			"cpu":    map[string]any{"shares": 512, "quota": 50000, "period": 100000, "cpus": "0"},
			"pids":   map[string]any{"limit": 50},
		}
	})
	if p.limits()["pids.max"] != "50" {
		t.Skip("the host has no cgroups of version 1 with these controllers")
	}
	s, err := p.Stats("web")
	if err != nil {
		t.Fatal(err)
	}
	ours := flat(t, StatsEvent("web", s))
	config := filepath.Join(p.bundle, "config.json")
	b, err := os.ReadFile(config)
	if err == nil {
		err = os.WriteFile(config, []byte(strings.Replace(string(b), p.cgroup+"/web", p.cgroup+"/runc", 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(p.dir, "runc")
	quiet := func(args ...string) {
		c := exec.Command(runc, append([]string{"--root", root}, args...)...)
		if err := c.Run(); err != nil {
			t.Skip("this runc can't run the bundle: ", err)
		}
	}
	t.Cleanup(func() { exec.Command(runc, "--root", root, "delete", "--force", "web").Run(); reap() })
	quiet("run", "--detach", "--bundle", p.bundle, "web")
	out, err := exec.Command(runc, "--root", root, "events", "--stats", "web").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs := flat(t, out)
	momentary := func(path string) bool { // some are left out when they are zero
		for _, s := range []string{".cpu.usage.", ".throttling", ".memory.raw.", ".cache", ".usage.usage", ".max", ".swap.usage", ".kernel.usage", ".kernelTCP.usage", ".failcnt", ".blkio", ".psi.", ".hugetlb", ".pids.current"} {
			if strings.Contains(path, s) {
				return true
			}
		}
		return false
	}
	for path := range theirs {
		if _, ok := ours[path]; !ok && !(momentary(path) && !strings.Contains(path, ".raw.")) {
			t.Errorf("%s is missing", path)
		}
	}
	for path := range ours {
		if _, ok := theirs[path]; !ok && !momentary(path) {
			t.Errorf("%s is more than runc tells", path)
		}
		if momentary(path) {
			delete(ours, path)
			delete(theirs, path)
		}
	}
	for path := range theirs {
		if momentary(path) {
			delete(theirs, path)
		}
	}
	if diff := cmp.Diff(theirs, ours); diff != "" {
		t.Errorf("(-runc +minirt):\n%s", diff)
	}
}

// The figures of version 2, from files such as its kernels have.
func TestFiguresOfVersion2(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cpu.stat":                 "usage_usec 7\nuser_usec 4\nsystem_usec 3\nnr_periods 5\nnr_throttled 2\nthrottled_usec 9\n",
		"cpu.pressure":             "some avg10=1.50 avg60=0.25 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
		"memory.current":           "4096\n",
		"memory.max":               "8192\n",
		"memory.peak":              "5000\n",
		"memory.events":            "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n",
		"memory.stat":              "anon 100\nfile 200\n",
		"memory.swap.current":      "10\n",
		"memory.swap.max":          "20\n",
		"memory.swap.events":       "high 0\nmax 4\nfail 0\n",
		"memory.pressure":          "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=2\n",
		"pids.current":             "3\n",
		"pids.max":                 "max\n",
		"io.stat":                  "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n",
		"hugetlb.2MB.current":      "2097152\n",
		"hugetlb.2MB.events":       "max 6\n",
		"hugetlb.1GB.current":      "1\n",
		"hugetlb.1GB.events":       "max 0\n",
		"rdma.current":             "mlx4_0 hca_handle=2 hca_object=2000\n",
		"rdma.max":                 "mlx4_0 hca_handle=3 hca_object=max\n",
		"hugetlb.1GB.rsvd.current": "1073741824\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d := cgroup.Dir{Hierarchy: cgroup.Hierarchy{V2: true, Controllers: []string{"cpu", "cpuset", "memory", "pids", "io", "hugetlb", "rdma"}}, Path: dir}
	s := new(Stats)
	s.read2(dir, &d)
	const want = `{"cpu":{"usage":{"total":7000,"kernel":3000,"user":4000},"throttling":{"periods":5,"throttledPeriods":2,"throttledTime":9000},
		"psi":{"some":{"avg10":1.5,"avg60":0.25,"avg300":0,"total":77},"full":{"avg10":0,"avg60":0,"avg300":0,"total":5}}},
		"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},
		"memory":{"cache":200,"usage":{"limit":8192,"usage":4096,"max":5000,"failcnt":3},"swap":{"limit":8212,"usage":4106,"failcnt":4},
		"kernel":{"limit":0,"failcnt":0},"kernelTCP":{"limit":0,"failcnt":0},"raw":{"anon":100,"file":200},
		"psi":{"some":{"avg10":0,"avg60":0,"avg300":0,"total":1},"full":{"avg10":0,"avg60":0,"avg300":0,"total":2}}},
		"pids":{"current":3},
		"blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":1},{"major":8,"op":"Write","value":2}],"ioServicedRecursive":[{"major":8,"op":"Read","value":3},{"major":8,"op":"Write","value":4}]},
		"hugetlb":{"1GB":{"usage":1073741824,"failcnt":0},"2MB":{"usage":2097152,"failcnt":6}},
		"rdma":{"rdma_limit":[{"device":"mlx4_0","hca_handles":3,"hca_objects":4294967295}],"rdma_current":[{"device":"mlx4_0","hca_handles":2,"hca_objects":2000}]},
		"intel_rdt":{},"network_interfaces":null}`
	if diff := cmp.Diff(flat(t, []byte(want)), flat(t, s.AppendJSON(nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if u := swap2(dir, &MemoryUse{Limit: unlimited}); u.Limit != unlimited {
		t.Errorf("swap beside unlimited memory: %d", u.Limit)
	}
}
