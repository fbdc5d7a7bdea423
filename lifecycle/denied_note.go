package lifecycle

import (
	"slices"
	"strconv"

	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/internal/listener"
	"github.com/minirt/minirt/internal/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// kind is what is counted as one Denial.
type kind struct {
	arch, number uint32
	pid          int
	program      string
	rule         string
}

// most is how many kinds are told of: a container may make any number.
const most = 4096

// note counts a refused call, and describes it if it is the first of its kind.
// The thread waits meanwhile.
func (t *tracer) note(n *listener.Notification, value uint32, p *caller) {
	abi, listed := t.abiOf(&n.Call)
	rule := seccomp.Rule{Path: ".architectures"}
	if listed {
		rules := t.filter.Rules(abi, n.Call.Number)
		i := slices.IndexFunc(rules, func(r seccomp.Rule) bool { return r.Holds(n.Call.Args) })
		rule = rules[i] // the last always does
	}
	k := kind{n.Call.Arch, n.Call.Number, p.pid, p.name, rule.Path}
	if i, ok := t.kinds[k]; ok {
		t.List[i].Count++
		return
	}
	if len(t.List) == most {
		t.Others++
		return
	}
	d := Denial{
		Number: n.Call.Number, ABI: abi, PID: p.pid, Program: p.name, Args: n.Call.Args, Count: 1,
		Action: seccomp.ActionText(value), Rule: "linux.seccomp" + rule.Path, When: rule.When, Newest: rule.Newest,
	}
	if abi != "" {
		d.Call = seccomp.Name(abi, d.Number)
	}
	found := paths(d.Call, n.Thread, &d.Args)
	if listener.Valid(t.listener, n.ID) {
		d.Paths = found
	}
	d.Remedy = t.remedy(&d, rule.Path)
	t.kinds[k] = len(t.List)
	t.List = append(t.List, d)
}

// abiOf finds the ABI of a call, and whether the profile has it.
func (t *tracer) abiOf(c *seccomp.Call) (abi specs.Arch, listed bool) {
	is := func(a specs.Arch) bool { return seccomp.Audit(a) == c.Arch && seccomp.Possible(a, c.Number) }
	for _, a := range t.filter.Architectures {
		if is(a) {
			return a, true
		}
	}
	for _, word := range seccomp.Architectures() {
		if a := specs.Arch(word); is(a) {
			return a, false
		}
	}
	return "", false
}

// A Remedy is a change of config.json by which a call is allowed, whatever its
// arguments. It is the least change, not advice: the profile may be right.
type Remedy struct {
	Do    string // RemedyAdd or RemedyRemove; "" if there is none
	Place string // a path of config.json: "linux.seccomp.syscalls"
	Value string // JSON
}

// What a Remedy may do.
const (
	RemedyAdd    = "add"    // put Value in front of the list at Place
	RemedyRemove = "remove" // take Value out of the list at Place
)

// remedy finds it. An entry without args that stands first decides, whatever
// follows; but one with the default's action counts for nothing.
func (t *tracer) remedy(d *Denial, rule string) Remedy {
	switch {
	case rule == ".architectures" && d.ABI != "":
		return Remedy{RemedyAdd, "linux.seccomp.architectures", string(json.AppendString(nil, string(d.ABI)))}
	case d.Call == "":
		return Remedy{}
	case t.profile.DefaultAction != specs.ActAllow:
		return Remedy{RemedyAdd, "linux.seccomp.syscalls", allowing([]string{d.Call})}
	}
	for i := range t.profile.Syscalls {
		if rule == index(".syscalls", i) && slices.Contains(t.profile.Syscalls[i].Names, d.Call) {
			return Remedy{RemedyRemove, "linux.seccomp" + rule + ".names", string(json.AppendString(nil, d.Call))}
		}
	}
	return Remedy{} // it is refused for a call that it leads to: socketcall(2)
}

// allowing is an entry of linux.seccomp.syscalls.
func allowing(names []string) string {
	b := []byte(`{"names": [`)
	for i, name := range names {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = json.AppendString(b, name)
	}
	return string(append(b, `], "action": "SCMP_ACT_ALLOW"}`...))
}

// name is the call's name, or its number if it has none.
func (d *Denial) name() string {
	if d.Call == "" {
		return "call " + strconv.FormatUint(uint64(d.Number), 10)
	}
	return d.Call
}

// arch is the ABI's word, or its AUDIT_ARCH_ number.
func (d *Denial) arch() string {
	if d.ABI == "" {
		return "an unknown ABI"
	}
	return string(d.ABI)
}
