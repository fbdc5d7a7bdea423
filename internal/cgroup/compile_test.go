package cgroup

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

var v1Only = &Layout{Base: "/", Hierarchies: trees("cpu,cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "net_cls,net_prio", "hugetlb", "rdma", "name=systemd")}

var v2Only = &Layout{Base: "/", Hierarchies: []Hierarchy{{
	Mount: "/sys/fs/cgroup", V2: true, Own: "/",
	Controllers: []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"},
}}}

// hybrid has I/O on version 2, and all else on version 1.
var hybrid = &Layout{Base: "/", Hierarchies: append(trees("cpu,cpuacct", "memory", "devices", "pids"),
	Hierarchy{Name: "unified", Mount: "/sys/fs/cgroup/unified", V2: true, Controllers: []string{"io"}})}

// bare has version 2 without a controller, and nothing else.
var bare = &Layout{Base: "/", Hierarchies: []Hierarchy{{Mount: "/sys/fs/cgroup", V2: true}}}

func trees(names ...string) []Hierarchy {
	var hs []Hierarchy
	for _, n := range names {
		dir := strings.TrimPrefix(n, "name=")
		hs = append(hs, Hierarchy{Name: dir, Mount: "/sys/fs/cgroup/" + dir, Controllers: strings.Split(n, ","), Own: "/"})
	}
	return hs
}

func p[T any](v T) *T { return &v }

// writes is the list as text: "file=value", with what else there is to a write.
func writes(ws []Write) []string {
	var out []string
	for _, w := range ws {
		s := w.File + "=" + w.Value
		if w.Else != nil {
			s += " else " + w.Else.File + "=" + w.Else.Value
		}
		if w.Optional {
			s += " optional"
		}
		if w.Retry {
			s += " retry"
		}
		if w.NotBelow != "" {
			s += " not below " + w.NotBelow
		}
		out = append(out, s)
	}
	return out
}

type memory = specs.LinuxMemory
type cpu = specs.LinuxCPU

func TestEachFieldIsWrittenConvertedOrRefused(t *testing.T) {
	m := func(v memory) *specs.LinuxResources { return &specs.LinuxResources{Memory: &v} }
	c := func(v cpu) *specs.LinuxResources { return &specs.LinuxResources{CPU: &v} }
	b := func(v specs.LinuxBlockIO) *specs.LinuxResources { return &specs.LinuxResources{BlockIO: &v} }
	u := func(k, v string) *specs.LinuxResources {
		return &specs.LinuxResources{Unified: map[string]string{k: v}}
	}
	dev := specs.LinuxBlockIODevice{Major: 8, Minor: 16}
	rate := func(n uint64) []specs.LinuxThrottleDevice {
		return []specs.LinuxThrottleDevice{{LinuxBlockIODevice: dev, Rate: n}}
	}
	const lacks = "this layout hasn't got it: see the error"
	tests := []struct {
		name   string
		r      *specs.LinuxResources
		v1, v2 []string // the writes; or, if it starts with "!", the error
	}{
		{"no resources", nil, nil, nil},
		{"empty blocks", &specs.LinuxResources{Memory: &memory{}, CPU: &cpu{}, Pids: &specs.LinuxPids{}, BlockIO: &specs.LinuxBlockIO{}, Network: &specs.LinuxNetwork{}}, nil, nil},

		{"memory limit and swap", m(memory{Limit: p(int64(1000)), Swap: p(int64(3000)), Reservation: p(int64(500))}),
			[]string{"memory.limit_in_bytes=1000 retry", "memory.memsw.limit_in_bytes=3000", "memory.soft_limit_in_bytes=500"},
			[]string{"memory.max=1000", "memory.swap.max=2000", "memory.low=500"}},
		{"memory swap as much as limit", m(memory{Limit: p(int64(1000)), Swap: p(int64(1000))}),
			[]string{"memory.limit_in_bytes=1000 retry", "memory.memsw.limit_in_bytes=1000"},
			[]string{"memory.max=1000", "memory.swap.max=0"}},
		{"memory zero is a value", m(memory{Limit: p(int64(0)), Swap: p(int64(0)), Reservation: p(int64(0))}),
			[]string{"memory.limit_in_bytes=0 retry", "memory.memsw.limit_in_bytes=0", "memory.soft_limit_in_bytes=0"},
			[]string{"memory.max=0", "memory.swap.max=0", "memory.low=0"}},
		{"memory unlimited", m(memory{Limit: p(int64(-1)), Swap: p(int64(-1)), Reservation: p(int64(-1))}),
			[]string{"memory.limit_in_bytes=-1 retry", "memory.memsw.limit_in_bytes=-1 optional", "memory.soft_limit_in_bytes=-1"},
			[]string{"memory.max=max", "memory.swap.max=max optional", "memory.low=max"}},
		{"memory unlimited frees swap on version 1", m(memory{Limit: p(int64(-1))}),
			[]string{"memory.limit_in_bytes=-1 retry", "memory.memsw.limit_in_bytes=-1 optional"},
			[]string{"memory.max=max"}},
		{"memory swap 0 is unset", m(memory{Limit: p(int64(5)), Swap: p(int64(0))}),
			[]string{"memory.limit_in_bytes=5 retry"}, []string{"memory.max=5"}},
		{"memory swap below limit", m(memory{Limit: p(int64(1000)), Swap: p(int64(999))}),
			[]string{"!linux.resources.memory.swap: 999: less than the limit of 1000: swap counts memory too"},
			[]string{"!linux.resources.memory.swap: 999: less than the limit of 1000: swap counts memory too"}},
		{"memory swap without limit", m(memory{Swap: p(int64(999))}),
			[]string{"memory.memsw.limit_in_bytes=999"},
			[]string{"!linux.resources.memory.swap: 999: cgroup version 2 limits swap alone, and without memory.limit the difference isn't known"}},
		{"memory less than unlimited", m(memory{Limit: p(int64(-2))}),
			[]string{"!linux.resources.memory.limit: -2: less than -1 (unlimited)"},
			[]string{"!linux.resources.memory.limit: -2: less than -1 (unlimited)"}},
		{"memory kernel", m(memory{Kernel: p(int64(7)), KernelTCP: p(int64(8))}),
			[]string{"memory.kmem.limit_in_bytes=7", "memory.kmem.tcp.limit_in_bytes=8"},
			[]string{"!linux.resources.memory.kernel: 7: cgroup version 2 has nothing like it; linux.resources.memory.kernelTCP: 8: cgroup version 2 has nothing like it"}},
		{"memory kernel unlimited", m(memory{Kernel: p(int64(-1)), KernelTCP: p(int64(-1))}),
			[]string{"memory.kmem.limit_in_bytes=-1 optional", "memory.kmem.tcp.limit_in_bytes=-1 optional"}, nil},
		{"memory kernel 0 is unset", m(memory{Kernel: p(int64(0))}), nil, nil},
		{"memory swappiness 0", m(memory{Swappiness: p(uint64(0))}),
			[]string{"memory.swappiness=0"},
			[]string{"!linux.resources.memory.swappiness: 0: cgroup version 2 has nothing like it"}},
		{"memory swappiness 101", m(memory{Swappiness: p(uint64(101))}),
			[]string{"!linux.resources.memory.swappiness: 101: more than 100"},
			[]string{"!linux.resources.memory.swappiness: 101: more than 100"}},
		{"memory without OOM killer", m(memory{DisableOOMKiller: p(true)}),
			[]string{"memory.oom_control=1"},
			[]string{"!linux.resources.memory.disableOOMKiller: true: cgroup version 2 has nothing like it"}},
		{"memory with OOM killer", m(memory{DisableOOMKiller: p(false)}), nil, nil},
		{"memory hierarchy", m(memory{UseHierarchy: p(true)}), []string{"memory.use_hierarchy=1 optional"}, nil},
		{"memory no hierarchy", m(memory{UseHierarchy: p(false)}), []string{"memory.use_hierarchy=0"},
			[]string{"!linux.resources.memory.useHierarchy: false: cgroup version 2 is always hierarchical"}},
		{"memory check before update", m(memory{Limit: p(int64(1000)), CheckBeforeUpdate: p(true)}),
			[]string{"memory.limit_in_bytes=1000 retry"}, []string{"memory.max=1000 not below memory.current"}},

		{"cpu", c(cpu{Shares: p(uint64(1024)), Quota: p(int64(5000)), Period: p(uint64(10000)), Burst: p(uint64(5000)), Idle: p(int64(1))}),
			[]string{"cpu.shares=1024 retry", "cpu.cfs_period_us=10000 retry", "cpu.cfs_quota_us=5000 retry", "cpu.cfs_burst_us=5000", "cpu.idle=1"},
			[]string{"cpu.weight=100 retry", "cpu.max=5000 10000 retry", "cpu.max.burst=5000", "cpu.idle=1"}},
		{"cpu 0 is unset", c(cpu{Shares: p(uint64(0)), Quota: p(int64(0)), Period: p(uint64(0)), RealtimePeriod: p(uint64(0))}), nil, nil},
		{"cpu quota alone", c(cpu{Quota: p(int64(5000))}), []string{"cpu.cfs_quota_us=5000 retry"}, []string{"cpu.max=5000 retry"}},
		{"cpu quota of none", c(cpu{Quota: p(int64(-7))}), []string{"cpu.cfs_quota_us=-1 retry"}, []string{"cpu.max=max retry"}},
		{"cpu period alone", c(cpu{Period: p(uint64(5000))}), []string{"cpu.cfs_period_us=5000 retry"}, []string{"cpu.max=max 5000 retry"}},
		{"cpu defaults", c(cpu{Burst: p(uint64(0)), Idle: p(int64(0)), RealtimeRuntime: p(int64(0))}),
			[]string{"cpu.cfs_burst_us=0 optional", "cpu.rt_runtime_us=0 optional retry", "cpu.idle=0 optional"},
			[]string{"cpu.max.burst=0 optional", "cpu.idle=0 optional"}},
		{"cpu burst over quota", c(cpu{Quota: p(int64(5000)), Burst: p(uint64(5001))}),
			[]string{"!linux.resources.cpu.burst: 5001: more than the quota of 5000"},
			[]string{"!linux.resources.cpu.burst: 5001: more than the quota of 5000"}},
		{"cpu realtime", c(cpu{RealtimeRuntime: p(int64(95)), RealtimePeriod: p(uint64(100))}),
			[]string{"cpu.rt_period_us=100 retry", "cpu.rt_runtime_us=95 retry"},
			[]string{"!linux.resources.cpu.realtimePeriod: 100: cgroup version 2 has nothing like it; linux.resources.cpu.realtimeRuntime: 95: cgroup version 2 has nothing like it"}},
		{"cpu idle 2", c(cpu{Idle: p(int64(2))}),
			[]string{"!linux.resources.cpu.idle: 2: neither 0 nor 1"}, []string{"!linux.resources.cpu.idle: 2: neither 0 nor 1"}},
		{"cpu sets", c(cpu{Cpus: "0-3,7", Mems: "0"}),
			[]string{"cpuset.cpus=0-3,7", "cpuset.mems=0"}, []string{"cpuset.cpus=0-3,7", "cpuset.mems=0"}},
		{"cpu sets, wrong", c(cpu{Cpus: "all"}),
			[]string{`!linux.resources.cpu.cpus: "all": no list of numbers and ranges such as 0-3,7`},
			[]string{`!linux.resources.cpu.cpus: "all": no list of numbers and ranges such as 0-3,7`}},

		{"pids", &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: p(int64(42))}}, []string{"pids.max=42"}, []string{"pids.max=42"}},
		{"pids 0 is a limit", &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: p(int64(0))}}, []string{"pids.max=0"}, []string{"pids.max=0"}},
		{"pids unlimited", &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: p(int64(-1))}}, []string{"pids.max=max"}, []string{"pids.max=max"}},
		{"pids, wrong", &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: p(int64(-2))}},
			[]string{"!linux.resources.pids.limit: -2: less than -1 (unlimited)"}, []string{"!linux.resources.pids.limit: -2: less than -1 (unlimited)"}},

		{"blockIO weight", b(specs.LinuxBlockIO{Weight: p(uint16(500))}),
			[]string{"blkio.weight=500 else blkio.bfq.weight=500"}, []string{"io.bfq.weight=500 else io.weight=4950"}},
		{"blockIO weight 0 is unset", b(specs.LinuxBlockIO{Weight: p(uint16(0)), LeafWeight: p(uint16(0))}), nil, nil},
		{"blockIO leafWeight", b(specs.LinuxBlockIO{LeafWeight: p(uint16(300))}),
			[]string{"blkio.leaf_weight=300"}, []string{"!linux.resources.blockIO.leafWeight: 300: cgroup version 2 has nothing like it"}},
		{"blockIO weightDevice", b(specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: dev, Weight: p(uint16(1000))}}}),
			[]string{"blkio.weight_device=8:16 1000 else blkio.bfq.weight_device=8:16 1000"},
			[]string{"io.bfq.weight=8:16 1000 else io.weight=8:16 10000"}},
		{"blockIO weightDevice with leafWeight", b(specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: dev, LeafWeight: p(uint16(10))}}}),
			[]string{"blkio.leaf_weight_device=8:16 10"},
			[]string{"!linux.resources.blockIO.weightDevice[0].leafWeight: 10: cgroup version 2 has nothing like it"}},
		{"blockIO weightDevice without weight", b(specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: dev}}}),
			[]string{"!linux.resources.blockIO.weightDevice[0]: 8:16: has neither weight nor leafWeight"},
			[]string{"!linux.resources.blockIO.weightDevice[0]: 8:16: has neither weight nor leafWeight"}},
		{"blockIO throttles", b(specs.LinuxBlockIO{ThrottleReadBpsDevice: rate(1), ThrottleWriteBpsDevice: rate(2), ThrottleReadIOPSDevice: rate(3), ThrottleWriteIOPSDevice: rate(0)}),
			[]string{"blkio.throttle.read_bps_device=8:16 1", "blkio.throttle.write_bps_device=8:16 2", "blkio.throttle.read_iops_device=8:16 3", "blkio.throttle.write_iops_device=8:16 0"},
			[]string{"io.max=8:16 rbps=1", "io.max=8:16 wbps=2", "io.max=8:16 riops=3", "io.max=8:16 wiops=max"}},

		{"hugepages", &specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 9}, {Pagesize: "1GB", Limit: 0}}},
			[]string{"hugetlb.2MB.rsvd.limit_in_bytes=9 else hugetlb.2MB.limit_in_bytes=9", "hugetlb.1GB.rsvd.limit_in_bytes=0 else hugetlb.1GB.limit_in_bytes=0"},
			[]string{"hugetlb.2MB.rsvd.max=9 else hugetlb.2MB.max=9", "hugetlb.1GB.rsvd.max=0 else hugetlb.1GB.max=0"}},
		{"hugepages, wrong size", &specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "../../x/2MB"}, {Pagesize: "2M"}, {Pagesize: "02MB"}, {Pagesize: "MB"}}},
			[]string{`!linux.resources.hugepageLimits[0].pageSize: "../../x/2MB": not of the form 64KB, 2MB, 1GB; linux.resources.hugepageLimits[1].pageSize: "2M": not of the form 64KB, 2MB, 1GB; linux.resources.hugepageLimits[2].pageSize: "02MB": not of the form 64KB, 2MB, 1GB; linux.resources.hugepageLimits[3].pageSize: "MB": not of the form 64KB, 2MB, 1GB`},
			nil},

		{"network", &specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: p(uint32(1048577)), Priorities: []specs.LinuxInterfacePriority{{Name: "eth0", Priority: 5}}}},
			[]string{"net_cls.classid=1048577", "net_prio.ifpriomap=eth0 5"},
			[]string{"!linux.resources.network.classID: 1048577: no net_cls controller on this host; linux.resources.network.priorities[0]: \"eth0\": no net_prio controller on this host"}},
		{"network class 0", &specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: p(uint32(0))}}, []string{"net_cls.classid=0"}, nil},
		{"network, wrong name", &specs.LinuxResources{Network: &specs.LinuxNetwork{Priorities: []specs.LinuxInterfacePriority{{Name: "eth0 7\neth1"}}}},
			[]string{`!linux.resources.network.priorities[0].name: "eth0 7\neth1": no name of a network interface`},
			[]string{`!linux.resources.network.priorities[0].name: "eth0 7\neth1": no name of a network interface`}},

		{"rdma", &specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx5": {HcaHandles: p(uint32(3)), HcaObjects: p(uint32(4))}, "mlx4": {HcaObjects: p(uint32(0))}}},
			[]string{"rdma.max=mlx4 hca_object=0", "rdma.max=mlx5 hca_handle=3 hca_object=4"},
			[]string{"rdma.max=mlx4 hca_object=0", "rdma.max=mlx5 hca_handle=3 hca_object=4"}},
		{"rdma, nothing", &specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx5": {}}},
			[]string{`!linux.resources.rdma["mlx5"]: "mlx5": has neither hcaHandles nor hcaObjects`},
			[]string{`!linux.resources.rdma["mlx5"]: "mlx5": has neither hcaHandles nor hcaObjects`}},

		{"unified", &specs.LinuxResources{Unified: map[string]string{"io.max": "259:0 rbps=2\n253:0 rbps=3\n", "hugetlb.1GB.max": "1", "cgroup.max.depth": "2", "memory.future": "", "pids.max": "1"}},
			[]string{lacks},
			[]string{"cgroup.max.depth=2", "hugetlb.1GB.max=1", "io.max=259:0 rbps=2", "io.max=253:0 rbps=3", "memory.future=", "pids.max=1"}},
		{"unified, no controller", u("nosuch.max", "1"),
			[]string{`!linux.resources.unified["nosuch.max"]: 1: no cgroup version 2 on this host`},
			[]string{`!linux.resources.unified["nosuch.max"]: 1: no nosuch controller in cgroup version 2 on this host`}},
		{"unified after the rest", &specs.LinuxResources{Memory: &memory{Limit: p(int64(1))}, Unified: map[string]string{"memory.max": "2"}},
			[]string{lacks}, []string{"memory.max=1", "memory.max=2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, on := range []struct {
				name string
				l    *Layout
				want []string
			}{{"v1", v1Only, tt.v1}, {"v2", v2Only, tt.v2}} {
				if len(on.want) == 1 && on.want[0] == lacks || on.want == nil && strings.Contains(tt.name, "wrong") {
					continue
				}
				early, late, err := Compile(tt.r, on.l)
				got := writes(withoutDevices(append(early, late...)))
				if err != nil {
					got = []string{"!" + err.Error()}
				}
				if d := cmp.Diff(on.want, got); d != "" {
					t.Errorf("%s (-want +got):\n%s", on.name, d)
				}
			}
		})
	}
}

func withoutDevices(ws []Write) []Write {
	var out []Write
	for _, w := range ws {
		if w.Controller != "devices" {
			out = append(out, w)
		}
	}
	return out
}

func TestHybridTakesEachControllerWhereItIs(t *testing.T) {
	early, late, err := Compile(&specs.LinuxResources{
		Memory:  &memory{Limit: p(int64(1000))},
		BlockIO: &specs.LinuxBlockIO{Weight: p(uint16(10))},
		Pids:    &specs.LinuxPids{Limit: p(int64(3))},
		Unified: map[string]string{"io.latency": "8:0 target=5"},
	}, hybrid)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"memory.limit_in_bytes=1000 retry", "io.bfq.weight=10 else io.weight=1", "io.latency=8:0 target=5"}, writes(early)); d != "" {
		t.Errorf("early (-want +got):\n%s", d)
	}
	if got := writes(late); got[0] != "pids.max=3" || got[1] != "devices.deny=a" {
		t.Errorf("late = %v, want the pids limit and version 1's device rules", got)
	}
}

func TestUnifiedForAControllerOnVersion1IsRefused(t *testing.T) {
	_, _, err := Compile(&specs.LinuxResources{Unified: map[string]string{"memory.high": "1"}}, hybrid)
	want := `linux.resources.unified["memory.high"]: 1: no memory controller in cgroup version 2 on this host`
	if err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
}

// SEC-14
func TestUnifiedKeysReachNoOtherFile(t *testing.T) {
	for _, key := range []string{
		"", ".", "..", "memory", "memory.", ".max", "memory..max", "../victim/memory.max", "memory.max/", "x/memory.max",
		"memory.\x00max", "memory.max\n", "mémory.max", "cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze", "cgroup.type", "cgroup.subtree_control",
	} {
		_, _, err := Compile(&specs.LinuxResources{Unified: map[string]string{key: "1"}}, v2Only)
		var f Faults
		if !errors.As(err, &f) || len(f) != 1 || !strings.HasPrefix(f[0].Path, "linux.resources.unified[") {
			t.Errorf("key %q: err = %v, want one fault that names it", key, err)
		}
	}
}

func TestWhatMeansNothingNeedsNoController(t *testing.T) {
	r := &specs.LinuxResources{
		Memory:  &memory{Kernel: p(int64(-1)), KernelTCP: p(int64(-1)), DisableOOMKiller: p(false)},
		CPU:     &cpu{Shares: p(uint64(0)), Burst: p(uint64(0)), Idle: p(int64(0)), RealtimeRuntime: p(int64(0))},
		Pids:    &specs.LinuxPids{Limit: p(int64(-1))},
		BlockIO: &specs.LinuxBlockIO{Weight: p(uint16(0))},
		Network: &specs.LinuxNetwork{ClassID: p(uint32(0))},
	}
	early, late, err := Compile(r, bare)
	if err != nil || len(early) != 0 || len(late) != 1 {
		t.Errorf("Compile = %v, %v, %v; want the device program only", writes(early), writes(late), err)
	}
}

func TestAMissingControllerIsNamedWithItsField(t *testing.T) {
	r := &specs.LinuxResources{
		Memory:         &memory{Limit: p(int64(99)), Swappiness: p(uint64(1)), DisableOOMKiller: p(true), UseHierarchy: p(true)},
		CPU:            &cpu{Shares: p(uint64(5)), Cpus: "0", Quota: p(int64(1)), Period: p(uint64(2)), Burst: p(uint64(1)), Idle: p(int64(1)), RealtimePeriod: p(uint64(1))},
		Pids:           &specs.LinuxPids{Limit: p(int64(7))},
		BlockIO:        &specs.LinuxBlockIO{Weight: p(uint16(11)), ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{Rate: 3}}},
		HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 3}},
		Rdma:           map[string]specs.LinuxRdma{"x": {HcaHandles: p(uint32(1))}},
	}
	_, _, err := Compile(r, bare)
	var got []string
	for _, f := range err.(Faults) {
		got = append(got, f.Error())
	}
	want := []string{
		"linux.resources.memory.limit: 99: no memory controller on this host",
		"linux.resources.memory.swappiness: 1: no memory controller on this host",
		"linux.resources.memory.disableOOMKiller: true: no memory controller on this host",
		"linux.resources.memory.useHierarchy: true: no memory controller on this host",
		"linux.resources.cpu.shares: 5: no cpu controller on this host",
		"linux.resources.cpu.period: 2: no cpu controller on this host",
		"linux.resources.cpu.quota: 1: no cpu controller on this host",
		"linux.resources.cpu.burst: 1: no cpu controller on this host",
		"linux.resources.cpu.realtimePeriod: 1: no cpu controller on this host",
		"linux.resources.cpu.idle: 1: no cpu controller on this host",
		`linux.resources.cpu.cpus: 0: no cpuset controller on this host`,
		"linux.resources.pids.limit: 7: no pids controller on this host",
		"linux.resources.blockIO.weight: 11: no blkio controller on this host",
		"linux.resources.blockIO.throttleReadBpsDevice[0]: 3: no blkio controller on this host",
		"linux.resources.hugepageLimits[0].limit: 3: no hugetlb controller on this host",
		`linux.resources.rdma["x"]: "x hca_handle=1": no rdma controller on this host`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestSharesBecomeWeightsByTheNewCurve(t *testing.T) {
	for shares, want := range map[uint64]uint64{1: 1, 2: 1, 10: 4, 100: 17, 512: 59, 1024: 100, 2048: 174, 10240: 639, 262144: 10000, 1 << 40: 10000} {
		if got := weightOfShares(shares); got != want {
			t.Errorf("weightOfShares(%d) = %d, want %d", shares, got, want)
		}
	}
	last := uint64(0)
	for s := uint64(2); s <= 262144; s += 3 {
		if w := weightOfShares(s); w < last || w < 1 || w > 10000 {
			t.Fatalf("weightOfShares(%d) = %d after %d", s, w, last)
		} else {
			last = w
		}
	}
}

func TestAnUpdateLeavesDevicesAlone(t *testing.T) {
	r := &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}}, Pids: &specs.LinuxPids{Limit: p(int64(3))}}
	ws, err := Update(r, v1Only)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"pids.max=3"}, writes(ws)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
