package seccomp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestEveryABIOfTheMachineIsFiltered makes calls of i386 and x32 from a program
// of x86-64, under Docker's profile. An answer of the filter differs from the
// kernel's, whether or not the kernel has the ABI.
func TestEveryABIOfTheMachineIsFiltered(t *testing.T) {
	t.Parallel()
	abis := buildABIs(t)
	for _, test := range []struct {
		name, filter string
		calls        []string
		want         string
		killed       bool
	}{
		{"i386", "docker", []string{"i386 20 0", "i386 136 5", "i386 310 0", "i386 9999 0", "i386 435 0"},
			"i386 0x14(0): 1\ni386 0x88(0x5): -1\ni386 0x136(0): -1\ni386 0x270f(0): -38\ni386 0x1b3(0): -38\n", false},
		{"x32", "docker", []string{"x86-64 0x40000087 5", "x86-64 0x400001b3 0", "x86-64 0x40000110 0"},
			"x86-64 0x40000087(0x5): -1\nx86-64 0x400001b3(0): -38\nx86-64 0x40000110(0): -1\n", false},
		{"i386 not listed", "native ABI alone", []string{"x86-64 39 0", "i386 20 0"}, "x86-64 0x27(0): 1\n", true},
		{"x32 not listed", "native ABI alone", []string{"x86-64 39 0", "x86-64 0x40000027 0"}, "x86-64 0x27(0): 1\n", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childCase+"="+test.filter, childProgram+"="+abis+" "+strings.Join(test.calls, " "))
			out, err := cmd.Output()
			if diff := cmp.Diff(test.want, string(out)); diff != "" {
				t.Error(diff)
			}
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if killed := status.Signaled() && status.Signal() == unix.SIGSYS; killed != test.killed {
				t.Errorf("killed is %v, want %v: %v", killed, test.killed, err)
			}
		})
	}
}

// childProgram is what a child executes under its filter, with its arguments.
const childProgram = "SECCOMP_TEST_PROGRAM"

func execute(words string) {
	argv := strings.Fields(words)
	fmt.Println(unix.Exec(argv[0], argv, nil))
}

// buildABIs makes the program, and checks that this kernel has i386 calls.
func buildABIs(t *testing.T) string {
	if runtime.GOARCH != "amd64" {
		t.Skip("the program is for x86-64")
	}
	program := filepath.Join(t.TempDir(), "abis")
	if out, err := exec.Command("cc", "-o", program, "testdata/abis.c").CombinedOutput(); err != nil {
		t.Skipf("no C compiler: %v\n%s", err, out)
	}
	if out, err := exec.Command(program, "i386", "20", "0").Output(); err != nil || string(out) != "i386 0x14(0): 1\n" {
		t.Skipf("this kernel has no i386 calls: %v %s", err, out)
	}
	return program
}
