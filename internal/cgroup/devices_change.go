package cgroup

import "github.com/opencontainers/runtime-spec/specs-go"

// ChangeDevices gives the writes that turn the device rules of Compile for one
// list into those for another, while the container runs. At no moment is a
// device refused, or granted, that both lists grant, or refuse: version 2 gets
// its program replaced in one step, and version 1 first what is new and then
// what has gone. err is of type Faults.
func ChangeDevices(from, to []specs.LinuxDeviceCgroup, l *Layout) ([]Write, error) {
	c := compiler{l: l}
	a, _ := c.rules(from)
	b, _ := c.rules(to)
	h, two := c.find("devices"), c.l.v2()
	switch {
	case len(c.faults) > 0:
	case h != nil:
		c.exceptionWrites(c.exceptions(a), c.exceptions(b))
	case two != nil:
		c.put(Write{Controller: "devices", V2: true, Path: devicesPath, Value: ruleText(b), Program: program(b)})
	default:
		c.fault(devicesPath, ruleText(b), "no devices controller on this host, and no cgroup version 2")
	}
	return c.early, c.err()
}

// exceptions is what version 1 keeps of rules.
func (c *compiler) exceptions(rules []rule) *exceptions {
	e := new(exceptions)
	for i := range rules {
		if r := &rules[i]; !e.apply(r) {
			c.fault(r.path, shown(r.String()), "cgroup version 1 can't make an exception from an exception for more devices")
		}
	}
	e.widen()
	return e
}

// exceptionWrites gives the writes that make b of a.
func (c *compiler) exceptionWrites(a, b *exceptions) {
	if a.allow != b.allow {
		c.fault(devicesPath, "the rules", "what holds for all devices can't be changed while the container runs")
		return
	}
	add, drop := "devices.allow", "devices.deny"
	if a.allow {
		add, drop = drop, add
	}
	for i := range b.rules {
		c.difference(&b.rules[i], a, add)
	}
	for i := range a.rules {
		c.difference(&a.rules[i], b, drop)
	}
}

// difference writes what r has and others haven't.
func (c *compiler) difference(r *rule, others *exceptions, file string) {
	d := *r
	for i := range others.rules {
		if o := &others.rules[i]; o.covers(r) && r.covers(o) {
			d.access &^= o.access
		}
	}
	if d.access != 0 {
		c.put(Write{Controller: "devices", Path: r.path, File: file, Value: d.String()})
	}
}
