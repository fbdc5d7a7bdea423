package cgroup

import "github.com/opencontainers/runtime-spec/specs-go"

// pids compiles config-linux.md, PIDs. 0 is a limit (PI-02): the program runs
// and can't fork. It is late, since the container's set-up forks.
func (c *compiler) pids(p *specs.LinuxPids) {
	if p == nil || p.Limit == nil {
		return
	}
	w := Write{Controller: "pids", Path: "linux.resources.pids.limit", File: "pids.max", Value: orMax(*p.Limit)}
	switch given := number(*p.Limit); {
	case *p.Limit < -1:
		c.fault(w.Path, given, belowNone)
	case *p.Limit == -1 && c.find("pids") == nil:
	case c.need("pids", w.Path, given) != nil:
		c.late = append(c.late, w)
	}
}
