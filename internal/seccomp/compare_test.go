package seccomp

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// edges are the values around which a comparison in two words goes wrong (SEC-54).
var edges = []uint64{
	0, 1, 2, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1<<32 + 2,
	1<<63 - 1, 1 << 63, 1<<63 + 1, 0x7e020000, 0x7e020000 << 32, 5<<32 | 7, 7<<32 | 5,
	1<<64 - 1<<32, 1<<64 - 2, 1<<64 - 1,
}

// TestEveryComparisonIsThatOf64Bits tests each operator with edges on both sides (SEC-54).
func TestEveryComparisonIsThatOf64Bits(t *testing.T) {
	t.Parallel()
	for _, op := range operators {
		for _, value := range edges {
			for _, two := range edges {
				if op != specs.OpMaskedEqual && two != 0 {
					break
				}
				arg := specs.LinuxSeccompArg{Index: 3, Value: value, ValueTwo: two, Op: op}
				program := mustCompile(t, onlyRead(arg), "amd64").Instructions
				for _, given := range edges {
					d := callData{arch: unix.AUDIT_ARCH_X86_64, args: [6]uint64{^given, ^given, ^given, given, ^given, ^given}}
					got := answer(t, program, d) == unix.SECCOMP_RET_ALLOW
					if want := holds(arg, given); got != want {
						t.Errorf("%#x %s %#x (%#x) is %v, want %v", given, op, value, two, got, want)
					}
				}
			}
		}
	}
}

// onlyRead allows read where the args hold.
func onlyRead(args ...specs.LinuxSeccompArg) *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActKillProcess,
		Syscalls:      []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActAllow, Args: args}},
	}
}

// program compiles without asking whether anything can be started under the
// filter: most of the profiles here name but what they are about.
func program(s *specs.LinuxSeccomp, goarch string) (*Filter, []string, error) {
	f, _, warnings, err := compile(s, goarch)
	return f, warnings, err
}

func mustCompile(t testing.TB, s *specs.LinuxSeccomp, goarch string) *Filter {
	t.Helper()
	f, _, err := program(s, goarch)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
