package spec

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// resources holds the rules of config-linux.md, Control groups. Zeros that
// engines send for "unset" (shares, weights, swap) are valid.
func (c *checker) resources(at *path, r *specs.LinuxResources) {
	c.deviceRules(at, r.Devices)
	if r.Memory != nil {
		m := at.member("memory")
		c.memory(&m, r.Memory)
	}
	if r.CPU != nil {
		p := at.member("cpu")
		c.cpu(&p, r.CPU)
	}
	if r.Pids != nil && r.Pids.Limit != nil {
		p := at.member("pids")
		c.limit(p.member("limit"), *r.Pids.Limit)
	}
	if r.BlockIO != nil {
		b := at.member("blockIO")
		c.blockIO(&b, r.BlockIO)
	}
	for i := range r.HugepageLimits {
		h := at.item("hugepageLimits", i)
		c.pageSize(h.member("pageSize"), r.HugepageLimits[i].Pagesize)
	}
	if r.Network != nil {
		n := at.member("network")
		for i := range r.Network.Priorities {
			if name := r.Network.Priorities[i].Name; !isInterface(name) {
				p := n.item("priorities", i)
				c.fault(p.member("name"), quote(name)+" is not an interface's name")
			}
		}
	}
	c.rdma(at, r.Rdma)
	c.unified(at, r.Unified)
}

var ruleTypes = [...]string{"a", "c", "b"}

// deviceRules holds the rules of Allowed Device list. Engines write the
// wildcard * as -1.
func (c *checker) deviceRules(at *path, all []specs.LinuxDeviceCgroup) {
	for i := range all {
		d, p := &all[i], at.item("devices", i)
		if d.Type != "" {
			c.oneOf(p.member("type"), "device type", d.Type, ruleTypes[:])
		}
		if d.Major != nil {
			c.between(p.member("major"), *d.Major, -1, mostMajor)
		}
		if d.Minor != nil {
			c.between(p.member("minor"), *d.Minor, -1, mostMinor)
		}
		if strings.Trim(d.Access, "rwm") != "" {
			c.fault(p.member("access"), quote(d.Access)+" has other letters than r, w and m")
		}
	}
}

// memory holds the rules of Memory.
func (c *checker) memory(at *path, m *specs.LinuxMemory) {
	for _, l := range [...]struct {
		name  string
		value *int64
	}{
		{"limit", m.Limit}, {"reservation", m.Reservation}, {"swap", m.Swap}, {"kernel", m.Kernel}, {"kernelTCP", m.KernelTCP},
	} {
		if l.value != nil {
			c.limit(at.member(l.name), *l.value)
		}
	}
	if m.Swap != nil && m.Limit != nil && *m.Swap > 0 && (*m.Limit == -1 || *m.Limit > *m.Swap) {
		c.fault(at.member("swap"), strconv.FormatInt(*m.Swap, 10)+" is less than limit, which is "+
			limitText(*m.Limit)+" (swap is memory and swap together)")
	}
	if m.Swappiness != nil && *m.Swappiness > 100 {
		c.fault(at.member("swappiness"), number(*m.Swappiness)+" is out of range, want 0 to 100")
	}
}

// limit is the rule of numbers for which -1 is no limit.
func (c *checker) limit(at path, n int64) {
	if n < -1 {
		c.fault(at, strconv.FormatInt(n, 10)+" is out of range, want -1 (no limit), 0 or more")
	}
}

func limitText(n int64) string {
	if n == -1 {
		return "-1, no limit"
	}
	return strconv.FormatInt(n, 10)
}

// cpu holds the rules of CPU.
func (c *checker) cpu(at *path, u *specs.LinuxCPU) {
	if u.Burst != nil && u.Quota != nil && *u.Quota > 0 && *u.Burst > uint64(*u.Quota) {
		c.fault(at.member("burst"), number(*u.Burst)+" is more than quota, which is "+strconv.FormatInt(*u.Quota, 10))
	}
	if u.Idle != nil {
		c.between(at.member("idle"), *u.Idle, 0, 1)
	}
	c.numbers(at.member("cpus"), u.Cpus)
	c.numbers(at.member("mems"), u.Mems)
}

// blockIO holds the rules of Block IO.
func (c *checker) blockIO(at *path, b *specs.LinuxBlockIO) {
	c.weight(at.member("weight"), b.Weight)
	c.weight(at.member("leafWeight"), b.LeafWeight)
	for i := range b.WeightDevice {
		d, p := &b.WeightDevice[i], at.item("weightDevice", i)
		c.number(&p, d.LinuxBlockIODevice)
		if d.Weight == nil && d.LeafWeight == nil {
			c.fault(p, "needs weight or leafWeight")
		}
		c.weight(p.member("weight"), d.Weight)
		c.weight(p.member("leafWeight"), d.LeafWeight)
	}
	for _, list := range [...]struct {
		name    string
		devices []specs.LinuxThrottleDevice
	}{
		{"throttleReadBpsDevice", b.ThrottleReadBpsDevice}, {"throttleWriteBpsDevice", b.ThrottleWriteBpsDevice},
		{"throttleReadIOPSDevice", b.ThrottleReadIOPSDevice}, {"throttleWriteIOPSDevice", b.ThrottleWriteIOPSDevice},
	} {
		for i := range list.devices {
			p := at.item(list.name, i)
			c.number(&p, list.devices[i].LinuxBlockIODevice)
		}
	}
}

// number is the rule of device numbers.
func (c *checker) number(at *path, d specs.LinuxBlockIODevice) {
	c.between(at.member("major"), d.Major, 0, mostMajor)
	c.between(at.member("minor"), d.Minor, 0, mostMinor)
}

// weight is the range of both cgroup versions together: 10 to 1000 on v1, 1 to
// 1000 for v2's bfq. 0 is what engines send for none.
func (c *checker) weight(at path, w *uint16) {
	if w != nil {
		c.between(at, int64(*w), 0, 1000)
	}
}

// pageSize is the rule of Huge page limits for its format; every size that a
// kernel has is a power of two.
func (c *checker) pageSize(at path, s string) {
	digits := strings.TrimRight(s, "KMGB")
	n, err := strconv.ParseUint(digits, 10, 32)
	unit := s[len(digits):]
	if err != nil || digits[0] == '0' || unit != "KB" && unit != "MB" && unit != "GB" {
		c.fault(at, quote(s)+` is not a size such as "64KB", "2MB" or "1GB"`)
	} else if n&(n-1) != 0 {
		c.fault(at, quote(s)+" is not a power of two, so no kernel has such pages")
	}
}

// rdma holds the rules of RDMA.
func (c *checker) rdma(at *path, all map[string]specs.LinuxRdma) {
	p := at.member("rdma")
	for name, r := range all {
		if r.HcaHandles == nil && r.HcaObjects == nil {
			c.fault(p.member(name), "needs hcaHandles or hcaObjects")
		}
		if name == "" || strings.ContainsAny(name, " \t\n") {
			c.fault(p.member(name), quote(name)+" is not a device's name")
		}
	}
}

// unified is the rule that a key is the name of a file in the cgroup's own directory.
func (c *checker) unified(at *path, all map[string]string) {
	p := at.member("unified")
	for key := range all {
		if key == "" || key == "." || key == ".." || strings.IndexByte(key, '/') >= 0 {
			c.fault(p.member(key), quote(key)+" is not the name of a cgroup's file")
		}
	}
}
