package cgroup

import "github.com/opencontainers/runtime-spec/specs-go"

type row struct {
	name       string
	r          specs.LinuxResources
	but1, but2 *but // differences on version 1 and on version 2
}

var refused = contents{"refused": "yes"}

// oracle is the table of resources that both sides write.
func oracle() []row {
	var rows []row
	add := func(name string, r specs.LinuxResources, but1, but2 *but) {
		rows = append(rows, row{name, r, but1, but2})
	}
	mem := func(name string, m memory, but1, but2 *but) { add(name, specs.LinuxResources{Memory: &m}, but1, but2) }
	cpus := func(name string, c cpu, but1, but2 *but) { add(name, specs.LinuxResources{CPU: &c}, but1, but2) }
	io := func(name string, b specs.LinuxBlockIO, but1, but2 *but) {
		add(name, specs.LinuxResources{BlockIO: &b}, but1, but2)
	}
	pids := func(name string, n int64, b *but) {
		add(name, specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &n}}, b, b)
	}
	i, u := p[int64], p[uint64]
	const mb = 1 << 20

	add("nothing", specs.LinuxResources{}, nil, nil)
	mem("limit", memory{Limit: i(64 * mb)}, nil, nil)
	mem("limit and swap", memory{Limit: i(64 * mb), Swap: i(96 * mb)}, nil, nil)
	mem("swap of nothing", memory{Limit: i(64 * mb), Swap: i(64 * mb)}, nil, nil)
	mem("unlimited swap", memory{Limit: i(64 * mb), Swap: i(-1)}, nil, nil)
	mem("swap 0", memory{Limit: i(64 * mb), Swap: i(0)}, nil, nil)
	mem("all unlimited", memory{Limit: i(-1), Swap: i(-1), Reservation: i(-1)}, nil, nil)
	mem("limit taken away", memory{Limit: i(-1)}, nil,
		&but{"no swap limit beside no limit", contents{}, contents{"memory.swap.max": "max"}})
	mem("reservation", memory{Reservation: i(32 * mb)}, nil, nil)
	mem("limit, swap, reservation", memory{Limit: i(64 * mb), Swap: i(80 * mb), Reservation: i(32 * mb)}, nil, nil)
	mem("limit 0", memory{Limit: i(0)},
		&but{"zero is a limit", contents{"memory.limit_in_bytes": "0"}, contents{}},
		&but{"zero is a limit", contents{"memory.max": "0"}, contents{}})
	mem("limit and swap 0", memory{Limit: i(0), Swap: i(0)},
		&but{"zero is a limit", contents{"memory.limit_in_bytes": "0", "memory.memsw.limit_in_bytes": "0"}, contents{}},
		&but{"zero is a limit", contents{"memory.max": "0", "memory.swap.max": "0"}, contents{}})
	mem("reservation 0", memory{Reservation: i(0)},
		&but{"zero is a limit", contents{"memory.soft_limit_in_bytes": "0"}, contents{}},
		&but{"zero is a limit", contents{"memory.low": "0"}, contents{}})
	mem("swap less than limit", memory{Limit: i(64 * mb), Swap: i(mb)},
		&but{"swap below the limit", refused, contents{"memory.limit_in_bytes": "67108864", "memory.memsw.limit_in_bytes": "1048576"}}, nil)
	mem("swap beside no limit", memory{Limit: i(-1), Swap: i(64 * mb)},
		&but{"swap below the limit", refused, contents{"memory.limit_in_bytes": "-1", "memory.memsw.limit_in_bytes": "67108864"}},
		&but{"swap below the limit", refused, contents{"memory.max": "max", "memory.swap.max": "67108864"}})
	mem("swap alone", memory{Swap: i(64 * mb)}, nil, nil)
	mem("limit of less than -1", memory{Limit: i(-2)},
		&but{"less than unlimited", refused, contents{"memory.limit_in_bytes": "-2"}},
		&but{"less than unlimited", refused, contents{"memory.max": "-2"}})
	mem("swappiness", memory{Swappiness: u(11)}, nil,
		&but{"not on version 2", refused, contents{}})
	mem("swappiness 0", memory{Swappiness: u(0)}, nil,
		&but{"not on version 2", refused, contents{}})
	mem("swappiness 101", memory{Swappiness: u(101)}, nil,
		&but{"not on version 2", refused, contents{}})
	mem("no OOM killer", memory{DisableOOMKiller: p(true)}, nil,
		&but{"not on version 2", refused, contents{}})
	mem("OOM killer", memory{DisableOOMKiller: p(false)}, nil, nil)
	mem("kernel", memory{Kernel: i(mb), KernelTCP: i(mb)},
		&but{"kernel memory", contents{"memory.kmem.limit_in_bytes": "1048576", "memory.kmem.tcp.limit_in_bytes": "1048576"}, contents{}},
		&but{"kernel memory", refused, contents{}})
	mem("hierarchy", memory{UseHierarchy: p(true)},
		&but{"hierarchy", contents{"memory.use_hierarchy": "1"}, contents{}}, nil)
	mem("no hierarchy", memory{UseHierarchy: p(false)},
		&but{"hierarchy", contents{"memory.use_hierarchy": "0"}, contents{}},
		&but{"hierarchy", refused, contents{}})

	for _, n := range []uint64{1, 2, 3, 10, 100, 512, 1000, 1024, 2048, 10000, 262143, 262144, 300000} {
		cpus("shares "+natural(n), cpu{Shares: &n}, nil, nil)
	}
	cpus("shares 0", cpu{Shares: u(0)}, nil, nil)
	cpus("quota and period", cpu{Quota: i(5000), Period: u(20000)}, nil, nil)
	cpus("quota", cpu{Quota: i(5000)}, nil,
		&but{"a quota keeps the period", contents{"cpu.max": "5000"}, contents{"cpu.max": "5000 100000"}})
	cpus("no quota", cpu{Quota: i(-1)}, nil,
		&but{"a quota keeps the period", contents{"cpu.max": "max"}, contents{"cpu.max": "max 100000"}})
	cpus("quota of less than -1", cpu{Quota: i(-7), Period: u(20000)},
		&but{"a negative quota", contents{"cpu.cfs_quota_us": "-1"}, contents{"cpu.cfs_quota_us": "-7"}}, nil)
	cpus("period", cpu{Period: u(20000)}, nil, nil)
	cpus("quota and period 0", cpu{Quota: i(0), Period: u(0)}, nil, nil)
	cpus("quota and burst", cpu{Quota: i(5000), Period: u(10000), Burst: u(2000)}, nil, nil)
	cpus("burst 0", cpu{Burst: u(0)}, nil, nil)
	cpus("burst over quota", cpu{Quota: i(5000), Period: u(10000), Burst: u(6000)},
		&but{"burst over the quota", refused, contents{"cpu.cfs_quota_us": "5000", "cpu.cfs_period_us": "10000", "cpu.cfs_burst_us": "6000"}},
		&but{"burst over the quota", refused, contents{"cpu.max": "5000 10000", "cpu.max.burst": "6000"}})
	cpus("real time", cpu{RealtimeRuntime: i(950), RealtimePeriod: u(1000)}, nil,
		&but{"not on version 2", refused, contents{}})
	cpus("real time 0", cpu{RealtimeRuntime: i(0), RealtimePeriod: u(0)},
		&but{"no time for real time", contents{"cpu.rt_runtime_us": "0"}, contents{}}, nil)
	cpus("idle", cpu{Idle: i(1)}, nil, nil)
	cpus("not idle", cpu{Idle: i(0)}, nil, nil)
	cpus("idle 2", cpu{Idle: i(2)},
		&but{"neither idle nor not", refused, contents{"cpu.idle": "2"}},
		&but{"neither idle nor not", refused, contents{"cpu.idle": "2"}})
	cpus("sets", cpu{Cpus: "0-1", Mems: "0"}, nil, nil)
	cpus("no list", cpu{Cpus: "all"},
		&but{"no list of numbers", refused, contents{"cpuset.cpus": "all"}},
		&but{"no list of numbers", refused, contents{"cpuset.cpus": "all"}})

	pids("processes", 17, nil)
	pids("processes unlimited", -1, nil)
	pids("no processes", 0, &but{"no forks at all", contents{"pids.max": "0"}, contents{"pids.max": "1"}})
	pids("less than no limit of processes", -2, &but{"less than unlimited", refused, contents{"pids.max": "max"}})

	disk := specs.LinuxBlockIODevice{Major: 8, Minor: 16}
	rate := func(n uint64) []specs.LinuxThrottleDevice {
		return []specs.LinuxThrottleDevice{{LinuxBlockIODevice: disk, Rate: n}}
	}
	for _, n := range []uint16{10, 11, 100, 500, 999, 1000} {
		io("weight "+natural(uint64(n)), specs.LinuxBlockIO{Weight: &n}, nil, nil)
	}
	io("weight 0", specs.LinuxBlockIO{Weight: p(uint16(0)), LeafWeight: p(uint16(0))}, nil, nil)
	io("weight 5", specs.LinuxBlockIO{Weight: p(uint16(5))}, nil,
		&but{"a weight under the least", contents{"io.weight": "1"}, contents{"io.weight": "18633074821928790"}})
	io("leaf weight", specs.LinuxBlockIO{LeafWeight: p(uint16(300))}, nil,
		&but{"not on version 2", refused, contents{}})
	io("weight of a disk", specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: disk, Weight: p(uint16(1000))}}}, nil,
		&but{"a disk's weight without BFQ", contents{"io.weight": "8:16 10000"}, contents{}})
	io("leaf weight of a disk", specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: disk, LeafWeight: p(uint16(20))}}}, nil,
		&but{"not on version 2", refused, contents{}})
	io("neither weight", specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{LinuxBlockIODevice: disk}}},
		&but{"a disk without weight", refused, contents{}},
		&but{"a disk without weight", refused, contents{}})
	io("bytes read", specs.LinuxBlockIO{ThrottleReadBpsDevice: rate(1)}, nil, nil)
	io("bytes written", specs.LinuxBlockIO{ThrottleWriteBpsDevice: rate(2)}, nil, nil)
	io("reads", specs.LinuxBlockIO{ThrottleReadIOPSDevice: rate(3)}, nil, nil)
	io("writes", specs.LinuxBlockIO{ThrottleWriteIOPSDevice: rate(4)}, nil, nil)
	io("no throttle", specs.LinuxBlockIO{ThrottleReadBpsDevice: rate(0)}, nil,
		&but{"a rate of 0", contents{"io.max": "8:16 rbps=max"}, contents{"io.max": "8:16 rbps=0"}})

	add("huge pages", specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 * mb}}},
		&but{"reservations or faults", contents{}, contents{"hugetlb.2MB.limit_in_bytes": "4194304"}},
		&but{"reservations or faults", contents{}, contents{"hugetlb.2MB.max": "4194304"}})
	add("huge pages of no size", specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "../2MB", Limit: mb}}}, nil, nil)
	add("class", specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: p(uint32(1048577))}}, nil,
		&but{"not on version 2", refused, contents{}})
	add("class 0", specs.LinuxResources{Network: &specs.LinuxNetwork{ClassID: p(uint32(0))}},
		&but{"zero is a limit", contents{"net_cls.classid": "0"}, contents{}}, nil)
	add("priority", specs.LinuxResources{Network: &specs.LinuxNetwork{Priorities: []specs.LinuxInterfacePriority{{Name: "lo", Priority: 5}}}}, nil,
		&but{"not on version 2", refused, contents{}})
	add("rdma", specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx5": {HcaHandles: p(uint32(3)), HcaObjects: p(uint32(4))}}}, nil, nil)
	add("rdma objects", specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"mlx5": {HcaObjects: p(uint32(0))}}}, nil, nil)

	add("unified", specs.LinuxResources{Unified: map[string]string{"memory.high": "1000", "pids.max": "7"}}, nil, nil)
	add("unified over a field", specs.LinuxResources{Memory: &memory{Limit: i(64 * mb)}, Unified: map[string]string{"memory.max": "1000"}}, nil, nil)
	add("unified with a slash", specs.LinuxResources{Unified: map[string]string{"../memory.max": "1000"}}, nil, nil)
	for _, key := range []string{"cgroup.procs", "cgroup.freeze", "cgroup.type", "cgroup.kill", "cgroup.subtree_control", "cgroup.threads"} {
		add("unified "+key, specs.LinuxResources{Unified: map[string]string{key: "1"}}, nil,
			&but{"the runtime's own files", refused, contents{key: "1"}})
	}
	add("unified without controller", specs.LinuxResources{Unified: map[string]string{"nosuch.max": "1"}}, nil,
		&but{"a key without controller", refused, contents{"nosuch.max": "1"}})
	return rows
}
