package seccomp

// A Call is a system call as a filter sees it: struct seccomp_data of
// linux/seccomp.h, but for the instruction pointer.
type Call struct {
	Number uint32
	Arch   uint32 // AUDIT_ARCH_ of linux/audit.h
	Args   [argumentCount]uint64
}

// word is the word of seccomp_data at an offset, on a little-endian machine.
func (c *Call) word(offset uint32) uint32 {
	switch {
	case offset == offsetNumber:
		return c.Number
	case offset == offsetArch:
		return c.Arch
	}
	at := offset - offsetArguments
	arg := c.Args[at/argumentSize%argumentCount]
	if at%argumentSize == highWord {
		arg >>= 32
	}
	return uint32(arg)
}

// Run gives what the filter returns for a call, SECCOMP_RET_ and its data, and
// how many instructions that takes.
func (f *Filter) Run(c Call) (value uint32, cost int) {
	accumulator := uint32(0)
	for at := 0; ; at++ {
		cost++
		switch i := f.Instructions[at]; i.Code {
		case opReturn:
			return i.K, cost
		case opLoad:
			accumulator = c.word(i.K)
		case opAnd:
			accumulator &= i.K
		default:
			at += i.skips(accumulator)
		}
	}
}

// skips is how many instructions a jump leaves out.
func (i Instruction) skips(accumulator uint32) int {
	holds := false
	switch i.Code {
	case opJump:
		return int(i.K)
	case opEqual:
		holds = accumulator == i.K
	case opGreater:
		holds = accumulator > i.K
	case opGreaterEqual:
		holds = accumulator >= i.K
	}
	if holds {
		return int(i.JT)
	}
	return int(i.JF)
}

// Cost gives the least and the most instructions that the filter runs for the
// call, whatever its arguments.
func (f *Filter) Cost(number, arch uint32) (least, most int) {
	return f.cost(0, 0, true, &Call{Number: number, Arch: arch}, make(map[int][2]int))
}

// cost is that from an instruction on. The accumulator is known until an
// argument is loaded; from there on every branch may be taken, and known has
// what was found.
func (f *Filter) cost(at int, accumulator uint32, certain bool, c *Call, known map[int][2]int) (least, most int) {
	if found, ok := known[at]; ok && !certain {
		return found[0], found[1]
	}
	i := f.Instructions[at]
	switch {
	case i.Code == opReturn:
		return 1, 1
	case i.Code == opLoad:
		least, most = f.cost(at+1, c.word(i.K), i.K < offsetArguments, c, known)
	case i.Code == opAnd:
		least, most = f.cost(at+1, accumulator&i.K, certain, c, known)
	case certain || i.Code == opJump:
		least, most = f.cost(at+1+i.skips(accumulator), accumulator, certain, c, known)
	default:
		least, most = f.cost(at+1+int(i.JT), 0, false, c, known)
		otherLeast, otherMost := f.cost(at+1+int(i.JF), 0, false, c, known)
		least, most = min(least, otherLeast), max(most, otherMost)
	}
	least, most = least+1, most+1
	if !certain {
		known[at] = [2]int{least, most}
	}
	return least, most
}
