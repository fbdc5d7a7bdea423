package lifecycle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// limits reads what the cgroups of version 1 say.
func (p *proof) limits() map[string]string {
	values := map[string]string{}
	for _, h := range hierarchies() {
		for _, f := range []string{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares", "pids.max", "devices.list"} {
			if b, err := os.ReadFile(filepath.Join(h+p.cgroup, "web", f)); err == nil {
				values[f] = strings.TrimSpace(string(b))
			}
		}
	}
	return values
}

func TestUpdateLeavesWhatItIsNotTold(t *testing.T) {
	p := newHost(t, func(c map[string]any) {
		c["linux"].(map[string]any)["resources"] = map[string]any{"memory": map[string]any{"limit": 64 << 20}, "pids": map[string]any{"limit": 50}}
	})
	want := p.limits()
	if want["pids.max"] != "50" || want["cpu.cfs_period_us"] == "" {
		t.Skip("the host has no cgroups of version 1 with these controllers")
	}
	update := func(document string) error {
		var r specs.LinuxResources
		if err := json.Unmarshal([]byte(document), &r); err != nil {
			t.Fatal(err)
		}
		return p.Update("web", Changes{Resources: &r})
	}
	for _, c := range []struct {
		document string
		changes  map[string]string
	}{
		{`{}`, nil},
		// Docker's: zeros for all that is as it was
		{`{"memory":{"limit":0,"reservation":0,"swap":0,"kernel":0},"cpu":{"shares":0,"quota":25000,"period":50000},"blockIO":{"weight":0},"pids":{"limit":0}}`,
			map[string]string{"cpu.cfs_quota_us": "25000", "cpu.cfs_period_us": "50000"}},
		{`{"cpu":{"quota":30000}}`, map[string]string{"cpu.cfs_quota_us": "30000"}},
		// CRI's: device rules without what is allowed
		{`{"devices":[{"allow":false,"access":"rwm"}],"pids":{"limit":60}}`, map[string]string{"pids.max": "60"}},
		{`{"pids":{"limit":-1}}`, map[string]string{"pids.max": "max"}},
		{`{"memory":{"limit":33554432}}`, map[string]string{"memory.limit_in_bytes": "33554432"}},
	} {
		for k, v := range c.changes {
			want[k] = v
		}
		if err := update(c.document); err != nil {
			t.Errorf("%s: %v", c.document, err)
		}
		if diff := cmp.Diff(want, p.limits()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.document, diff)
		}
	}
	if err := update(`{"pids":{"limit":7},"cpu":{"quota":20000,"cpus":"9999"}}`); err == nil || !strings.Contains(err.Error(), "9999") {
		t.Errorf("a CPU that isn't there: %v", err)
	}
	if diff := cmp.Diff(want, p.limits()); diff != "" {
		t.Errorf("a refused update leaves something (-want +got):\n%s", diff)
	}
	if s, err := p.Stats("web"); err != nil || s.PIDs != 1 || s.CPU.Total == 0 || s.Memory.Usage == 0 || !json.Valid(s.AppendJSON(nil)) {
		t.Errorf("Stats: %+v, %v", s, err)
	}
	if err := p.Kill("web", int(unix.SIGKILL), false); err != nil {
		t.Fatal(err)
	}
	p.ends("web")
	if err := update(`{}`); err == nil || !strings.Contains(err.Error(), ErrNotRunning.Error()) {
		t.Errorf("update of a stopped container: %v", err)
	}
	if _, err := p.Stats("web"); err == nil || !strings.Contains(err.Error(), "container with id web is not running") {
		t.Errorf("stats of a stopped container: %v", err)
	}
}
