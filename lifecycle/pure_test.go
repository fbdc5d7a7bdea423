package lifecycle

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ofTheGoRuntime are the system calls that any Go code makes: for memory, and
// among threads. None of them tells anything of the host.
var ofTheGoRuntime = []string{"mmap", "munmap", "madvise", "futex", "nanosleep", "sched_yield", "getpid", "tgkill", "rt_sigreturn", "prctl"}

const (
	quietly = "MINIRT_COMPILE_QUIETLY"
	begin   = "/minirt-compile-begins"
	end     = "/minirt-compile-ends"
)

// Compile reads nothing and asks nobody: the kernel sees no call of its.
func TestCompileMakesNoSystemCall(t *testing.T) {
	if os.Getenv(quietly) != "" {
		compileBetweenMarks(t)
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	c := exec.Command(strace, "-f", "-qq", "-o", trace, os.Args[0], "-test.run", "^TestCompileMakesNoSystemCall$")
	c.Env = append(os.Environ(), quietly+"=1", "GOMAXPROCS=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("strace: %v: %s", err, out) // not allowed here, perhaps
	}
	calls, marks := callsBetweenMarks(t, trace)
	if marks != 2 {
		t.Fatalf("%d marks in the trace", marks)
	}
	for _, call := range calls {
		if name, _, _ := strings.Cut(call, "("); !slices.Contains(ofTheGoRuntime, name) {
			t.Errorf("Compile makes a system call: %s", call)
		}
	}
}

func compileBetweenMarks(t *testing.T) {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	var all []*specs.Spec
	var hosts []*Host
	for _, name := range exampleNames(t) {
		for _, arch := range arches {
			s := exampleSpec(t, name)
			all, hosts = append(all, s), append(hosts, exampleHost(t, name, s, arch))
		}
	}
	unix.Access(begin, unix.F_OK)
	for i, s := range all {
		if _, err := Compile(s, hosts[i]); err != nil {
			t.Error(err)
		}
	}
	unix.Access(end, unix.F_OK)
}

// callsBetweenMarks gives what the thread that made the marks did between them.
func callsBetweenMarks(t *testing.T, trace string) (calls []string, marks int) {
	t.Helper()
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	thread := ""
	for line := range strings.Lines(string(b)) {
		pid, call, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		call = strings.TrimLeft(call, " ")
		switch {
		case strings.Contains(call, begin):
			thread, marks = pid, marks+1
		case thread != pid || strings.HasPrefix(call, "---") || strings.HasPrefix(call, "<..."):
		case strings.Contains(call, end):
			return calls, marks + 1
		default:
			calls = append(calls, call)
		}
	}
	return calls, marks
}
