package seccomp

import (
	"fmt"
	"testing"
)

// A callData is the kernel's struct seccomp_data, without its instruction pointer.
type callData struct {
	number, arch uint32
	args         [argumentCount]uint64
}

// word reads seccomp_data as BPF_LD|BPF_W|BPF_ABS does on a little-endian machine.
func (d *callData) word(offset uint32) (uint32, bool) {
	switch {
	case offset == 0:
		return d.number, true
	case offset == 4:
		return d.arch, true
	case offset >= 16 && offset < 64 && offset%4 == 0:
		arg := d.args[(offset-16)/8]
		if offset%8 == 4 {
			arg >>= 32
		}
		return uint32(arg), true
	}
	return 0, false
}

// simulate runs a program as the kernel would, and gives what it returns and
// the number of instructions that were run.
func simulate(program []Instruction, d callData) (value uint32, steps int, err error) {
	var accumulator uint32
	for at := 0; at < len(program); at++ {
		steps++
		i := program[at]
		holds := false
		switch i.Code {
		case 0x20: // ld [k]
			word, ok := d.word(i.K)
			if !ok {
				return 0, steps, fmt.Errorf("instruction %d loads offset %d", at, i.K)
			}
			accumulator = word
			continue
		case 0x54: // and #k
			accumulator &= i.K
			continue
		case 0x06: // ret #k
			return i.K, steps, nil
		case 0x05: // ja k
			at += int(i.K)
			continue
		case 0x15:
			holds = accumulator == i.K
		case 0x25:
			holds = accumulator > i.K
		case 0x35:
			holds = accumulator >= i.K
		default:
			return 0, steps, fmt.Errorf("instruction %d has code %#x", at, i.Code)
		}
		if holds {
			at += int(i.JT)
		} else {
			at += int(i.JF)
		}
	}
	return 0, steps, fmt.Errorf("the program runs over its end")
}

// answer simulates a call that must not run into a broken program.
func answer(t *testing.T, program []Instruction, d callData) uint32 {
	t.Helper()
	value, _, err := simulate(program, d)
	if err != nil {
		t.Fatalf("%+v: %v", d, err)
	}
	return value
}
