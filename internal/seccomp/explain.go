package seccomp

import (
	"iter"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An Explanation is a filter with what it was made of.
type Explanation struct {
	Filter *Filter
	// Architectures are the ABIs that the filter has, the machine's own first.
	Architectures []specs.Arch
	profile       *profile
}

// Explain compiles s as Compile does, with the same warnings and errors.
func Explain(s *specs.LinuxSeccomp, goarch string) (x *Explanation, warnings []string, err error) {
	f, p, warnings, err := compile(s, goarch)
	if err != nil {
		return nil, warnings, err
	}
	own := archs[native(goarch)].name
	abis := []specs.Arch{own}
	for i := range archs {
		if word := archs[i].name; word != own && slices.Contains(s.Architectures, word) {
			abis = append(abis, word)
		}
	}
	return &Explanation{f, abis, p}, warnings, nil
}

// A Rule is one of those that may decide a call.
type Rule struct {
	Path   string // of its action, below linux.seccomp: ".syscalls[3]", ".defaultAction"
	Action uint32 // what the filter returns, SECCOMP_RET_ and its data
	When   string // what the arguments must be, "" for whatever
	// Newest is set if the call is answered otherwise than defaultAction says, for
	// its number is greater than that of this call, the newest that the profile names.
	Newest     string
	conditions []condition
}

// Holds tells whether the rule applies to these arguments.
func (r *Rule) Holds(args [argumentCount]uint64) bool {
	for _, c := range r.conditions {
		if !c.holds(args[c.index]) {
			return false
		}
	}
	return true
}

func (c condition) holds(v uint64) bool {
	switch c.op {
	case notEqual:
		return v != c.value
	case lessThan:
		return v < c.value
	case lessEqual:
		return v <= c.value
	case greaterEqual:
		return v >= c.value
	case greaterThan:
		return v > c.value
	case maskedEqual:
		return v&c.value == c.two&c.value
	}
	return v == c.value
}

// Rules gives those for a call of one of the filter's Architectures: the first
// that holds decides, and the last always does.
func (x *Explanation) Rules(abi specs.Arch, number uint32) []Rule {
	s, i := spanOf(abi, number)
	if s == nil {
		return []Rule{x.byDefault()}
	}
	p, newest := x.profile, x.profile.newest(*s)
	if i < len(s.calls) && s.calls[i] != noCall && p.decisions[s.calls[i]].named {
		return x.rulesOf(&p.decisions[s.calls[i]])
	}
	if answer := p.beyond(i, newest).action; answer != p.fallback {
		return []Rule{{Path: ".defaultAction", Action: answer, Newest: callNames[s.calls[newest]]}}
	}
	return []Rule{x.byDefault()}
}

func (x *Explanation) byDefault() Rule {
	return Rule{Path: ".defaultAction", Action: x.profile.fallback}
}

func (x *Explanation) rulesOf(d *decision) (rules []Rule) {
	if d.fixed {
		return []Rule{{Path: entry(int(d.entry)), Action: d.action}}
	}
	rules = append(rules, x.byDefault())
	for chain := d.chain; chain != 0; chain = x.profile.links[chain].prev {
		r := &x.profile.rules[x.profile.links[chain].rule]
		rules = append(rules, Rule{Path: entry(r.entry), Action: r.action, When: conditionsText(r.conditions), conditions: r.conditions})
	}
	slices.Reverse(rules)
	return rules
}

// spanOf gives the last span that begins at the number or below, and the
// number's index in it, or that after its last call; nil if there is none.
func spanOf(abi specs.Arch, number uint32) (s *span, i int) {
	spans := archs[findArch(abi)].spans
	for i := range slices.Backward(spans) {
		if s := &spans[i]; number >= s.base {
			return s, int(min(number-s.base, uint32(len(s.calls))))
		}
	}
	return nil, 0
}

// Possible tells whether calls through an ABI may have that number: x86-64 and
// x32 share one AUDIT_ARCH_ value and are told apart by it.
func Possible(abi specs.Arch, number uint32) bool {
	return Audit(abi) != unix.AUDIT_ARCH_X86_64 || (abi == specs.ArchX32) == (number >= x32Bit)
}

// Calls gives the numbers and names of all calls of an ABI, by number.
func Calls(abi specs.Arch) iter.Seq2[uint32, string] {
	return func(yield func(uint32, string) bool) {
		for _, s := range archs[findArch(abi)].spans {
			for i, id := range s.calls {
				if id != noCall && !yield(s.base+uint32(i), callNames[id]) {
					return
				}
			}
		}
	}
}

// Name is the name of a call, "" where the ABI has none of that number.
func Name(abi specs.Arch, number uint32) string {
	if s, i := spanOf(abi, number); s != nil && i < len(s.calls) && s.calls[i] != noCall {
		return callNames[s.calls[i]]
	}
	return ""
}

// Audit is the AUDIT_ARCH_ value of an ABI's calls, 0 for a word that isn't known.
func Audit(abi specs.Arch) uint32 {
	if i := findArch(abi); i >= 0 {
		return archs[i].audit
	}
	return 0
}

// Bar tells what keeps any program from being started under the filter: that it
// refuses a call which must still be made behind it. That is execve(2), and where
// there is a listener also read(2), write(2) and close(2), by which the process
// waits until the agent has it, and then at its gate.
func (x *Explanation) Bar() *Error {
	behind := []string{"execve", "read", "write", "close"}
	if !x.Filter.Notify {
		behind = behind[:1]
	}
	for _, name := range behind {
		if bar := x.refuses(name); bar != nil {
			return bar
		}
	}
	return nil
}

// refuses says so if the filter lets no such call of the machine's own ABI
// through, whatever its arguments: neither allows, logs, nor leaves it to a
// tracer or an agent.
func (x *Explanation) refuses(name string) *Error {
	for number, known := range Calls(x.Architectures[0]) {
		if known != name {
			continue
		}
		rules := x.Rules(x.Architectures[0], number)
		if slices.ContainsFunc(rules, Rule.admits) {
			return nil
		}
		r := rules[len(rules)-1]
		return &Error{"linux.seccomp" + r.Path, "answers " + name + " with " + ActionText(r.Action) + ": no program can be started under this filter"}
	}
	return nil
}

func (r Rule) admits() bool {
	switch r.Action & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_TRACE, unix.SECCOMP_RET_USER_NOTIF:
		return true
	}
	return false
}
