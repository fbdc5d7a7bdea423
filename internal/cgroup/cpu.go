package cgroup

import (
	"math"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const cpuPath = "linux.resources.cpu."

// cpu compiles config-linux.md, CPU, without the cpuset.
func (c *compiler) cpu(u *specs.LinuxCPU) {
	if u == nil {
		return
	}
	c.shares(u.Shares)
	c.bandwidth(u)
	c.realtime(u)
	c.idle(u.Idle)
}

// shares: Docker always sends 0 for unset; the kernel would make 2 of it. An
// idle cgroup refuses shares until idle is taken away.
func (c *compiler) shares(n *uint64) {
	if n == nil || *n == 0 {
		return
	}
	w := Write{Controller: "cpu", Path: cpuPath + "shares", File: "cpu.shares", Value: natural(*n), Retry: true}
	h := c.need("cpu", w.Path, w.Value)
	if h == nil {
		return
	}
	if h.V2 {
		w.File, w.Value = "cpu.weight", natural(weightOfShares(*n))
	}
	c.put(w)
}

// weightOfShares converts version 1's shares, 2…262144 and 1024 by default, to
// version 2's weight, 1…10000 and 100 by default, by the curve through these
// three points that crun 1.23 and runc 1.4 use:
//
//	weight = 10^((log2(shares)² + 125·log2(shares))/612 - 7/34)
//
// The straight line of older runtimes made 39 out of the default.
func weightOfShares(n uint64) uint64 {
	if n <= 2 {
		return 1
	}
	if n >= 262144 {
		return 10000
	}
	l := math.Log2(float64(n))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// bandwidth: quota, period and burst. A negative quota is none; 0 is unset for
// quota and period, and for burst the kernel's default. Each of the three is
// checked by the kernel against the others, old or new: hence Retry.
func (c *compiler) bandwidth(u *specs.LinuxCPU) {
	quota, period := u.Quota, u.Period
	if quota != nil && *quota == 0 {
		quota = nil
	}
	if period != nil && *period == 0 {
		period = nil
	}
	if u.Burst != nil && quota != nil && *quota > 0 && *u.Burst > uint64(*quota) {
		c.fault(cpuPath+"burst", natural(*u.Burst), "more than the quota of "+number(*quota))
		return
	}
	h := c.find("cpu")
	if h != nil && h.V2 {
		c.bandwidth2(quota, period, u.Burst)
		return
	}
	if period != nil && c.need("cpu", cpuPath+"period", natural(*period)) != nil {
		c.put(Write{Controller: "cpu", Path: cpuPath + "period", File: "cpu.cfs_period_us", Value: natural(*period), Retry: true})
	}
	if quota != nil && c.need("cpu", cpuPath+"quota", number(*quota)) != nil {
		c.put(Write{Controller: "cpu", Path: cpuPath + "quota", File: "cpu.cfs_quota_us", Value: number(max(*quota, -1)), Retry: true})
	}
	c.burst(u.Burst, "cpu.cfs_burst_us")
}

// bandwidth2 is version 2's: "QUOTA PERIOD" in cpu.max.
func (c *compiler) bandwidth2(quota *int64, period, burst *uint64) {
	w := Write{Controller: "cpu", Path: cpuPath + "quota", File: "cpu.max", Value: "max", Retry: true}
	if quota != nil {
		w.Value = orMax(*quota)
	} else {
		w.Path = cpuPath + "period"
	}
	if period != nil {
		w.Value += " " + natural(*period)
	}
	if quota != nil || period != nil {
		c.put(w)
	}
	c.burst(burst, "cpu.max.burst")
}

func (c *compiler) burst(n *uint64, file string) {
	if n == nil || *n == 0 && c.find("cpu") == nil {
		return
	}
	w := Write{Controller: "cpu", Path: cpuPath + "burst", File: file, Value: natural(*n), Optional: *n == 0}
	if c.need("cpu", w.Path, w.Value) != nil {
		c.put(w)
	}
}

// realtime: only version 1, and only a kernel with CONFIG_RT_GROUP_SCHED. A
// runtime of 0 is a new cgroup's own.
func (c *compiler) realtime(u *specs.LinuxCPU) {
	if n := u.RealtimePeriod; n != nil && *n != 0 {
		c.realtimeFile("realtimePeriod", "cpu.rt_period_us", natural(*n), false)
	}
	if n := u.RealtimeRuntime; n != nil {
		c.realtimeFile("realtimeRuntime", "cpu.rt_runtime_us", number(*n), *n == 0)
	}
}

func (c *compiler) realtimeFile(name, file, value string, nothing bool) {
	path, h := cpuPath+name, c.find("cpu")
	switch {
	case nothing && (h == nil || h.V2):
	case h == nil:
		c.need("cpu", path, value)
	case h.V2:
		c.fault(path, value, notOnV2)
	default:
		c.put(Write{Controller: "cpu", Path: path, File: file, Value: value, Retry: true, Optional: nothing})
	}
}

// idle: in both versions since Linux 5.15.
func (c *compiler) idle(n *int64) {
	if n == nil {
		return
	}
	w := Write{Controller: "cpu", Path: cpuPath + "idle", File: "cpu.idle", Value: number(*n), Optional: *n == 0}
	if *n != 0 && *n != 1 {
		c.fault(w.Path, w.Value, "neither 0 nor 1")
		return
	}
	if *n == 0 && c.find("cpu") == nil {
		return
	}
	if c.need("cpu", w.Path, w.Value) != nil {
		c.put(w)
	}
}

// cpuset: the lists have the same names in both versions.
func (c *compiler) cpuset(u *specs.LinuxCPU) {
	if u == nil {
		return
	}
	for _, f := range [...]struct{ name, list string }{{"cpus", u.Cpus}, {"mems", u.Mems}} {
		if f.list == "" {
			continue
		}
		path := cpuPath + f.name
		if !isList(f.list) {
			c.fault(path, shown(f.list), "no list of numbers and ranges such as 0-3,7")
			continue
		}
		if c.need("cpuset", path, shown(f.list)) != nil {
			c.put(Write{Controller: "cpuset", Path: path, File: "cpuset." + f.name, Value: f.list})
		}
	}
}

// isList: digits, commas, dashes, and the newline that some leave at the end.
// Ranges are the kernel's to check.
func isList(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && c != ',' && c != '-' && c != ' ' && c != '\n' {
			return false
		}
	}
	return true
}
