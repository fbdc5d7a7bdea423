package seccomp

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// usualArguments are those that programs give to the calls whose arguments
// Docker's profile looks at.
var usualArguments = map[string][6]uint64{
	"clone":       {unix.CLONE_CHILD_CLEARTID | unix.CLONE_CHILD_SETTID | uint64(unix.SIGCHLD)},
	"socket":      {unix.AF_INET},
	"personality": {1<<32 - 1},
}

// meanCost gives the mean number of instructions that a program of x86-64 runs
// for the calls of a recorded trace.
func meanCost(t *testing.T, program []Instruction, trace string) float64 {
	t.Helper()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls, cost := 0, 0
	for line := range strings.Lines(string(text)) {
		var count int
		var name string
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscan(line, &count, &name); err != nil {
			t.Fatalf("%s: %q: %v", trace, line, err)
		}
		number, ok := numberOf(specs.ArchX86_64, name)
		if !ok {
			t.Errorf("%s: unknown call %q", trace, name)
		}
		_, steps, err := simulate(program, callData{number, unix.AUDIT_ARCH_X86_64, usualArguments[name]})
		if err != nil {
			t.Fatal(err)
		}
		calls, cost = calls+count, cost+count*steps
	}
	return float64(cost) / float64(calls)
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
	traces, err := filepath.Glob("testdata/traces/*.txt")
	if err != nil || len(traces) != 3 {
		t.Fatal(traces, err)
	}
	for name, s := range map[string]*specs.LinuxSeccomp{"docker": docker(t), "moby": moby(t)} {
		ours, list, tree := mustCompile(t, s, "amd64"), p.compile(t, s, optimizeDefault), p.compile(t, s, optimizeTree)
		if list.err != nil || tree.err != nil {
			t.Fatal(list.err, tree.err)
		}
		for _, trace := range traces {
			our, lists, trees := meanCost(t, ours.Instructions, trace), meanCost(t, list.code, trace), meanCost(t, tree.code, trace)
			t.Logf("%s, %s: %.1f instructions a call; libseccomp's list %.1f, its tree %.1f", name, trace, our, lists, trees)
			if our > lists/2 || our > trees {
				t.Errorf("%s, %s: %.1f instructions a call; libseccomp's list takes %.1f, its tree %.1f", name, trace, our, lists, trees)
			}
		}
	}
}
