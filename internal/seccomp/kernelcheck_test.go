package seccomp

import (
	"fmt"
	"testing"
)

// kernelTakes is what the kernel checks before it takes a filter
// (bpf_check_classic of net/core/filter.c, seccomp_check_filter of
// kernel/seccomp.c), for the instructions that the compiler has.
func kernelTakes(program []Instruction) error {
	n := len(program)
	if n == 0 || n > 4096 {
		return fmt.Errorf("%d instructions", n)
	}
	for at, i := range program {
		left := uint32(n - at - 1)
		switch i.Code {
		case 0x20: // ld [k]
			if i.K%4 != 0 || i.K >= 64 {
				return fmt.Errorf("instruction %d loads offset %d", at, i.K)
			}
		case 0x54, 0x06: // and #k, ret #k
		case 0x05: // ja k
			if i.K >= left {
				return fmt.Errorf("instruction %d jumps %d of %d", at, i.K, left)
			}
		case 0x15, 0x25, 0x35: // jeq, jgt, jge #k
			if uint32(i.JT) >= left || uint32(i.JF) >= left {
				return fmt.Errorf("instruction %d jumps %d or %d of %d", at, i.JT, i.JF, left)
			}
		default:
			return fmt.Errorf("instruction %d has code %#x", at, i.Code)
		}
	}
	if last := program[n-1]; last.Code != 0x06 {
		return fmt.Errorf("the last instruction has code %#x", last.Code)
	}
	return nil
}

// TestTheKernelsChecksRefuse shows that kernelTakes can say no.
func TestTheKernelsChecksRefuse(t *testing.T) {
	t.Parallel()
	ret, load := Instruction{Code: opReturn}, Instruction{Code: opLoad}
	for name, program := range map[string][]Instruction{
		"nothing":            {},
		"too long":           append(make([]Instruction, 4096), ret),
		"no return":          {ret, load},
		"jump over the end":  {{Code: opJump, K: 1}, ret},
		"branch to the end":  {{Code: opEqual, JF: 1}, ret},
		"an odd offset":      {{Code: opLoad, K: 2}, ret},
		"beyond the data":    {{Code: opLoad, K: 64}, ret},
		"an unknown command": {{Code: 0xff}, ret},
	} {
		if kernelTakes(program) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := kernelTakes(mustCompile(t, docker(t), "amd64").Instructions); err != nil {
		t.Error(err)
	}
}
