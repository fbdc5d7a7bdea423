package cgroup

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const devicesPath = "linux.resources.devices"

// access is what a rule is about: the kernel's BPF_DEVCG_ACC bits.
type access uint8

const (
	mknod access = 1 << iota
	reading
	writing
	allAccess = mknod | reading | writing
)

func (a access) String() string {
	s := ""
	for i, letter := range [...]string{"r", "w", "m"} {
		if a&[...]access{reading, writing, mknod}[i] != 0 {
			s += letter
		}
	}
	return s
}

const anyNumber = -1

// rule allows or denies access to the devices that it covers.
type rule struct {
	allow        bool
	kind         byte  // 'a', 'b' or 'c'; in a list, 'a' is for all devices with all access only
	major, minor int64 // anyNumber for all
	access       access
	path         string
}

// defaultDevices are those that every container has (config-linux.md, Default
// Devices): null, zero, full, random, urandom, tty, ptmx, and the ends of the
// pseudo-terminals, of which /dev/console is one.
var defaultDevices = [...]rule{
	{true, 'c', 1, 3, allAccess, devicesPath},
	{true, 'c', 1, 5, allAccess, devicesPath},
	{true, 'c', 1, 7, allAccess, devicesPath},
	{true, 'c', 1, 8, allAccess, devicesPath},
	{true, 'c', 1, 9, allAccess, devicesPath},
	{true, 'c', 5, 0, allAccess, devicesPath},
	{true, 'c', 5, 2, allAccess, devicesPath},
	{true, 'c', 136, anyNumber, allAccess, devicesPath},
}

// all reports a rule for everything, which makes all rules before it void.
func (r *rule) all() bool {
	return r.kind == 'a' && r.major == anyNumber && r.minor == anyNumber && r.access == allAccess
}

// covers says that each device of s is one of r.
func (r *rule) covers(s *rule) bool {
	return (r.kind == 'a' || r.kind == s.kind) &&
		(r.major == anyNumber || r.major == s.major) &&
		(r.minor == anyNumber || r.minor == s.minor)
}

// meets says that some device is in both.
func (r *rule) meets(s *rule) bool {
	return (r.kind == 'a' || s.kind == 'a' || r.kind == s.kind) &&
		(r.major == anyNumber || s.major == anyNumber || r.major == s.major) &&
		(r.minor == anyNumber || s.minor == anyNumber || r.minor == s.minor)
}

// String is the rule as version 1 writes it: "c 1:3 rwm".
func (r *rule) String() string {
	if r.all() {
		return "a"
	}
	return string(rune(r.kind)) + " " + orAny(r.major) + ":" + orAny(r.minor) + " " + r.access.String()
}

func orAny(n int64) string {
	if n == anyNumber {
		return "*"
	}
	return number(n)
}

// devices compiles config-linux.md, Allowed Device list: the rules for the
// devices hierarchy of version 1, or a program for version 2.
func (c *compiler) devices(list []specs.LinuxDeviceCgroup) {
	rules, ok := c.rules(list)
	if !ok {
		return
	}
	h, two := c.find("devices"), c.l.v2()
	switch {
	case h != nil:
		c.late = append(c.late, c.deviceWrites(rules)...)
	case two != nil:
		c.late = append(c.late, Write{Controller: "devices", V2: true, Path: devicesPath, Value: ruleText(rules), Program: program(rules)})
	default:
		c.fault(devicesPath, ruleText(rules), "no devices controller on this host, and no cgroup version 2")
	}
}

// rules is the whole list, in order: deny-all first, whether or not the
// configuration says so (SEC-08), then the default devices, then the
// configuration's. There, a rule that denies and names no major number spares
// the default devices, which the spec promises after deny-all too (DC-05); one
// that names a number means it. Nothing else is added: no mknod of any node
// (D-29). What stands before the last rule for everything is left out.
func (c *compiler) rules(list []specs.LinuxDeviceCgroup) (rules []rule, ok bool) {
	rules = make([]rule, 1, 1+2*len(defaultDevices)+2*len(list))
	rules[0] = rule{kind: 'a', major: anyNumber, minor: anyNumber, access: allAccess, path: devicesPath}
	rules = append(rules, defaultDevices[:]...)
	ok = true
	for i := range list {
		r, fine := c.rule(at(devicesPath, i), &list[i])
		if !fine {
			ok = false
			continue
		}
		switch {
		case r.all():
			rules = append(rules[:0], r)
		case r.kind == 'a': // not for everything: one rule for each kind
			r.kind = 'b'
			rules = append(rules, r)
			r.kind = 'c'
			rules = append(rules, r)
		default:
			rules = append(rules, r)
		}
		if !r.allow && r.major == anyNumber && list[i].Type != "b" {
			rules = append(rules, defaultDevices[:]...)
		}
	}
	return rules, ok
}

// rule reads one entry. What is unset stands for all, -1 too, as Docker sends it.
func (c *compiler) rule(path string, d *specs.LinuxDeviceCgroup) (r rule, ok bool) {
	r = rule{allow: d.Allow, kind: 'a', major: anyNumber, minor: anyNumber, path: path}
	switch d.Type {
	case "", "a":
	case "b", "c":
		r.kind = d.Type[0]
	default:
		c.fault(path+".type", shown(d.Type), "neither a, b nor c")
		return r, false
	}
	for _, f := range [...]struct {
		name string
		n    *int64
		to   *int64
	}{{".major", d.Major, &r.major}, {".minor", d.Minor, &r.minor}} {
		if f.n == nil {
			continue
		}
		if *f.n < anyNumber || *f.n > 1<<32-1 {
			c.fault(path+f.name, number(*f.n), "no device number")
			return r, false
		}
		*f.to = *f.n
	}
	if r.access, ok = accessOf(d.Access); !ok {
		c.fault(path+".access", shown(d.Access), "not made of r, w and m")
	}
	return r, ok
}

func accessOf(s string) (a access, ok bool) {
	if s == "" {
		return allAccess, true
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case 'r':
			a |= reading
		case 'w':
			a |= writing
		case 'm':
			a |= mknod
		default:
			return 0, false
		}
	}
	return a, true
}

// ruleText is for whoever reads the plan of a device program.
func ruleText(rules []rule) string {
	texts := make([]string, len(rules))
	for i := range rules {
		verb := "deny "
		if rules[i].allow {
			verb = "allow "
		}
		texts[i] = verb + rules[i].String()
	}
	return strings.Join(texts, ", ")
}
