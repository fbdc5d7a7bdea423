package seccomp

import (
	"errors"
	"runtime"
	"testing"

	"github.com/minirt/minirt/internal/seccomp/seccomptest"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// meanCost gives the mean number of instructions that a program of x86-64 runs
// for the calls of a recorded trace.
func meanCost(t *testing.T, program []Instruction, trace *seccomptest.Trace) float64 {
	t.Helper()
	mean, err := trace.Mean(func(name string, args [6]uint64) (steps int, err error) {
		number, ok := numberOf(specs.ArchX86_64, name)
		if !ok {
			return 0, errors.New("unknown call")
		}
		_, steps, err = simulate(program, callData{number, unix.AUDIT_ARCH_X86_64, args})
		return steps, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return mean
}

// TestProgramsRunFewInstructions holds the mean cost of Docker's profiles over
// recorded programs against libseccomp's: at most half of its list, and no more
// than its tree.
func TestProgramsRunFewInstructions(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("the traces are of x86-64")
	}
	p := newPeer(t)
	traces, err := seccomptest.Traces()
	if err != nil || len(traces) != 3 {
		t.Fatal(traces, err)
	}
	for name, s := range map[string]*specs.LinuxSeccomp{"docker": docker(t), "moby": moby(t)} {
		ours, list, tree := mustCompile(t, s, "amd64"), p.compile(t, s, seccomptest.List), p.compile(t, s, seccomptest.Tree)
		if list.err != nil || tree.err != nil {
			t.Fatal(list.err, tree.err)
		}
		for i := range traces {
			trace := &traces[i]
			our, lists, trees := meanCost(t, ours.Instructions, trace), meanCost(t, list.code, trace), meanCost(t, tree.code, trace)
			t.Logf("%s, %s: %.1f instructions a call; libseccomp's list %.1f, its tree %.1f", name, trace.Program, our, lists, trees)
			if our > lists/2 || our > trees {
				t.Errorf("%s, %s: %.1f instructions a call; libseccomp's list takes %.1f, its tree %.1f", name, trace.Program, our, lists, trees)
			}
		}
	}
}
