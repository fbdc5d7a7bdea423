package seccomp

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// childCase, in the environment, makes the test program a process that loads a
// filter and asks the kernel for some calls.
const childCase = "SECCOMP_TEST_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childCase); name != "" {
		child(kernelCases[name])
		return
	}
	os.Exit(m.Run())
}

// A kernelCase is a filter and what the kernel answers then, a line a call.
type kernelCase struct {
	profile func() (*specs.LinuxSeccomp, error)
	ask     func()
	want    string
}

var kernelCases = map[string]kernelCase{
	// SEC-53, as advisories have it.
	"all args must hold": {
		profile: func() (*specs.LinuxSeccomp, error) {
			s, err := dockerProfile()
			if err != nil {
				return nil, err
			}
			var kept []specs.LinuxSyscall
			for _, entry := range s.Syscalls {
				if entry.Names[0] != "personality" {
					kept = append(kept, entry)
				}
			}
			is := func(i uint) specs.LinuxSeccompArg { return specs.LinuxSeccompArg{Index: i, Op: specs.OpEqualTo} }
			s.Syscalls = append(kept, specs.LinuxSyscall{Names: []string{"personality"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{is(0), is(1)}})
			return s, nil
		},
		ask: func() {
			report("personality(0, 0)", unix.SYS_PERSONALITY, 0, 0)
			report("personality(0, 1)", unix.SYS_PERSONALITY, 0, 1)
			report("personality(1<<32, 0)", unix.SYS_PERSONALITY, 1<<32, 0)
		},
		want: "personality(0, 0): errno 0\npersonality(0, 1): operation not permitted\npersonality(1<<32, 0): operation not permitted\n",
	},
	"docker": {
		profile: dockerProfile,
		ask: func() {
			report("getppid", unix.SYS_GETPPID, 0, 0)
			report("unshare", unix.SYS_UNSHARE, 0, 0)
			report("clone3", unix.SYS_CLONE3, 0, 0)
			report("clone(CLONE_NEWUSER)", unix.SYS_CLONE, unix.CLONE_NEWUSER, 0)
			report("socket(AF_VSOCK)", unix.SYS_SOCKET, unix.AF_VSOCK, 0)
			report("personality(5)", unix.SYS_PERSONALITY, 5, 0)
			report("call 9999", 9999, 0, 0)
		},
		want: "getppid: errno 0\nunshare: operation not permitted\nclone3: function not implemented\nclone(CLONE_NEWUSER): operation not permitted\n" +
			"socket(AF_VSOCK): operation not permitted\npersonality(5): operation not permitted\ncall 9999: function not implemented\n",
	},
	"moby": {
		profile: func() (*specs.LinuxSeccomp, error) { return readProfile("testdata/moby.json") },
		ask: func() {
			report("socket(AF_ALG)", unix.SYS_SOCKET, unix.AF_ALG, 0)
			report("socket(AF_INET)", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM)
			report("io_uring_setup", unix.SYS_IO_URING_SETUP, 0, 0)
		},
		want: "socket(AF_ALG): operation not permitted\nsocket(AF_INET): errno 0\nio_uring_setup: operation not permitted\n",
	},
	"operators": {
		profile: func() (*specs.LinuxSeccomp, error) {
			s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
			for i, op := range operators {
				s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{
					Names: []string{withoutArguments[i].name}, Action: specs.ActErrno, ErrnoRet: number32(77),
					Args: []specs.LinuxSeccompArg{{Index: 5, Op: op, Value: operatorValue, ValueTwo: operatorValue}},
				})
			}
			return s, nil
		},
		ask:  func() { fmt.Print(askOperators(kernelAnswers)) },
		want: askOperators(func(i int, v uint64) bool { return holds(operatorArg(i), v) }),
	},
	"flags": {
		profile: func() (*specs.LinuxSeccomp, error) {
			return &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{flags[0].name, flags[1].name, flags[2].name, flags[3].name}}, nil
		},
		ask: func() {},
	},
	"flags with a listener": {
		profile: func() (*specs.LinuxSeccomp, error) {
			return &specs.LinuxSeccomp{
				DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{flags[0].name, flags[1].name, flags[2].name, flags[3].name},
				Syscalls: []specs.LinuxSyscall{{Names: []string{"swapoff"}, Action: specs.ActNotify}},
			}, nil
		},
		ask:  func() {},
		want: "listener\n",
	},
	"native ABI alone": {
		profile: func() (*specs.LinuxSeccomp, error) { return &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, nil },
		ask:     func() {},
	},
}

// operatorValue differs from its neighbours in both words.
const operatorValue = 1<<32 | 1

// withoutArguments are calls that the kernel answers whatever their arguments.
var withoutArguments = [...]struct {
	name   string
	number uintptr
}{
	{"getppid", unix.SYS_GETPPID}, {"getuid", unix.SYS_GETUID}, {"getgid", unix.SYS_GETGID}, {"geteuid", unix.SYS_GETEUID},
	{"getegid", unix.SYS_GETEGID}, {"sched_yield", unix.SYS_SCHED_YIELD}, {"gettid", unix.SYS_GETTID},
}

func operatorArg(i int) specs.LinuxSeccompArg {
	return specs.LinuxSeccompArg{Index: 5, Op: operators[i], Value: operatorValue, ValueTwo: operatorValue}
}

// kernelAnswers says whether the kernel found that the condition holds.
func kernelAnswers(i int, v uint64) bool {
	_, _, errno := unix.RawSyscall6(withoutArguments[i].number, 0, 0, 0, 0, 0, uintptr(v))
	return errno == 77
}

func askOperators(holds func(i int, v uint64) bool) string {
	var b strings.Builder
	for i, op := range operators {
		for _, v := range edges {
			fmt.Fprintf(&b, "%#x %s: %v\n", v, op, holds(i, v))
		}
	}
	return b.String()
}

// report prints what the kernel says to a call.
func report(what string, number, first, second uintptr) {
	_, _, errno := unix.RawSyscall(number, first, second, 0)
	fmt.Printf("%s: %v\n", what, errno)
}

// child loads the filter for its only thread that will ask.
func child(c kernelCase) {
	runtime.LockOSThread()
	s, err := c.profile()
	if err != nil {
		fmt.Println(err)
		return
	}
	f, _, err := program(s, runtime.GOARCH)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		fmt.Println("no_new_privs:", err)
		return
	}
	program := struct {
		length uint16
		first  *Instruction
	}{uint16(len(f.Instructions)), &f.Instructions[0]}
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(f.Flags), uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		fmt.Println("seccomp:", errno)
		return
	}
	if f.Notify && fd > 2 {
		fmt.Println("listener")
	}
	if words := os.Getenv(childProgram); words != "" {
		execute(words)
	}
	c.ask()
}

// TestTheKernelTakesTheFilterAndObeysIt runs each case in a process of its own.
func TestTheKernelTakesTheFilterAndObeysIt(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("filters are made for amd64 and arm64")
	}
	for name, c := range kernelCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childCase+"="+name)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Errorf("%v\n%s", err, stderr.String())
			}
			if diff := cmp.Diff(c.want, string(out)); diff != "" {
				t.Error(diff)
			}
			t.Log(strings.TrimSpace(stderr.String()))
		})
	}
}

// TestNothingIsDoneAtProcessStart holds the tables to be data, not code: the
// package's init function, if it has one, is no more than a return.
func TestNothingIsDoneAtProcessStart(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Export}}", "-export", ".").Output()
	if err != nil {
		t.Skip("no go command here:", err)
	}
	path, archive, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	symbols, err := exec.Command("go", "tool", "nm", "-size", archive).Output()
	if err != nil {
		t.Skip("no nm here:", err)
	}
	found := false
	for line := range strings.Lines(string(symbols)) {
		switch fields := strings.Fields(line); {
		case fields[len(fields)-1] == path+".callNames":
			found = true
		case fields[len(fields)-1] == path+".init" && len(fields[1]) > 1:
			t.Error("package variables are made by code:", line)
		}
	}
	if !found {
		t.Fatal("the archive doesn't have the package's symbols")
	}
}
