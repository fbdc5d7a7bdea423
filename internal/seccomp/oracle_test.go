package seccomp

import (
	"slices"

	"github.com/minirt/minirt/internal/seccomp/seccomptest"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An oracle is the package comment as a program: slow, and written without the
// compiler's parts, but for the tables of names and words.
type oracle struct {
	s     *specs.LinuxSeccomp
	peer  bool // decide as libseccomp does where it is meant to differ: docs/seccomp.md
	own   specs.Arch
	known map[callData][]specs.LinuxSyscall // rulesFor of a number and arch
	last  map[callData]int                  // newest of an arch and a span's base
}

func (o *oracle) decide(d callData) uint32 {
	s := o.s
	fallback := seccomptest.ReturnValue(s.DefaultAction, s.DefaultErrnoRet)
	abi := abiOf(d)
	if abi == minusOne && (o.handles(specs.ArchX86_64) || o.handles(specs.ArchX32)) {
		return o.orNewer(o.lastX86(), fallback, d)
	}
	if !o.handles(abi) {
		return unix.SECCOMP_RET_KILL_THREAD
	}
	rules := o.rules(abi, d)
	for _, r := range rules {
		if len(r.Args) == 0 {
			return seccomptest.ReturnValue(r.Action, r.ErrnoRet)
		}
	}
	if o.peer && !is64[abi] {
		rules, d = lowerHalves(rules, d)
	}
	for _, r := range rules {
		if allHold(r.Args, d) {
			return seccomptest.ReturnValue(r.Action, r.ErrnoRet)
		}
	}
	return o.orNewer(abi, fallback, d)
}

// is64 has the ABIs whose arguments have 64 bits in libseccomp.
var is64 = map[specs.Arch]bool{
	specs.ArchX86_64: true, specs.ArchAARCH64: true, specs.ArchMIPS64: true, specs.ArchMIPSEL64: true, specs.ArchPPC64: true,
	specs.ArchPPC64LE: true, specs.ArchS390X: true, specs.ArchPARISC64: true, specs.ArchRISCV64: true,
}

// lowerHalves is what libseccomp looks at in ABIs of 32 bits.
func lowerHalves(rules []specs.LinuxSyscall, d callData) ([]specs.LinuxSyscall, callData) {
	rules = slices.Clone(rules)
	for i := range rules {
		rules[i].Args = slices.Clone(rules[i].Args)
		for j := range rules[i].Args {
			a := &rules[i].Args[j]
			a.Value, a.ValueTwo = a.Value&(1<<32-1), a.ValueTwo&(1<<32-1)
		}
	}
	for i := range d.args {
		d.args[i] &= 1<<32 - 1
	}
	return rules, d
}

func (o *oracle) handles(abi specs.Arch) bool {
	return abi == o.own || slices.Contains(o.s.Architectures, abi)
}

func (o *oracle) rules(abi specs.Arch, d callData) []specs.LinuxSyscall {
	key := callData{number: d.number, arch: d.arch}
	rules, ok := o.known[key]
	if !ok {
		rules = o.rulesFor(abi, d.number)
		if o.known == nil {
			o.known = map[callData][]specs.LinuxSyscall{}
		}
		o.known[key] = rules
	}
	return rules
}

// lastX86 gives the x86-64 ABI whose numbers are the greatest.
func (o *oracle) lastX86() specs.Arch {
	if o.handles(specs.ArchX32) {
		return specs.ArchX32
	}
	return specs.ArchX86_64
}

// rulesFor gives the entries for a call that aren't the default action, those
// of the calls behind socketcall and ipc among them.
func (o *oracle) rulesFor(abi specs.Arch, number uint32) (rules []specs.LinuxSyscall) {
	s := o.s
	name := nameOf(abi, number)
	for _, r := range s.Syscalls {
		if seccomptest.ReturnValue(r.Action, r.ErrnoRet) == seccomptest.ReturnValue(s.DefaultAction, s.DefaultErrnoRet) {
			continue
		}
		for _, named := range r.Names {
			if named == name {
				rules = append(rules, seccomptest.Split(r)...)
			}
			for _, m := range throughDoors {
				lets := r.Action == specs.ActAllow || r.Action == specs.ActLog
				if m.name == named && m.door == name && !(lets && !o.peer && len(r.Args) > 0) {
					behind := r
					behind.Args = []specs.LinuxSeccompArg{{Index: 0, Value: m.first[0].value, ValueTwo: m.first[0].two, Op: specs.OpMaskedEqual}}
					if o.peer { // which puts the number in the place of argument 0
						behind.Args = []specs.LinuxSeccompArg{{Index: 0, Value: m.first[0].two, Op: specs.OpEqualTo}}
						for _, a := range r.Args {
							if a.Index > 0 {
								behind.Args = append(behind.Args, a)
							}
						}
					}
					rules = append(rules, behind)
				}
			}
		}
	}
	return rules
}

func allHold(args []specs.LinuxSeccompArg, d callData) bool {
	for _, a := range args {
		if !holds(a, d.args[a.Index]) {
			return false
		}
	}
	return true
}

func holds(a specs.LinuxSeccompArg, v uint64) bool {
	switch a.Op {
	case specs.OpNotEqual:
		return v != a.Value
	case specs.OpLessThan:
		return v < a.Value
	case specs.OpLessEqual:
		return v <= a.Value
	case specs.OpEqualTo:
		return v == a.Value
	case specs.OpGreaterEqual:
		return v >= a.Value
	case specs.OpGreaterThan:
		return v > a.Value
	}
	return v&a.Value == a.ValueTwo&a.Value
}

// orNewer is ENOSYS for a call that is newer than all that the profile names.
func (o *oracle) orNewer(abi specs.Arch, fallback uint32, d callData) uint32 {
	if fallback != errnoEPERM || o.peer {
		return fallback
	}
	for _, sp := range slices.Backward(spansOf(abi)) {
		if d.number < sp.base {
			continue
		}
		if newest := o.newest(abi, sp, d.arch); newest >= 0 && d.number > sp.base+uint32(newest) {
			return errnoENOSYS
		}
		return fallback
	}
	return fallback
}

func (o *oracle) newest(abi specs.Arch, sp span, audit uint32) int {
	key := callData{number: sp.base, arch: audit}
	newest, ok := o.last[key]
	if ok {
		return newest
	}
	newest = -1
	for i, id := range sp.calls {
		if id != noCall && (isNamed(o.s, callNames[id]) || len(o.rulesFor(abi, sp.base+uint32(i))) > 0) {
			newest = i
		}
	}
	if o.last == nil {
		o.last = map[callData]int{}
	}
	o.last[key] = newest
	return newest
}

func isNamed(s *specs.LinuxSeccomp, name string) bool {
	return slices.ContainsFunc(s.Syscalls, func(r specs.LinuxSyscall) bool { return slices.Contains(r.Names, name) })
}

// minusOne is x86-64's number that is of no ABI.
const minusOne specs.Arch = "-1"

// abiOf gives the ABI of a call, or "" where no word means it.
func abiOf(d callData) specs.Arch {
	switch {
	case d.arch == unix.AUDIT_ARCH_X86_64 && d.number == 1<<32-1:
		return minusOne
	case d.arch == unix.AUDIT_ARCH_X86_64 && d.number >= 0x40000000:
		return specs.ArchX32
	}
	for _, a := range archs {
		if a.audit == d.arch {
			return a.name
		}
	}
	return ""
}

func spansOf(abi specs.Arch) []span {
	for _, a := range archs {
		if a.name == abi {
			return a.spans
		}
	}
	return nil
}

func nameOf(abi specs.Arch, number uint32) string {
	for _, s := range spansOf(abi) {
		if number >= s.base && number-s.base < uint32(len(s.calls)) && s.calls[number-s.base] != noCall {
			return callNames[s.calls[number-s.base]]
		}
	}
	return ""
}

// numberOf gives the number of a call, or false where the ABI doesn't have it.
func numberOf(abi specs.Arch, name string) (uint32, bool) {
	for _, s := range spansOf(abi) {
		for i, id := range s.calls {
			if id != noCall && callNames[id] == name {
				return s.base + uint32(i), true
			}
		}
	}
	return 0, false
}
