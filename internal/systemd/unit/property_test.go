package unit

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/internal/cgroup"
)

var (
	v2 = &cgroup.Layout{Base: "/", Hierarchies: []cgroup.Hierarchy{
		{Mount: "/sys/fs/cgroup", V2: true, Controllers: []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"}},
	}}
	v1 = &cgroup.Layout{Base: "/", Hierarchies: []cgroup.Hierarchy{
		{Name: "cpu,cpuacct", Controllers: []string{"cpu", "cpuacct"}}, {Name: "cpuset", Controllers: []string{"cpuset"}},
		{Name: "memory", Controllers: []string{"memory"}}, {Name: "devices", Controllers: []string{"devices"}},
		{Name: "blkio", Controllers: []string{"blkio"}}, {Name: "pids", Controllers: []string{"pids"}},
	}}
)

func of[T any](v T) *T { return &v }

// values are the properties by name, of all writes that resources ask for.
func values(t *testing.T, r *specs.LinuxResources, l *cgroup.Layout) map[string]any {
	t.Helper()
	early, late, err := cgroup.Compile(r, l)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{}
	for _, p := range Properties(append(early, late...)) {
		if !p.Files || p.Path == "" {
			t.Errorf("%v: no file stands in for it, or no place asks for it", p)
		}
		m[p.Name] = p.Value
	}
	if list, ok := m["DeviceAllow"].([]Device); ok { // in any order
		sortDevices(list)
	}
	return m
}

func sortDevices(list []Device) []Device {
	slices.SortFunc(list, func(a, b Device) int { return strings.Compare(a.Node, b.Node) })
	return list
}

func TestPropertiesSayWhatTheFilesSay(t *testing.T) {
	t.Parallel()
	const none = uint64(math.MaxUint64)
	all := &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: of(int64(1 << 25)), Reservation: of(int64(1 << 24)), Swap: of(int64(3 << 24))},
		CPU:    &specs.LinuxCPU{Shares: of(uint64(512)), Quota: of(int64(33333)), Period: of(uint64(50000)), Cpus: "0,2-3,8", Mems: "0"},
		Pids:   &specs.LinuxPids{Limit: of(int64(7))}, BlockIO: &specs.LinuxBlockIO{Weight: of(uint16(500))},
	}
	for _, tt := range []struct {
		name   string
		layout *cgroup.Layout
		r      *specs.LinuxResources
		want   map[string]any
	}{
		{"version 2", v2, all, map[string]any{
			"MemoryMax": uint64(1 << 25), "MemoryLow": uint64(1 << 24), "MemorySwapMax": uint64(1 << 24), "CPUWeight": uint64(59),
			"CPUQuotaPerSecUSec": uint64(670000), "CPUQuotaPeriodUSec": uint64(50000), "AllowedCPUs": []byte{0b1101, 1}, "AllowedMemoryNodes": []byte{1},
			"TasksMax": uint64(7), "IOWeight": uint64(4950),
		}},
		{"version 1", v1, all, map[string]any{
			"MemoryLimit": uint64(1 << 25), "CPUShares": uint64(512), "CPUQuotaPerSecUSec": uint64(670000), "CPUQuotaPeriodUSec": uint64(50000),
			"AllowedCPUs": []byte{0b1101, 1}, "AllowedMemoryNodes": []byte{1}, "TasksMax": uint64(7), "BlockIOWeight": uint64(500),
			"DevicePolicy": "strict", "DeviceAllow": defaultAllowed,
		}},
		{"none of them", v2, nil, map[string]any{}},
		{"unlimited", v2, &specs.LinuxResources{
			Memory: &specs.LinuxMemory{Limit: of(int64(-1)), Swap: of(int64(-1))}, CPU: &specs.LinuxCPU{Quota: of(int64(-1))}, Pids: &specs.LinuxPids{Limit: of(int64(-1))},
		}, map[string]any{"MemoryMax": none, "MemorySwapMax": none, "CPUQuotaPerSecUSec": none, "TasksMax": none}},
		{"no tasks at all", v2, &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: of(int64(0))}}, map[string]any{"TasksMax": uint64(1)}},
		{"idle, whatever the weight", v2, &specs.LinuxResources{CPU: &specs.LinuxCPU{Idle: of(int64(1)), Shares: of(uint64(512))}}, map[string]any{"CPUWeight": uint64(0)}},
		{"unified", v2, &specs.LinuxResources{Unified: map[string]string{
			"memory.high": "1048576", "memory.min": "max", "cpu.max": "20000", "cpu.weight": "7", "io.weight": "default 77", "hugetlb.2MB.max": "0",
			"memory.oom.group": "1", "io.max": "8:0 rbps=1", "cpuset.cpus": "1",
		}}, map[string]any{
			"MemoryHigh": uint64(1 << 20), "MemoryMin": none, "CPUQuotaPerSecUSec": uint64(200000), "CPUWeight": uint64(7), "IOWeight": uint64(77),
			"OOMPolicy": "kill", "AllowedCPUs": []byte{2},
		}},
		{"the last counts", v2, &specs.LinuxResources{
			Memory: &specs.LinuxMemory{Limit: of(int64(1 << 25))}, Unified: map[string]string{"memory.max": "4096"},
		}, map[string]any{"MemoryMax": uint64(4096)}},
		{"what only the kernel can judge", v2, &specs.LinuxResources{Unified: map[string]string{"memory.max": "1G", "cpu.max": "x y", "cpuset.cpus": "3-x", "pids.max": "-7"}}, map[string]any{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, values(t, tt.r, tt.layout)); d != "" {
				t.Error(d)
			}
		})
	}
}

var defaultAllowed = []Device{
	{"/dev/char/1:3", "rwm"}, {"/dev/char/1:5", "rwm"}, {"/dev/char/1:7", "rwm"}, {"/dev/char/1:8", "rwm"}, {"/dev/char/1:9", "rwm"},
	{"/dev/char/5:0", "rwm"}, {"/dev/char/5:2", "rwm"}, {"char-136", "rwm"},
}

// On version 1 systemd would allow everything again, when it is reloaded.
func TestOnVersion1SystemdKnowsTheDeviceRules(t *testing.T) {
	t.Parallel()
	got := values(t, &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{
		{Access: "rwm"},
		{Allow: true, Type: "b", Major: of(int64(8)), Minor: of(int64(1)), Access: "r"},
		{Allow: true, Type: "c", Access: "m"},
		{Allow: true, Type: "c", Minor: of(int64(5)), Access: "r"}, // systemd has no word for it
	}}, v1)
	want := map[string]any{"DevicePolicy": "strict", "DeviceAllow": sortDevices(append(defaultAllowed[:len(defaultAllowed):len(defaultAllowed)],
		Device{"/dev/block/8:1", "r"}, Device{"char-*", "m"}))}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]any{}, values(t, &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}}, v1)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]any{}, values(t, nil, v2)); d != "" {
		t.Errorf("on version 2 a program is attached: %s", d)
	}
}

// systemd cuts a quota off to whole per cents; one of less would be none.
func TestAQuotaIsRoundedUpToWholePerCents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ file, value, period, want string }{
		{"cpu.max", "33333 50000", "", "33500 50000"},
		{"cpu.max", "50000 100000", "", "50000 100000"},
		{"cpu.max", "1001", "", "2000"},
		{"cpu.max", "max 50000", "", "max 50000"},
		{"cpu.max", "max", "", "max"},
		{"cpu.max", "x", "", "x"},
		{"cpu.max", "5 0", "", "5 0"},
		{"cpu.max", "99999999999999999 100000", "", "99999999999999999 100000"},
		{"cpu.cfs_quota_us", "33333", "50000", "33500"},
		{"cpu.cfs_quota_us", "1001", "", "2000"},
		{"cpu.cfs_quota_us", "-1", "50000", "-1"},
		{"memory.max", "33333", "", "33333"},
	} {
		writes := []cgroup.Write{{File: tt.file, Value: tt.value}}
		if tt.period != "" {
			writes = append(writes, cgroup.Write{File: "cpu.cfs_period_us", Value: tt.period})
		}
		Round(writes)
		if writes[0].Value != tt.want {
			t.Errorf("%s of %q, period %q, is %q, not %q", tt.file, tt.value, tt.period, writes[0].Value, tt.want)
		}
	}
}
