package seccomp

import "golang.org/x/sys/unix"

// argumentCount is the number of arguments in seccomp_data.
const argumentCount = 6

// badArch answers calls made through an ABI that the filter doesn't have.
const badArch uint32 = unix.SECCOMP_RET_KILL_THREAD

const (
	errnoEPERM  uint32 = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	errnoENOSYS uint32 = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// A condition compares one argument of a call; two is used by maskedEqual alone.
type condition struct {
	index      uint8
	op         operator
	value, two uint64
}

// A rule returns its action for calls on which all its conditions hold.
type rule struct {
	action     uint32
	conditions []condition
	entry      int // of syscalls
}

// A link is the last rule of a chain, and the chain of the rules before it.
// Calls that have the same conditional rules share one chain, whose number is
// the index of its last link; 0 is the empty chain.
type link struct {
	rule int
	prev int
}

// A decision is what the profile says of one call.
type decision struct {
	named  bool   // by whatever rule
	fixed  bool   // action is the answer, whatever the arguments
	action uint32 // of the first rule without conditions
	entry  int32  // of syscalls, whose action that is
	chain  int    // of rules with conditions
}

// A profile is linux.seccomp as values.
type profile struct {
	fallback  uint32 // default action
	notify    bool
	rules     []rule
	links     []link
	decisions [len(callNames)]decision
	doors     [len(callNames)]uint8 // those in throughDoors by their place there, from 1
}

// A verdict is the answer for a call: a chain's, or where chain is 0, action.
type verdict struct {
	chain  int
	action uint32
}

// A run is some rules of a profile that follow each other: [from, to).
type run struct{ from, to int }

// add makes the rules of one entry of syscalls: none if it only repeats the
// default action, else one, or, where some argument has several conditions, one
// for each condition.
func (p *profile) add(entry int, action uint32, conditions []condition) run {
	from := len(p.rules)
	switch {
	case action == p.fallback:
	case !repeatsArgument(conditions):
		p.rules = append(p.rules, rule{action, conditions, entry})
	default:
		for i := range conditions {
			p.rules = append(p.rules, rule{action, conditions[i : i+1], entry})
		}
	}
	return run{from, len(p.rules)}
}

func repeatsArgument(conditions []condition) bool {
	var seen uint
	for _, c := range conditions {
		if seen&(1<<c.index) != 0 {
			return true
		}
		seen |= 1 << c.index
	}
	return false
}

// name applies an entry's rules to a call that it names.
func (p *profile) name(id callID, rules run) {
	d := &p.decisions[id]
	d.named = true
	for i := rules.from; i < rules.to; i++ {
		p.apply(d, i, rules.from)
	}
}

// apply adds the rule i, of an entry whose first rule is from, to a decision.
func (p *profile) apply(d *decision, i, from int) {
	switch r := &p.rules[i]; {
	case d.fixed:
	case len(r.conditions) == 0:
		d.fixed, d.action, d.entry = true, r.action, int32(r.entry)
	default:
		d.chain = p.chain(d.chain, i, from)
	}
}

// chain gives the chain that has the rule i after the chain prev. If another
// call of the same entry has it already, it is among the last links.
func (p *profile) chain(prev, i, from int) int {
	for n := len(p.links) - 1; n > 0 && p.links[n].rule >= from; n-- {
		if p.links[n] == (link{i, prev}) {
			return n
		}
	}
	p.links = append(p.links, link{i, prev})
	return len(p.links) - 1
}

// asksAlike tells whether the last rules of two chains ask each for one value of
// the same argument, and for the same upper half of it.
func (p *profile) asksAlike(chain, other int) bool {
	x, y := p.rules[p.links[chain].rule].conditions, p.rules[p.links[other].rule].conditions
	return chain != 0 && len(x) == 1 && len(y) == 1 && x[0].op == equalTo && y[0].op == equalTo &&
		x[0].index == y[0].index && high(x[0].value) == high(y[0].value)
}

// verdict gives the answer for a call.
func (p *profile) verdict(id callID) verdict {
	switch d := &p.decisions[id]; {
	case d.fixed:
		return verdict{action: d.action}
	case d.chain != 0:
		return verdict{chain: d.chain}
	}
	return verdict{action: p.fallback}
}
