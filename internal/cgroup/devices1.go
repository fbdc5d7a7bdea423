package cgroup

// exceptions is what the devices hierarchy of version 1 keeps: a default, and
// a list of exceptions from it (Linux, security/device_cgroup.c). It isn't an
// ordered list: a rule that goes with the default only takes away exceptions
// for the very same numbers, and does nothing at all, in silence, about part of
// a wider one. So the list's meaning is worked out here, and a rule that can't
// be expressed is refused rather than lost.
type exceptions struct {
	allow bool
	rules []rule // all with allow == !exceptions.allow, no two for the same numbers
}

// deviceWrites gives the writes that put the rules in force in a cgroup
// without children.
func (c *compiler) deviceWrites(rules []rule) []Write {
	before := len(c.faults)
	e := c.exceptions(rules)
	if len(c.faults) > before {
		return nil
	}
	files := [...]string{"devices.deny", "devices.allow"}
	if e.allow {
		files = [...]string{"devices.allow", "devices.deny"}
	}
	w := make([]Write, 1, 1+len(e.rules))
	w[0] = Write{Controller: "devices", Path: devicesPath, File: files[0], Value: "a"}
	for _, own := range [...]bool{true, false} { // the configuration's first: who reads devices.list finds them where they are listed
		for i := range e.rules {
			if r := &e.rules[i]; own == (r.path != devicesPath) {
				w = append(w, Write{Controller: "devices", Path: r.path, File: files[1], Value: r.String()})
			}
		}
	}
	return w
}

// apply adds the next rule; false if that can't be expressed.
func (e *exceptions) apply(r *rule) bool {
	switch {
	case r.all():
		e.allow, e.rules = r.allow, e.rules[:0]
	case r.allow == e.allow:
		return e.subtract(r)
	default:
		e.add(r)
	}
	return true
}

func (e *exceptions) add(r *rule) {
	for i := range e.rules {
		if x := &e.rules[i]; x.covers(r) && r.covers(x) {
			x.access |= r.access
			return
		}
	}
	e.rules = append(e.rules, *r)
}

func (e *exceptions) subtract(r *rule) bool {
	left := e.rules[:0]
	for _, x := range e.rules {
		if x.meets(r) && x.access&r.access != 0 {
			if !r.covers(&x) {
				return false
			}
			if x.access &^= r.access; x.access == 0 {
				continue
			}
		}
		left = append(left, x)
	}
	e.rules = left
	return true
}

// widen gives each exception the access of those that cover it: the kernel
// wants one exception that has all that is asked for, so "c *:* m" and
// "c 1:3 rw" wouldn't make "c 1:3 rwm".
func (e *exceptions) widen() {
	for i := range e.rules {
		for j := range e.rules {
			if e.rules[j].covers(&e.rules[i]) {
				e.rules[i].access |= e.rules[j].access
			}
		}
	}
}
