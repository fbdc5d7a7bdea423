package spec

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// linux holds the rules of config-linux.md, in its order.
func (c *checker) linux(at *path, l *specs.Linux, ns namespaces) {
	c.userMappings(at, l, ns)
	c.timeOffsets(at, l.TimeOffsets, ns)
	c.devices(at, l.Devices)
	c.netDevices(at, l.NetDevices, ns)
	c.cgroupsPath(at.member("cgroupsPath"), l.CgroupsPath)
	if l.Resources != nil {
		r := at.member("resources")
		c.resources(&r, l.Resources)
	}
	if l.IntelRdt != nil {
		i := at.member("intelRdt")
		c.intelRdt(&i, l.IntelRdt)
	}
	c.sysctl(at, l.Sysctl, ns)
	if l.Seccomp != nil {
		s := at.member("seccomp")
		c.seccomp(&s, l.Seccomp)
	}
	if l.RootfsPropagation != "" {
		c.oneOf(at.member("rootfsPropagation"), "propagation", l.RootfsPropagation, propagations[:])
	}
	for i, p := range l.MaskedPaths {
		c.absolute(at.item("maskedPaths", i), p)
	}
	for i, p := range l.ReadonlyPaths {
		c.absolute(at.item("readonlyPaths", i), p)
	}
	if l.Personality != nil {
		c.personality(at, l.Personality)
	}
	if l.MemoryPolicy != nil {
		p := at.member("memoryPolicy")
		c.memoryPolicy(&p, l.MemoryPolicy)
	}
}

// personality holds the rules of config-linux.md, Personality: no flag is defined.
func (c *checker) personality(at *path, p *specs.LinuxPersonality) {
	domains := [...]string{"LINUX", "LINUX32"}
	m := at.member("personality")
	c.oneOf(m.member("domain"), "domain", string(p.Domain), domains[:])
	if len(p.Flags) > 0 {
		c.fault(m.item("flags", 0), quote(string(p.Flags[0]))+" is not supported, no flag is")
	}
}

// intelRdt holds the rules of config-linux.md, IntelRdt. closID is a
// directory's name in resctrl, or / for its root.
func (c *checker) intelRdt(at *path, r *specs.LinuxIntelRdt) {
	if id := r.ClosID; id == "." || id == ".." || id != "/" && strings.ContainsAny(id, "/\n") {
		c.fault(at.member("closID"), quote(id)+" is neither / nor a directory's name")
	}
	if s := r.L3CacheSchema; s != "" && !strings.HasPrefix(s, "L3:") {
		c.warn(at.member("l3CacheSchema"), quote(s)+` does not begin with "L3:"`)
	}
	if s := r.MemBwSchema; s != "" && !strings.HasPrefix(s, "MB:") {
		c.fault(at.member("memBwSchema"), quote(s)+` does not begin with "MB:"`)
	}
	c.oneLine(at.member("memBwSchema"), r.MemBwSchema)
	for i, s := range r.Schemata {
		c.oneLine(at.item("schemata", i), s)
	}
}

func (c *checker) oneLine(at path, s string) {
	if strings.IndexByte(s, '\n') >= 0 {
		c.fault(at, quote(s)+" has a newline")
	}
}

var (
	memoryModes = [...]string{
		"MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE",
		"MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_LOCAL",
	}
	memoryFlags = [...]string{"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES"}
)

// memoryPolicy holds the rules of config-linux.md, Memory policy, and of set_mempolicy(2).
func (c *checker) memoryPolicy(at *path, p *specs.LinuxMemoryPolicy) {
	if !c.oneOf(at.member("mode"), "mode", string(p.Mode), memoryModes[:]) {
		return
	}
	none := p.Mode == specs.MpolDefault || p.Mode == specs.MpolLocal
	switch {
	case none && p.Nodes != "":
		c.fault(at.member("nodes"), quote(p.Nodes)+" must be empty for "+string(p.Mode))
	case !none && p.Nodes == "" && p.Mode != specs.MpolPreferred:
		c.fault(at.member("nodes"), "needs at least one node for "+string(p.Mode))
	}
	c.numbers(at.member("nodes"), p.Nodes)
	has := [len(memoryFlags)]bool{}
	for i, f := range p.Flags {
		if c.oneOf(at.item("flags", i), "flag", string(f), memoryFlags[:]) {
			for n := range memoryFlags {
				has[n] = has[n] || memoryFlags[n] == string(f)
			}
		}
	}
	if has[0] && p.Mode != specs.MpolBind && p.Mode != specs.MpolPreferredMany {
		c.fault(at.member("flags"), memoryFlags[0]+" is for MPOL_BIND and MPOL_PREFERRED_MANY only, mode is "+string(p.Mode))
	}
	if has[1] && has[2] {
		c.fault(at.member("flags"), memoryFlags[1]+" and "+memoryFlags[2]+" exclude each other")
	}
}

// cgroupsPath is the rule that a cgroup must not leave its place. The text may
// be a path or, for systemd, slice:prefix:name.
func (c *checker) cgroupsPath(at path, p string) {
	for part := range strings.FieldsFuncSeq(p, func(r rune) bool { return r == '/' || r == ':' }) {
		if part == ".." {
			c.fault(at, quote(p)+` has a ".." in it`)
			break
		}
	}
	c.oneLine(at, p)
}

// number words an unsigned number.
func number[T uint | uint16 | uint32 | uint64](n T) string { return strconv.FormatUint(uint64(n), 10) }
