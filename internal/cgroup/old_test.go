package cgroup

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestWhatAFileSaidIsWrittenAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, was, now string
		want           []string
	}{
		{"memory.max", "max\n", "max\n", nil},
		{"memory.max", "max\n", "4096\n", []string{"max"}},
		{"cpu.max", "max 100000\n", "5000 20000\n", []string{"max 100000"}},
		{"cpuset.cpus", "\n", "0-1\n", []string{""}},
		{"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill_disable 1\nunder_oom 0\noom_kill 4\n", []string{"0"}},
		{"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n", nil},
		{"cpuset.cpus.partition", "root invalid (Cpu list in cpuset.cpus not exclusive)\n", "member\n", []string{"root"}},
		{"io.max", "", "8:0 rbps=1 wbps=max riops=max wiops=max\n", []string{"8:0 rbps=max wbps=max riops=max wiops=max"}},
		{"io.max", "8:0 rbps=1 wbps=2 riops=max wiops=max\n8:16 rbps=3 wbps=max riops=max wiops=max\n", "8:0 rbps=9 wbps=2 riops=max wiops=max\n8:16 rbps=3 wbps=max riops=max wiops=max\n", []string{"8:0 rbps=1 wbps=2 riops=max wiops=max"}},
		{"io.weight", "default 100\n", "default 50\n8:0 70\n", []string{"8:0 default", "100"}},
		{"io.bfq.weight", "100\n", "200\n", []string{"100"}},
		{"blkio.throttle.read_bps_device", "8:0 5\n", "8:0 6\n8:16 7\n", []string{"8:16 0", "8:0 5"}},
		{"blkio.bfq.weight_device", "default 100\n", "default 300\n8:0 200\n", []string{"8:0 default"}},
		{"rdma.max", "mlx hca_handle=max hca_object=max\n", "mlx hca_handle=3 hca_object=max\n", []string{"mlx hca_handle=max hca_object=max"}},
		{"net_prio.ifpriomap", "lo 0\neth0 0\n", "lo 0\neth0 7\n", []string{"eth0 0"}},
	} {
		if d := cmp.Diff(tt.want, differences(tt.file, tt.was, tt.now)); d != "" {
			t.Errorf("%s: %q to %q (-want +got):\n%s", tt.file, tt.now, tt.was, d)
		}
	}
}

// settings are all files of the group that can be written and read, but for
// those that are no limits.
func settings(t *testing.T, g *Group) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, d := range g.Dirs {
		list, err := os.ReadDir(d.Path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			info, err := f.Info()
			if err != nil || info.Mode()&0o200 == 0 || !info.Mode().IsRegular() || strings.Contains(f.Name(), "pressure") {
				continue
			}
			if b, err := os.ReadFile(d.Path + "/" + f.Name()); err == nil {
				got[d.Name+"/"+f.Name()] = string(b)
			}
		}
	}
	return got
}

// An update of which the last write fails is taken back in all its files.
func TestAnUpdateThatFailsIsTakenBackInEveryFile(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	if g.dir("memory") == nil || g.dir("cpu") == nil {
		t.Skip("no memory or cpu controller")
	}
	update := func(r *specs.LinuxResources, more ...Write) ([]Old, error) {
		ws, err := Update(r, g.Layout())
		if err != nil {
			t.Fatal(err)
		}
		ws = append(ws, more...)
		old := g.Old(ws)
		return old, g.Apply(ws)
	}
	rate := func(n uint64) []specs.LinuxThrottleDevice {
		return []specs.LinuxThrottleDevice{{LinuxBlockIODevice: someDisk(t), Rate: n}}
	}
	resources := func(n int64, throttle bool) *specs.LinuxResources {
		r := &specs.LinuxResources{
			Memory: &memory{Limit: p(n << 20), Swap: p(n << 21), Reservation: p(n << 19)},
			CPU:    &cpu{Shares: p(uint64(n)), Quota: p(n * 1000), Period: p(uint64(n * 2000)), Burst: p(uint64(n * 10))},
			Pids:   &specs.LinuxPids{Limit: &n},
		}
		if throttle && (g.dir("blkio") != nil || g.dir("io") != nil) {
			r.BlockIO = &specs.LinuxBlockIO{ThrottleReadBpsDevice: rate(uint64(n)), ThrottleWriteIOPSDevice: rate(uint64(n))}
		}
		if g.v2() != nil {
			r.Unified = map[string]string{"cgroup.max.depth": number(n)}
		}
		if d := g.dir("cpuset"); d != nil {
			r.CPU.Cpus, r.CPU.Mems = "0", "0"
		}
		return r
	}
	bad := Write{Controller: "cpu", File: "cpu.idle", Value: "7", Path: "linux.resources.cpu.idle"}
	for _, tt := range []struct{ first, then int64 }{{0, 64}, {32, 64}, {64, 32}} {
		if tt.first != 0 {
			if _, err := update(resources(tt.first, true)); err != nil {
				t.Fatal(err)
			}
		}
		before := settings(t, g)
		r := resources(tt.then, true)
		idle := int64(1)
		if tt.first == 32 { // on an idle cgroup shares read as nothing that could be written
			r.CPU.Shares, r.CPU.Idle = nil, &idle
		}
		old, err := update(r, bad)
		if err == nil || !strings.HasPrefix(err.Error(), "linux.resources.cpu.idle: 7: write ") {
			t.Fatalf("err = %v", err)
		}
		if cmp.Equal(before, settings(t, g)) {
			t.Error("nothing was written: this test shows nothing")
		}
		if err := Restore(old); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(before, settings(t, g)); d != "" {
			t.Errorf("from %d to %d (-before +after):\n%s", tt.first, tt.then, d)
		}
	}
}

// someDisk is the number of a block device that the machine has.
func someDisk(t *testing.T) (d specs.LinuxBlockIODevice) {
	t.Helper()
	list, _ := os.ReadDir("/sys/block")
	for _, f := range list {
		b, err := os.ReadFile("/sys/block/" + f.Name() + "/dev")
		if major, minor, ok := strings.Cut(strings.TrimSpace(string(b)), ":"); err == nil && ok {
			d.Major, d.Minor = parseAny(major), parseAny(minor)
			return d
		}
	}
	t.Skip("no block device")
	return d
}
