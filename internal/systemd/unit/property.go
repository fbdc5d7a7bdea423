package unit

import (
	"math"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
)

// Property is a property of a unit, as D-Bus has it (org.freedesktop.systemd1(5)).
type Property struct {
	Name  string
	Value any    // bool, string, uint64, int32, []byte, []string or []Device
	Since int    // the version of systemd that has it, if that isn't each that runs on Linux 5.14
	Files bool   // files are written for it as well: where a systemd lacks it, the limit still holds
	Path  string // the place in config.json
}

// Device is an element of DeviceAllow: a node or a class, and what is allowed.
type Device struct{ Node, Access string }

// infinity is systemd's for no limit (CGROUP_LIMIT_MAX, USEC_INFINITY).
const infinity = math.MaxUint64

// file is a file of a cgroup, and what it is in the words of systemd. Version 1
// and 2 have no file name in common that means different things.
type file struct {
	name     string
	make     func(property, value string) []Property
	property string
}

var files = [...]file{
	{"memory.max", limit, "MemoryMax"},
	{"memory.high", limit, "MemoryHigh"},
	{"memory.low", limit, "MemoryLow"},
	{"memory.min", limit, "MemoryMin"},
	{"memory.swap.max", limit, "MemorySwapMax"},
	{"memory.oom.group", oomGroup, "OOMPolicy"},
	{"memory.limit_in_bytes", limit, "MemoryLimit"},
	{"cpu.weight", limit, "CPUWeight"},
	{"cpu.idle", idle, "CPUWeight"},
	{"cpu.max", bandwidth, "CPUQuotaPerSecUSec"},
	{"cpu.shares", limit, "CPUShares"},
	{"cpuset.cpus", bits, "AllowedCPUs"},
	{"cpuset.mems", bits, "AllowedMemoryNodes"},
	{"pids.max", tasks, "TasksMax"},
	{"io.weight", limit, "IOWeight"},
	{"blkio.weight", limit, "BlockIOWeight"},
}

// Properties are those that make systemd write what the writes do. What systemd
// can't express is left to the files.
func Properties(writes []cgroup.Write) []Property {
	var s set
	for i := range writes {
		w := &writes[i]
		for x := w; x != nil; x = x.Else {
			for _, f := range &files {
				if f.name == x.File {
					s.put(w.Path, f.make(f.property, x.Value)...)
				}
			}
		}
	}
	s.put("linux.resources.cpu.quota", quota1(writes)...)
	s.put("linux.resources.devices", devices1(writes)...)
	return s
}

// set is a list of properties, each name once: the last counts, as it does in a file.
type set []Property

func (s *set) put(path string, list ...Property) {
	for _, p := range list {
		p.Path, p.Files = path, true
		at := -1
		for i := range *s {
			if (*s)[i].Name == p.Name {
				at = i
			}
		}
		switch {
		case at < 0:
			*s = append(*s, p)
		case (*s)[at].Since == 0: // a weight does not take idle back
			(*s)[at] = p
		}
	}
}

// limit is a number, or "max", or version 1's -1. What isn't one, such as the
// weight for a device, is left to the file.
func limit(name, v string) []Property {
	n, ok := number(strings.TrimPrefix(v, "default "))
	if !ok {
		return nil
	}
	return []Property{{Name: name, Value: n}}
}

func number(v string) (n uint64, ok bool) {
	if v == "max" || v == "-1" {
		return infinity, true
	}
	n, err := strconv.ParseUint(v, 10, 64)
	return n, err == nil
}

// tasks: systemd has no limit of 0; the file has.
func tasks(name, v string) []Property {
	n, ok := number(v)
	if !ok {
		return nil
	}
	return []Property{{Name: name, Value: max(n, 1)}}
}

// idle is the weight 0 since systemd 252, and can't be taken back but by another weight.
func idle(name, v string) []Property {
	if v != "1" {
		return nil
	}
	return []Property{{Name: name, Value: uint64(0), Since: 252}}
}

func oomGroup(name, v string) []Property {
	policy := "continue"
	if v == "1" {
		policy = "kill"
	}
	return []Property{{Name: name, Value: policy, Since: 253}}
}

// defaultPeriod is the kernel's, in microseconds.
const defaultPeriod = 100_000

// bandwidth is version 2's "QUOTA [PERIOD]".
func bandwidth(_, v string) []Property {
	q, p, both := strings.Cut(v, " ")
	quota, ok := number(q)
	period, ok2 := uint64(defaultPeriod), true
	if both {
		period, ok2 = number(p)
	}
	if !ok || !ok2 {
		return nil
	}
	return perSecond(quota, period, both)
}

// quota1 is version 1's, in two files.
func quota1(writes []cgroup.Write) []Property {
	quota, period := uint64(0), uint64(defaultPeriod)
	asked := false
	for i := range writes {
		n, ok := number(writes[i].Value)
		switch file := writes[i].File; {
		case ok && file == "cpu.cfs_quota_us":
			quota = n
		case ok && file == "cpu.cfs_period_us":
			period, asked = n, true
		}
	}
	if quota == 0 {
		return nil
	}
	return perSecond(quota, period, asked)
}

// perSecond is the time in a second. systemd keeps whole per cents and cuts
// off the rest, which would be a lower limit, or none at all for less than one.
func perSecond(quota, period uint64, asked bool) []Property {
	us := uint64(infinity)
	if period != 0 && quota < infinity/1_000_000 {
		us = inSecond(quota, period)
	}
	list := []Property{{Name: "CPUQuotaPerSecUSec", Value: us}}
	if asked {
		list = append(list, Property{Name: "CPUQuotaPeriodUSec", Value: period})
	}
	return list
}

// Round gives CPU quotas the values that systemd will write for them, now and
// whenever it writes them again: quotas in whole per cents of a CPU. The writes
// are all those of a new cgroup, whose period is the kernel's if none is written.
func Round(writes []cgroup.Write) {
	period := uint64(defaultPeriod)
	for i := range writes {
		if n, ok := number(writes[i].Value); ok && writes[i].File == "cpu.cfs_period_us" {
			period = n
		}
	}
	for i := range writes {
		switch w := &writes[i]; w.File {
		case "cpu.cfs_quota_us":
			w.Value = round(w.Value, period)
		case "cpu.max":
			q, p, both := strings.Cut(w.Value, " ")
			if n, ok := number(p); ok {
				w.Value = round(q, n) + " " + p
			} else if !both {
				w.Value = round(q, defaultPeriod)
			}
		}
	}
}

func round(quota string, period uint64) string {
	n, ok := number(quota)
	if !ok || n >= infinity/1_000_000 || period == 0 || period > 1_000_000 { // the kernel's greatest period is a second
		return quota
	}
	return strconv.FormatUint(inSecond(n, period)*period/1_000_000, 10)
}

// inSecond is a quota in a second, in whole per cents: the time in microseconds.
func inSecond(quota, period uint64) uint64 {
	const percent = 10_000
	return (quota*1_000_000/period + percent - 1) / percent * percent
}

// bits is a bit for each number, the lowest first.
func bits(name, v string) []Property {
	var set []byte
	for r := range strings.SplitSeq(strings.TrimSpace(v), ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(r), "-")
		if !isRange {
			to = from
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || a < 0 || b > 1<<16 {
			return nil // the kernel says what is wrong with it
		}
		for ; a <= b; a++ {
			for len(set) <= a/8 {
				set = append(set, 0)
			}
			set[a/8] |= 1 << (a % 8)
		}
	}
	if set == nil {
		return nil
	}
	return []Property{{Name: name, Value: set}}
}
