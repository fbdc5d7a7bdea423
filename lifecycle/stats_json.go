package lifecycle

import (
	"strconv"

	"github.com/minirt/minirt/internal/json"
)

// AppendJSON writes the figures as the data of runc's events: zeros are left out
// where runc leaves them out. Beside runc's there is "rdma".
func (s *Stats) AppendJSON(dst []byte) []byte {
	b := s.CPU.appendJSON(append(dst, `{"cpu":`...))
	b = s.CPUSet.appendJSON(append(b, `,"cpuset":`...))
	b = s.appendMemory(append(b, `,"memory":`...))
	b = append(b, `,"pids":{`...)
	b = amount(b, "current", s.PIDs)
	b = amount(b, "limit", s.PIDLimit)
	b = append(b, `},"blkio":{`...)
	b = appendIO(b, "ioServiceBytesRecursive", s.IOBytes)
	b = appendIO(b, "ioServicedRecursive", s.IOs)
	b = s.IOPressure.appendJSON(b)
	b = append(b, `},"hugetlb":{`...)
	for _, h := range s.HugePages {
		b = append(member(b, h.Size), '{')
		b = amount(b, "usage", h.Usage)
		b = amount(b, "max", h.Max)
		b = append(strconv.AppendUint(member(b, "failcnt"), h.Failures, 10), '}')
	}
	b = append(b, '}')
	if len(s.RDMA)+len(s.RDMALimits) > 0 {
		b = append(b, `,"rdma":{`...)
		b = appendRDMA(b, "rdma_limit", s.RDMALimits)
		b = append(appendRDMA(b, "rdma_current", s.RDMA), '}')
	}
	b = s.Rdt.appendJSON(append(b, `,"intel_rdt":`...))
	return append(b, `,"network_interfaces":null}`...)
}

func (c *CPUStats) appendJSON(b []byte) []byte {
	b = append(b, `{"usage":{`...)
	b = amount(b, "total", c.Total)
	b = appendNumbers(b, "percpu", c.PerCPU)
	b = appendNumbers(b, "percpu_kernel", c.PerCPUKernel)
	b = appendNumbers(b, "percpu_user", c.PerCPUUser)
	b = strconv.AppendUint(member(b, "kernel"), c.Kernel, 10)
	b = strconv.AppendUint(member(b, "user"), c.User, 10)
	b = append(b, `},"throttling":{`...)
	b = amount(b, "periods", c.Periods)
	b = amount(b, "throttledPeriods", c.ThrottledPeriods)
	b = amount(b, "throttledTime", c.ThrottledTime)
	return append(c.Pressure.appendJSON(append(b, '}')), '}')
}

func (c *CPUSet) appendJSON(b []byte) []byte {
	b = append(b, '{')
	b = appendNumbers(b, "cpus", c.CPUs)
	b = appendNumbers(b, "mems", c.Mems)
	for i, name := range cpusetFlags {
		n := uint64(0)
		if i < len(c.Flags) {
			n = c.Flags[i].Value
		}
		b = strconv.AppendUint(member(b, name), n, 10)
	}
	return append(strconv.AppendInt(member(b, "sched_relax_domain_level"), c.RelaxLevel, 10), '}')
}

func (s *Stats) appendMemory(b []byte) []byte {
	b = append(b, '{')
	b = amount(b, "cache", s.Cache)
	b = s.Memory.appendJSON(member(b, "usage"))
	b = s.Swap.appendJSON(member(b, "swap"))
	b = s.Kernel.appendJSON(member(b, "kernel"))
	b = s.KernelTCP.appendJSON(member(b, "kernelTCP"))
	if len(s.MemoryRaw) > 0 {
		b = append(member(b, "raw"), '{')
		for _, f := range s.MemoryRaw {
			b = strconv.AppendUint(member(b, f.Name), f.Value, 10)
		}
		b = append(b, '}')
	}
	return append(s.MemoryPressure.appendJSON(b), '}')
}

// appendJSON writes the member psi, if there is one.
func (p *Pressure) appendJSON(b []byte) []byte {
	if p == nil {
		return b
	}
	b = p.Some.appendJSON(append(member(b, "psi"), `{"some":`...))
	return append(p.Full.appendJSON(append(b, `,"full":`...)), '}')
}

func (p *PressureOf) appendJSON(b []byte) []byte {
	b = strconv.AppendFloat(append(b, `{"avg10":`...), p.Avg10, 'f', -1, 64)
	b = strconv.AppendFloat(append(b, `,"avg60":`...), p.Avg60, 'f', -1, 64)
	b = strconv.AppendFloat(append(b, `,"avg300":`...), p.Avg300, 'f', -1, 64)
	return append(strconv.AppendUint(append(b, `,"total":`...), p.Total, 10), '}')
}

func (m *MemoryUse) appendJSON(b []byte) []byte {
	b = strconv.AppendUint(append(b, `{"limit":`...), m.Limit, 10)
	b = amount(b, "usage", m.Usage)
	b = amount(b, "max", m.Max)
	b = strconv.AppendUint(member(b, "failcnt"), m.Failures, 10)
	return append(b, '}')
}

func appendIO(b []byte, key string, list []IOFigure) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(member(b, key), '[')
	for i, f := range list {
		b = append(comma(b, i), '{')
		b = amount(b, "major", f.Major)
		b = amount(b, "minor", f.Minor)
		b = word(b, "op", f.Op)
		b = amount(b, "value", f.Value)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendRDMA(b []byte, key string, list []RDMA) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(member(b, key), '[')
	for i, r := range list {
		b = append(comma(b, i), '{')
		b = word(b, "device", r.Device)
		b = amount(b, "hca_handles", r.Handles)
		b = append(amount(b, "hca_objects", r.Objects), '}')
	}
	return append(b, ']')
}

func appendNumbers(b []byte, key string, list []uint64) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(member(b, key), '[')
	for i, n := range list {
		b = strconv.AppendUint(comma(b, i), n, 10)
	}
	return append(b, ']')
}

// member begins a member of an object.
func member(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(json.AppendString(b, key), ':')
}

// amount is a member that is left out if it is zero.
func amount(b []byte, key string, n uint64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendUint(member(b, key), n, 10)
}
