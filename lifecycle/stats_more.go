package lifecycle

import (
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/kernel"
)

// CPUSet is what the cpuset controller of version 1 says. The flags are 0 or 1.
type CPUSet struct {
	CPUs, Mems []uint64
	Flags      []Figure // by their names in runc's events
	RelaxLevel int64    // sched_relax_domain_level
}

// Pressure is how long processes have waited for something (Linux,
// accounting/psi.rst): in percent of the last 10, 60 and 300 seconds, and in
// microseconds. Of a CPU, version 2 tells both: some processes, and all of them.
type Pressure struct{ Some, Full PressureOf }

// PressureOf is one line of a pressure file.
type PressureOf struct {
	Avg10, Avg60, Avg300 float64
	Total                uint64
}

// HugePages is the use of huge pages of one size, in bytes: reservations where
// the kernel counts them.
type HugePages struct {
	Size                 string // "2MB"
	Usage, Max, Failures uint64
}

// RDMA is what a device has given out, or may.
type RDMA struct {
	Device           string
	Handles, Objects uint64
}

// unlimited is version 2's "max".
const unlimited = math.MaxUint64

// limit reads a file of version 2 with a limit, which may be "max".
func limit(dir, file string) uint64 {
	s := contents(dir, file)
	if s == "max" {
		return unlimited
	}
	return natural(s)
}

// swap2 is memory and swap together, as version 1 has it. Their peaks don't add up.
func swap2(dir string, memory *MemoryUse) MemoryUse {
	u := MemoryUse{Usage: memory.Usage + number(dir, "memory.swap.current"), Limit: limit(dir, "memory.swap.max"), Failures: valueOf(figures(dir, "memory.swap.events"), "max")}
	if u.Limit != unlimited {
		if u.Limit += memory.Limit; memory.Limit == unlimited {
			u.Limit = unlimited
		}
	}
	return u
}

// pressures reads the three pressure files, which version 2 has without any controller.
func (s *Stats) pressures(dir string) {
	s.CPU.Pressure = pressure(dir, "cpu.pressure")
	s.MemoryPressure = pressure(dir, "memory.pressure")
	s.IOPressure = pressure(dir, "io.pressure")
}

// pressure reads "some avg10=0.12 avg60=0.00 avg300=0.00 total=1234" a line; nil
// where there is no such file, or the kernel doesn't count.
func pressure(dir, file string) *Pressure {
	text := contents(dir, file)
	if text == "" {
		return nil
	}
	p := new(Pressure)
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 5 && f[0] == "some":
			p.Some = pressureOf(f[1:])
		case len(f) == 5 && f[0] == "full":
			p.Full = pressureOf(f[1:])
		}
	}
	return p
}

func pressureOf(fields []string) (p PressureOf) {
	for _, f := range fields {
		key, value, _ := strings.Cut(f, "=")
		number, _ := strconv.ParseFloat(value, 64)
		switch key {
		case "avg10":
			p.Avg10 = number
		case "avg60":
			p.Avg60 = number
		case "avg300":
			p.Avg300 = number
		case "total":
			p.Total = natural(value)
		}
	}
	return p
}

// cpusetFlags are the files of the cpuset controller with one flag each.
var cpusetFlags = [...]string{"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab", "memory_pressure", "sched_load_balance"}

// cpuset reads a directory of version 1.
func (s *Stats) cpuset(dir string) {
	s.CPUSet.CPUs, s.CPUSet.Mems = list(contents(dir, "cpuset.cpus")), list(contents(dir, "cpuset.mems"))
	for _, name := range cpusetFlags {
		s.CPUSet.Flags = append(s.CPUSet.Flags, Figure{name, number(dir, "cpuset."+name)})
	}
	s.CPUSet.RelaxLevel, _ = strconv.ParseInt(contents(dir, "cpuset.sched_relax_domain_level"), 10, 64)
}

// list reads a list such as "0-2,7".
func list(s string) (numbers []uint64) {
	kernel.List(s, func(n int) { numbers = append(numbers, uint64(n)) })
	return numbers
}

// perCPU reads cpuacct.usage_all: "CPU USER SYSTEM" a line, below a heading.
func (s *Stats) perCPU(dir string) {
	for line := range strings.Lines(contents(dir, "cpuacct.usage_all")) {
		if f := strings.Fields(line); len(f) == 3 && f[0] != "cpu" {
			s.CPU.PerCPUUser = append(s.CPU.PerCPUUser, natural(f[1]))
			s.CPU.PerCPUKernel = append(s.CPU.PerCPUKernel, natural(f[2]))
		}
	}
}

// hugepages reads the files of every page size that a directory has.
func (s *Stats) hugepages(dir string, d *cgroup.Dir) {
	usage := ".usage_in_bytes"
	if d.V2 {
		usage = ".current"
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		size, ours := strings.CutPrefix(e.Name(), "hugetlb.")
		size, counts := strings.CutSuffix(size, usage)
		if !ours || !counts || strings.Contains(size, ".") {
			continue
		}
		prefix := "hugetlb." + size + ".rsvd"
		if contents(dir, prefix+usage) == "" {
			prefix = "hugetlb." + size
		}
		h := HugePages{Size: size, Usage: number(dir, prefix+usage)}
		if d.V2 {
			h.Failures = valueOf(figures(dir, "hugetlb."+size+".events"), "max")
		} else {
			h.Max, h.Failures = number(dir, prefix+".max_usage_in_bytes"), number(dir, prefix+".failcnt")
		}
		s.HugePages = append(s.HugePages, h)
	}
}

// rdma reads "mlx4_0 hca_handle=2 hca_object=max" a line.
func rdma(dir, file string) (list []RDMA) {
	for line := range strings.Lines(contents(dir, file)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		r := RDMA{Device: f[0]}
		for _, p := range f[1:] {
			key, value, _ := strings.Cut(p, "=")
			n := natural(value)
			if value == "max" {
				n = math.MaxUint32
			}
			switch key {
			case "hca_handle":
				r.Handles = n
			case "hca_object":
				r.Objects = n
			}
		}
		list = append(list, r)
	}
	return list
}
