// Package stagetest holds a stage to its plan: it reads what strace saw of a
// process and follows the plan along it, call by call and argument by
// argument. Whatever the stage did that the plan doesn't say, or the other way
// round, is an error. It is for tests only.
//
//	trace := stagetest.Strace(t, nil, "minirt", "create", "-b", bundle, "web")
//	walk, err := trace.Follow(plan, pid)
package stagetest

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Call is one system call as the kernel saw it.
type Call struct {
	Name   string // "syscall_0x1d3" if strace doesn't know it
	Args   []uint64
	Result int64 // the result, or an errno made negative
	Cut    bool  // the process ended in it
}

// Trace is what each process did, by the number that strace knew it by.
type Trace map[int][]Call

// Flags make strace print what this package reads, one file a process.
var Flags = []string{"-ff", "-qqq", "-e", "raw=all", "-e", "signal=none"}

// Strace runs a command under strace and gives what it and all its children
// did. It skips the test where strace is missing or may not trace. The
// command's own failure is none of Strace's business; files become its
// descriptors from 3 on.
func Strace(t testing.TB, files []*os.File, command ...string) Trace {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	if out, err := exec.Command(strace, "-qqq", "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace can't trace here: %v: %s", err, out)
	}
	prefix := filepath.Join(t.TempDir(), "trace")
	c := exec.Command(strace, append(append(Flags[:len(Flags):len(Flags)], "-o", prefix, "--"), command...)...)
	c.ExtraFiles = files
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("strace: %v: %s", err, out)
	}
	trace, err := Read(prefix)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

// Read takes in the files that strace left behind with Flags and -o prefix.
func Read(prefix string) (Trace, error) {
	names, err := filepath.Glob(prefix + ".*")
	if err != nil {
		return nil, err
	}
	trace := Trace{}
	for _, name := range names {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(name), "."))
		if err != nil {
			continue
		}
		if trace[pid], err = readFile(name); err != nil {
			return nil, err
		}
	}
	return trace, nil
}

func readFile(name string) (calls []Call, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		if strings.HasPrefix(s.Text(), "+++ ") || strings.HasPrefix(s.Text(), "--- ") {
			continue
		}
		c, again, err := parse(s.Text())
		if err != nil {
			return nil, err
		}
		if !again {
			calls = append(calls, c)
		}
	}
	return calls, s.Err()
}

// parse reads a line of strace. again tells that the kernel will make the call
// anew, after a signal stop.
func parse(line string) (c Call, again bool, err error) {
	name, rest, ok1 := strings.Cut(line, "(")
	args, result, ok2 := strings.Cut(rest, ")")
	for _, cut := range [...]string{" <unfinished ...>", " <detached ...>"} { // killed in it, or by the time that strace looked
		if before, found := strings.CutSuffix(rest, cut); found && !ok2 {
			args, result, ok2 = before, "= ?", true
		}
	}
	result, ok3 := strings.CutPrefix(strings.TrimSpace(result), "= ")
	if !ok1 || !ok2 || !ok3 {
		return c, false, errors.New("strace: no system call: " + strconv.Quote(line))
	}
	c.Name = name
	for _, a := range strings.Split(args, ", ") {
		if a == "" {
			continue
		}
		v, err := strconv.ParseUint(a, 0, 64)
		if err != nil {
			return c, false, errors.New("strace: not raw: " + strconv.Quote(line))
		}
		c.Args = append(c.Args, v)
	}
	word := strings.Fields(result + " ?")
	switch {
	case word[0] == "?":
		c.Cut = true
		return c, strings.HasPrefix(word[1], "ERESTART"), nil
	case word[0] == "-1" && word[1] != "?":
		c.Result = -int64(errnoOf(word[1]))
	default:
		v, err := strconv.ParseInt(word[0], 0, 64)
		if u, e := strconv.ParseUint(word[0], 0, 64); e == nil { // rt_sigreturn(2) gives back what the register held
			v, err = int64(u), nil
		}
		if err != nil {
			return c, false, errors.New("strace: no result: " + strconv.Quote(line))
		}
		c.Result = v
	}
	return c, false, nil
}

// errnoOf gives the errno of a name, 4095 if there is none such.
func errnoOf(name string) unix.Errno {
	if name == "EOPNOTSUPP" {
		return unix.EOPNOTSUPP
	}
	for e := unix.Errno(1); e < 4095; e++ {
		if unix.ErrnoName(e) == name {
			return e
		}
	}
	return 4095
}
