package lifecycle

import (
	"strconv"

	"github.com/minirt/minirt/internal/json"
)

// AppendJSON writes the figures as the data of runc's events: zeros are left
// out, and lists that nobody has are null.
func (s *Stats) AppendJSON(dst []byte) []byte {
	b := append(dst, `{"cpu":{"usage":{`...)
	b = amount(b, "total", s.CPU.Total)
	if len(s.CPU.PerCPU) > 0 {
		b = append(member(b, "percpu"), '[')
		for i, n := range s.CPU.PerCPU {
			b = strconv.AppendUint(comma(b, i), n, 10)
		}
		b = append(b, ']')
	}
	b = strconv.AppendUint(member(b, "kernel"), s.CPU.Kernel, 10)
	b = strconv.AppendUint(member(b, "user"), s.CPU.User, 10)
	b = append(b, `},"throttling":{`...)
	b = amount(b, "periods", s.CPU.Periods)
	b = amount(b, "throttledPeriods", s.CPU.ThrottledPeriods)
	b = amount(b, "throttledTime", s.CPU.ThrottledTime)
	b = append(b, `}},"memory":{`...)
	b = amount(b, "cache", s.Cache)
	b = s.Memory.appendJSON(member(b, "usage"))
	b = s.Swap.appendJSON(member(b, "swap"))
	b = s.Kernel.appendJSON(member(b, "kernel"))
	b = s.KernelTCP.appendJSON(member(b, "kernelTCP"))
	b = append(member(b, "raw"), '{')
	for _, f := range s.MemoryRaw {
		b = strconv.AppendUint(member(b, f.Name), f.Value, 10)
	}
	b = append(b, `}},"pids":{`...)
	b = amount(b, "current", s.PIDs)
	b = amount(b, "limit", s.PIDLimit)
	b = append(b, `},"blkio":{`...)
	b = appendIO(member(b, "ioServiceBytesRecursive"), s.IOBytes)
	b = appendIO(member(b, "ioServicedRecursive"), s.IOs)
	return append(b, `},"hugetlb":{},"network_interfaces":null}`...)
}

func (m *MemoryUse) appendJSON(b []byte) []byte {
	b = strconv.AppendUint(append(b, `{"limit":`...), m.Limit, 10)
	b = amount(b, "usage", m.Usage)
	b = amount(b, "max", m.Max)
	b = strconv.AppendUint(member(b, "failcnt"), m.Failures, 10)
	return append(b, '}')
}

func appendIO(b []byte, list []IOFigure) []byte {
	if list == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, f := range list {
		b = append(comma(b, i), '{')
		b = amount(b, "major", f.Major)
		b = amount(b, "minor", f.Minor)
		b = json.AppendString(member(b, "op"), f.Op)
		b = amount(b, "value", f.Value)
		b = append(b, '}')
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
