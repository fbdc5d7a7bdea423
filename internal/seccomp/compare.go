package seccomp

import "slices"

// all goes to yes if every condition holds, else to no (SEC-53).
func (a *assembler) all(conditions []condition, yes, no int) int {
	for _, c := range slices.Backward(conditions) {
		yes = a.compare(c, yes, no)
	}
	return yes
}

// compare goes to yes if the condition holds, else to no. Arguments have 64
// bits and BPF has words of 32: each half is compared on its own, and nothing
// is shared with any other condition (SEC-54), but for rules that ask for one
// value each of the same argument (values).
func (a *assembler) compare(c condition, yes, no int) int {
	switch c.op {
	case notEqual:
		return a.equal(c, no, yes)
	case greaterThan:
		return a.greater(c, opGreater, yes, no)
	case greaterEqual:
		return a.greater(c, opGreaterEqual, yes, no)
	case lessThan:
		return a.greater(c, opGreaterEqual, no, yes)
	case lessEqual:
		return a.greater(c, opGreater, no, yes)
	case maskedEqual:
		return a.masked(c, yes, no)
	}
	return a.equal(c, yes, no)
}

// equal: both halves are.
func (a *assembler) equal(c condition, yes, no int) int {
	a.branch(opEqual, low(c.value), yes, no)
	lower := a.load(c.offset())
	a.branch(opEqual, high(c.value), lower, no)
	return a.load(c.offset() + highWord)
}

// greater: the high half is, or it's equal and the low half is greater, or with
// opGreaterEqual, not less.
func (a *assembler) greater(c condition, op uint16, yes, no int) int {
	a.branch(op, low(c.value), yes, no)
	lower := a.load(c.offset())
	tie := a.branch(opEqual, high(c.value), lower, no)
	a.branch(opGreater, high(c.value), yes, tie)
	return a.load(c.offset() + highWord)
}

// masked: what the mask leaves of both halves of the argument and of valueTwo
// is equal, as seccomp_rule_add(3) has it.
func (a *assembler) masked(c condition, yes, no int) int {
	lower := a.maskedWord(c.offset(), low(c.value), low(c.two), yes, no)
	return a.maskedWord(c.offset()+highWord, high(c.value), high(c.two), lower, no)
}

func (a *assembler) maskedWord(offset, mask, value uint32, yes, no int) int {
	if mask == 0 {
		return yes // whatever the word
	}
	a.branch(opEqual, value&mask, yes, no)
	if mask != 1<<32-1 {
		a.put(Instruction{Code: opAnd, K: mask})
	}
	return a.load(offset)
}

func (c condition) offset() uint32 { return offsetArguments + argumentSize*uint32(c.index) }

func low(v uint64) uint32  { return uint32(v) }
func high(v uint64) uint32 { return uint32(v >> 32) }
