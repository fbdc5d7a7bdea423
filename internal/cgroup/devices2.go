package cgroup

// The instructions of eBPF that a device program needs (Linux,
// Documentation/bpf/standardization/instruction-set.rst). The 32-bit jumps are
// of Linux 5.1.
const (
	bpfLoad32  = 0x61 // dst = *(u32 *)(src + off)
	bpfMove    = 0xb7 // dst = imm
	bpfMove32  = 0xbc // dst = (u32)src
	bpfAnd32   = 0x54 // dst &= imm
	bpfRight32 = 0x74 // dst >>= imm
	bpfNotEq32 = 0x56 // if dst != imm, over off
	bpfAny32   = 0x46 // if dst & imm, over off
	bpfJump    = 0x05 // over off
	bpfExit    = 0x95
)

// Registers: r1 is the kernel's struct bpf_cgroup_dev_ctx.
const (
	rResult = iota
	rContext
	rKind
	rAccess // asked for, and not yet allowed by the rules seen
	rMajor
	rMinor
)

// kindNumber is the kernel's BPF_DEVCG_DEV_BLOCK or BPF_DEVCG_DEV_CHAR.
func kindNumber(kind byte) uint32 {
	if kind == 'b' {
		return 1
	}
	return 2
}

// program assembles the rules to a BPF_PROG_TYPE_CGROUP_DEVICE: for each kind
// of access that is asked for, the last rule for the device decides. So it
// goes from the last rule to the first; a rule that denies any of the access
// ends it with 0, one that allows takes its part off, and nothing left is 1.
func program(rules []rule) []byte {
	b := make(assembly, 0, 8*(6*len(rules)+8))
	b.op(bpfLoad32, rKind, rContext, 0, 0)
	b.op(bpfMove32, rAccess, rKind, 0, 0)
	b.op(bpfAnd32, rKind, 0, 0, 0xffff)
	b.op(bpfRight32, rAccess, 0, 0, 16)
	b.op(bpfLoad32, rMajor, rContext, 4, 0)
	b.op(bpfLoad32, rMinor, rContext, 8, 0)
	for i := len(rules) - 1; i >= 0; i-- {
		b.rule(&rules[i])
		if rules[i].all() {
			return b // the verifier refuses what can't be reached
		}
	}
	b.end(0)
	return b
}

// assembly is a program for a little-endian machine, 8 bytes an instruction.
type assembly []byte

func (b *assembly) op(code byte, dst, src byte, off int16, imm uint32) {
	*b = append(*b, code, src<<4|dst, byte(off), byte(off>>8),
		byte(imm), byte(imm>>8), byte(imm>>16), byte(imm>>24))
}

func (b *assembly) end(result uint32) {
	b.op(bpfMove, rResult, 0, 0, result)
	b.op(bpfExit, 0, 0, 0, 0)
}

// rule is one rule: conditions that jump behind it, and what it does.
func (b *assembly) rule(r *rule) {
	var conditions [3]struct {
		register byte
		value    uint32
	}
	n := 0
	when := func(register byte, value uint32) {
		conditions[n].register, conditions[n].value = register, value
		n++
	}
	if r.kind != 'a' {
		when(rKind, kindNumber(r.kind))
	}
	if r.major != anyNumber {
		when(rMajor, uint32(r.major))
	}
	if r.minor != anyNumber {
		when(rMinor, uint32(r.minor))
	}
	body := 2
	if r.access != allAccess {
		body = 4
	}
	for i := range n {
		b.op(bpfNotEq32, conditions[i].register, 0, int16(n-1-i+body), conditions[i].value)
	}
	switch {
	case r.access == allAccess:
	case r.allow:
		b.op(bpfAnd32, rAccess, 0, 0, uint32(allAccess&^r.access))
		b.op(bpfNotEq32, rAccess, 0, 2, 0)
	default:
		b.op(bpfAny32, rAccess, 0, 1, uint32(r.access))
		b.op(bpfJump, 0, 0, 2, 0)
	}
	if r.allow {
		b.end(1)
	} else {
		b.end(0)
	}
}
