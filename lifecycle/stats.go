package lifecycle

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"golang.org/x/sys/unix"
)

// Stats are the figures of a container's cgroup. What the kernel doesn't tell is
// zero, or nil.
type Stats struct {
	CPU            CPUStats
	CPUSet         CPUSet
	Memory         MemoryUse // of the whole
	Swap           MemoryUse // memory and swap together
	Kernel         MemoryUse // version 1
	KernelTCP      MemoryUse // version 1
	Cache          uint64    // bytes of the page cache
	MemoryRaw      []Figure  // memory.stat
	MemoryPressure *Pressure
	PIDs           uint64 // processes and threads
	PIDLimit       uint64 // 0 is unlimited
	IOBytes        []IOFigure
	IOs            []IOFigure
	IOPressure     *Pressure
	HugePages      []HugePages
	RDMA           []RDMA
	RDMALimits     []RDMA
	Rdt            *RdtStats
}

// CPUStats are times in nanoseconds.
type CPUStats struct {
	Total, Kernel, User uint64
	PerCPU              []uint64 // version 1
	PerCPUUser          []uint64 // version 1
	PerCPUKernel        []uint64 // version 1
	Pressure            *Pressure
	Periods             uint64 // in which the limit held
	ThrottledPeriods    uint64
	ThrottledTime       uint64
}

// MemoryUse is the use of one kind of memory in bytes.
type MemoryUse struct{ Limit, Usage, Max, Failures uint64 }

// Figure is a line of a file of figures.
type Figure struct {
	Name  string
	Value uint64
}

// IOFigure is what was read from or written to a block device.
type IOFigure struct {
	Major, Minor uint64
	Op           string
	Value        uint64
}

// Stats reads the figures of a running container.
func (r *Runtime) Stats(id string) (s *Stats, err error) {
	defer wrap("events", id, &err)
	c, err := r.load(id)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.measurable(); err != nil {
		return nil, err
	}
	return c.stats(), nil
}

// stats reads all files of figures.
func (c *container) stats() *Stats {
	s := new(Stats)
	g := c.group()
	for i := range g.Dirs {
		if d := &g.Dirs[i]; d.V2 {
			s.read2(d.Path, d)
		} else {
			s.read1(d.Path, d)
		}
	}
	s.rdt(&c.Rdt)
	return s
}

// read1 reads a directory of version 1.
func (s *Stats) read1(dir string, d *cgroup.Dir) {
	if d.Has("cpuacct") {
		s.CPU.Total = number(dir, "cpuacct.usage")
		s.CPU.User, s.CPU.Kernel = number(dir, "cpuacct.usage_user"), number(dir, "cpuacct.usage_sys")
		for _, f := range strings.Fields(contents(dir, "cpuacct.usage_percpu")) {
			s.CPU.PerCPU = append(s.CPU.PerCPU, natural(f))
		}
		s.perCPU(dir)
	}
	if d.Has("cpuset") {
		s.cpuset(dir)
	}
	if d.Has("cpu") {
		f := figures(dir, "cpu.stat")
		s.CPU.Periods, s.CPU.ThrottledPeriods, s.CPU.ThrottledTime = valueOf(f, "nr_periods"), valueOf(f, "nr_throttled"), valueOf(f, "throttled_time")
	}
	if d.Has("memory") {
		s.Memory, s.Swap = use1(dir, "memory."), use1(dir, "memory.memsw.")
		s.Kernel, s.KernelTCP = use1(dir, "memory.kmem."), use1(dir, "memory.kmem.tcp.")
		s.MemoryRaw = figures(dir, "memory.stat")
		s.Cache = valueOf(s.MemoryRaw, "cache")
	}
	if d.Has("pids") {
		s.PIDs, s.PIDLimit = number(dir, "pids.current"), number(dir, "pids.max")
	}
	s.shared(dir, d)
	if d.Has("blkio") {
		s.IOBytes = throttled(dir, "blkio.throttle.io_service_bytes_recursive")
		s.IOs = throttled(dir, "blkio.throttle.io_serviced_recursive")
	}
}

// shared reads what both versions have under the same names.
func (s *Stats) shared(dir string, d *cgroup.Dir) {
	if d.Has("hugetlb") {
		s.hugepages(dir, d)
	}
	if d.Has("rdma") {
		s.RDMA, s.RDMALimits = rdma(dir, "rdma.current"), rdma(dir, "rdma.max")
	}
}

func use1(dir, prefix string) MemoryUse {
	return MemoryUse{
		Limit: number(dir, prefix+"limit_in_bytes"), Usage: number(dir, prefix+"usage_in_bytes"),
		Max: number(dir, prefix+"max_usage_in_bytes"), Failures: number(dir, prefix+"failcnt"),
	}
}

// read2 reads a directory of version 2. In a hybrid layout version 1 has the
// controllers, or some.
func (s *Stats) read2(dir string, d *cgroup.Dir) {
	const microsecond = 1000
	if f := figures(dir, "cpu.stat"); s.CPU.Total == 0 {
		s.CPU = CPUStats{
			Total: microsecond * valueOf(f, "usage_usec"), User: microsecond * valueOf(f, "user_usec"), Kernel: microsecond * valueOf(f, "system_usec"),
			Periods: valueOf(f, "nr_periods"), ThrottledPeriods: valueOf(f, "nr_throttled"), ThrottledTime: microsecond * valueOf(f, "throttled_usec"),
		}
	}
	s.pressures(dir)
	s.shared(dir, d)
	if d.Has("memory") {
		s.Memory = MemoryUse{Limit: limit(dir, "memory.max"), Usage: number(dir, "memory.current"), Max: number(dir, "memory.peak"), Failures: valueOf(figures(dir, "memory.events"), "max")}
		s.Swap = swap2(dir, &s.Memory)
		s.MemoryRaw = figures(dir, "memory.stat")
		s.Cache = valueOf(s.MemoryRaw, "file")
	}
	if d.Has("pids") {
		s.PIDs, s.PIDLimit = number(dir, "pids.current"), number(dir, "pids.max")
	}
	if d.Has("io") {
		s.io(contents(dir, "io.stat"))
	}
}

// io reads io.stat: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …".
func (s *Stats) io(text string) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		for _, p := range f[min(1, len(f)):] {
			key, value, _ := strings.Cut(p, "=")
			switch key {
			case "rbytes":
				s.IOBytes = append(s.IOBytes, ioFigure(f[0], "Read", value))
			case "wbytes":
				s.IOBytes = append(s.IOBytes, ioFigure(f[0], "Write", value))
			case "rios":
				s.IOs = append(s.IOs, ioFigure(f[0], "Read", value))
			case "wios":
				s.IOs = append(s.IOs, ioFigure(f[0], "Write", value))
			}
		}
	}
}

// throttled reads "8:0 Read 4096" a line; a line with a total ends each device.
func throttled(dir, file string) (list []IOFigure) {
	for line := range strings.Lines(contents(dir, file)) {
		if f := strings.Fields(line); len(f) == 3 {
			list = append(list, ioFigure(f[0], f[1], f[2]))
		}
	}
	return list
}

func ioFigure(device, op, value string) IOFigure {
	major, minor, _ := strings.Cut(device, ":")
	return IOFigure{natural(major), natural(minor), op, natural(value)}
}

// contents gives a file of a cgroup, "" if there is none.
func contents(dir, file string) string {
	fd, err := unix.Open(dir+"/"+file, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	b, err := readAll(fd, 1<<20)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b))
}

// number reads a file of one number; "max" is 0.
func number(dir, file string) uint64 { return natural(contents(dir, file)) }

func natural(s string) uint64 {
	n, _ := strconv.ParseUint(s, 10, 64)
	return n
}

// figures reads "NAME VALUE" a line.
func figures(dir, file string) (list []Figure) {
	for line := range strings.Lines(contents(dir, file)) {
		if f := strings.Fields(line); len(f) == 2 {
			list = append(list, Figure{f[0], natural(f[1])})
		}
	}
	return list
}

func valueOf(list []Figure, name string) uint64 {
	for _, f := range list {
		if f.Name == name {
			return f.Value
		}
	}
	return 0
}
