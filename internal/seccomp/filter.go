package seccomp

import (
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

//go:generate go run github.com/minirt/minirt/hack/syscalls -o zsyscalls.go

// Filter is what seccomp(2) takes with SECCOMP_SET_MODE_FILTER.
type Filter struct {
	// Flags are SECCOMP_FILTER_FLAG_* bits.
	Flags uint32
	// Instructions are the program, at most MaxInstructions of them.
	Instructions []Instruction
	// Notify says that some call is answered by a listener: Flags then have
	// SECCOMP_FILTER_FLAG_NEW_LISTENER, and seccomp(2) returns the listener's
	// descriptor.
	Notify bool
}

// Instruction is the kernel's struct sock_filter: one instruction of classic BPF.
type Instruction struct {
	Code   uint16
	JT, JF uint8
	K      uint32
}

// MaxInstructions is the longest program that the kernel takes: BPF_MAXINSNS
// of linux/bpf_common.h.
const MaxInstructions = unix.BPF_MAXINSNS

// Append adds the program to b as the kernel reads it: one struct sock_filter
// after the other, little-endian.
func (f *Filter) Append(b []byte) []byte {
	for _, i := range f.Instructions {
		b = append(b, byte(i.Code), byte(i.Code>>8), i.JT, i.JF, byte(i.K), byte(i.K>>8), byte(i.K>>16), byte(i.K>>24))
	}
	return b
}

// Compile makes the filter of linux.seccomp for a kernel of the architecture
// goarch, "amd64" or "arm64". A nil s gives a nil filter. The error is of type
// Errors and has all faults of s, among them that no program could be started
// under it (Explanation.Bar); warnings tell what was left out of the filter, and
// name their place as errors do.
func Compile(s *specs.LinuxSeccomp, goarch string) (f *Filter, warnings []string, err error) {
	if s == nil {
		return nil, nil, nil
	}
	f, p, warnings, err := compile(s, goarch)
	if err != nil {
		return nil, warnings, err
	}
	x := Explanation{f, []specs.Arch{archs[native(goarch)].name}, p}
	if bar := x.Bar(); bar != nil {
		return nil, warnings, Errors{bar}
	}
	return f, warnings, nil
}

// compile does so, and gives what the filter was made of, too.
func compile(s *specs.LinuxSeccomp, goarch string) (*Filter, *profile, []string, error) {
	var r reader
	p := r.profile(s)
	flags := r.flags(s.Flags)
	all := r.machines(s.Architectures, goarch)
	if len(r.faults) > 0 {
		return nil, nil, r.warnings, r.faults
	}
	program := p.assemble(all)
	if n := len(program); n > MaxInstructions { // SEC-55
		r.fault("", "filter needs "+strconv.Itoa(n)+" instructions, the kernel takes "+strconv.Itoa(MaxInstructions))
		return nil, nil, r.warnings, r.faults
	}
	return &Filter{p.loadFlags(flags), program, p.notify}, p, r.warnings, nil
}

// loadFlags gives the flags that seccomp(2) takes together. It refuses
// WAIT_KILLABLE_RECV without a listener, where it would mean nothing, and TSYNC
// with a listener unless TSYNC_ESRCH tells its two results apart (Linux 5.7).
func (p *profile) loadFlags(asked uint32) uint32 {
	if !p.notify {
		return asked &^ unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	}
	if asked&unix.SECCOMP_FILTER_FLAG_TSYNC != 0 {
		asked |= unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
	}
	return asked | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
}

// assemble gives the program: for each machine its check and its search tree,
// the native machine first, and death for all others.
func (p *profile) assemble(all []machine) []Instruction {
	a := assembler{code: make([]Instruction, 0, 1024), chains: make([]int, len(p.links))}
	next := a.ret(badArch)
	for _, m := range slices.Backward(all) {
		a.follow(a.tree(p, p.line(m)))
		number := a.load(offsetNumber)
		next = a.branch(opEqual, m.audit, number, next)
	}
	a.follow(next)
	a.load(offsetArch)
	slices.Reverse(a.code)
	return a.code
}
