package seccomp

import "golang.org/x/sys/unix"

// Offsets in struct seccomp_data (linux/seccomp.h), on a little-endian machine.
const (
	offsetNumber    = 0
	offsetArch      = 4
	offsetArguments = 16
	argumentSize    = 8
	highWord        = 4 // of an argument
)

// Operations of classic BPF that a filter is made of (linux/filter.h).
const (
	opLoad         uint16 = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	opAnd          uint16 = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	opJump         uint16 = unix.BPF_JMP | unix.BPF_JA
	opEqual        uint16 = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	opGreater      uint16 = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	opGreaterEqual uint16 = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	opReturn       uint16 = unix.BPF_RET | unix.BPF_K
)

// reach is how far a conditional branch may go: its jumps are bytes, less one
// for a long jump that the other of its two may need beside it.
const reach = 254

// An assembler makes a program backwards, from its last instruction to its
// first: BPF jumps only forwards, so the target of a jump always exists before
// it, and can be shared. A place is an index in code.
type assembler struct {
	code    []Instruction // in reverse order
	returns []int         // the latest return for each value
	chains  []int         // the place of each chain; 0 where it isn't made yet
}

func (a *assembler) put(i Instruction) int {
	a.code = append(a.code, i)
	return len(a.code) - 1
}

// load puts the word at the offset of seccomp_data into the accumulator.
func (a *assembler) load(offset uint32) int { return a.put(Instruction{Code: opLoad, K: offset}) }

// distance is the number of instructions that a jump put now would skip.
func (a *assembler) distance(place int) int { return len(a.code) - 1 - place }

// ret gives a place that returns value: a near one, or a new one.
func (a *assembler) ret(value uint32) int {
	for i, place := range a.returns {
		if a.code[place].K != value {
			continue
		}
		if a.distance(place) > reach/2 {
			place = a.put(Instruction{Code: opReturn, K: value})
			a.returns[i] = place
		}
		return place
	}
	place := a.put(Instruction{Code: opReturn, K: value})
	a.returns = append(a.returns, place)
	return place
}

// branch compares the accumulator with k and goes on at yes or no.
func (a *assembler) branch(op uint16, k uint32, yes, no int) int {
	no = a.near(no)
	yes = a.near(yes)
	return a.put(Instruction{op, uint8(a.distance(yes)), uint8(a.distance(no)), k})
}

// near gives a place within reach that leads to the given one: itself, or a
// long jump.
func (a *assembler) near(place int) int {
	if a.distance(place) <= reach {
		return place
	}
	return a.put(Instruction{Code: opJump, K: uint32(a.distance(place))})
}

// follow lets the place come after the instruction that will be put next.
func (a *assembler) follow(place int) {
	if a.distance(place) > 0 {
		a.put(Instruction{Code: opJump, K: uint32(a.distance(place))})
	}
}

// tree finds the accumulator, a system call's number, among segments, by
// halves of about the same weight, and gives its answer.
func (a *assembler) tree(p *profile, segments []segment) int {
	switch n := len(segments); {
	case n == 1:
		return a.answer(p, segments[0].verdict)
	case n == 3 && segments[0].verdict == segments[2].verdict && segments[1].from+1 == segments[2].from:
		other := a.answer(p, segments[0].verdict)
		return a.branch(opEqual, segments[1].from, a.answer(p, segments[1].verdict), other)
	}
	half := middle(segments)
	right := a.tree(p, segments[half:])
	left := a.tree(p, segments[:half])
	return a.branch(opGreaterEqual, segments[half].from, right, left)
}

// middle gives where two or more segments are cut, so that the two parts differ
// least in weight (K. Mehlhorn, 1975: on average within two comparisons of the best tree).
func middle(segments []segment) int {
	whole := uint32(0)
	for i := range segments {
		whole += segments[i].weight
	}
	before, at := segments[0].weight, 1
	for at < len(segments)-1 && 2*before+segments[at].weight <= whole {
		before += segments[at].weight
		at++
	}
	return at
}

// answer gives a place that gives the verdict.
func (a *assembler) answer(p *profile, v verdict) int {
	if v.chain == 0 {
		return a.ret(v.action)
	}
	if a.chains[v.chain] == 0 {
		a.chains[v.chain] = a.chain(p, v.chain)
	}
	return a.chains[v.chain]
}

// chain tries the rules of a chain one after the other, then the default action.
func (a *assembler) chain(p *profile, chain int) int {
	next := a.ret(p.fallback)
	for chain != 0 {
		if p.asksAlike(chain, chain) {
			next, chain = a.values(p, chain, next)
			continue
		}
		r := &p.rules[p.links[chain].rule]
		next = a.all(r.conditions, a.ret(r.action), next)
		chain = p.links[chain].prev
	}
	return next
}

// values tries the last rules of a chain that all ask for a value of the same
// argument, with the same upper half: that is compared once, and the lower half
// with each. It gives the chain that is left, too.
func (a *assembler) values(p *profile, chain, next int) (first, rest int) {
	c, no := &p.rules[p.links[chain].rule].conditions[0], next
	for rest = chain; p.asksAlike(rest, chain); rest = p.links[rest].prev {
		r := &p.rules[p.links[rest].rule]
		next = a.branch(opEqual, low(r.conditions[0].value), a.ret(r.action), next)
	}
	lower := a.load(c.offset())
	a.branch(opEqual, high(c.value), lower, no)
	return a.load(c.offset() + highWord), rest
}
