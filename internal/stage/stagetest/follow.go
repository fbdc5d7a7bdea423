package stagetest

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// End is how a walk along a plan came to its end.
type End int

// The ends of a walk.
const (
	Executed End = iota // the plan's execve worked
	Exited              // exit_group
	Failed              // a step failed: the stage wrote its report and ended
	Cut                 // the trace ends in, or before, a step
)

func (e End) String() string { return [...]string{"executed", "exited", "failed", "cut"}[e] }

// Walk is the way that a process took along its plan.
type Walk struct {
	Steps []int        // the steps that it made, skipped ones left out
	End   End          // and how it ended,
	At    int          // at which step,
	Errno unix.Errno   // and why, if that failed
	Forks map[int]Walk // the processes that clone steps made, by step
}

// Follow goes along p and what process pid did after its first execve, and
// compares them. The processes that clone steps made are followed as well.
func (t Trace) Follow(p *plan.Plan, pid int) (Walk, error) {
	calls := t[pid]
	i := slices.IndexFunc(calls, func(c Call) bool { return c.Name == "execve" && c.Result == 0 && !c.Cut })
	if i < 0 {
		return Walk{}, fmt.Errorf("process %d executed nothing", pid)
	}
	free := map[int]bool{}
	for other := range t {
		free[other] = other != pid
	}
	f := follower{trace: t, plan: p, free: free, calls: calls[i+1:], cells: slices.Clone(p.Cells), unknown: make([]bool, len(p.Cells))}
	return f.walk(0)
}

// follower is a process on its way along a plan.
type follower struct {
	trace   Trace
	plan    *plan.Plan
	free    map[int]bool // processes that have not been followed
	calls   []Call       // what is still to come
	cells   []byte       // what its cells hold
	unknown []bool       // the bytes of cells that the kernel wrote: strace -e raw doesn't tell what
	done    Walk
}

func (f *follower) walk(i int) (Walk, error) {
	for i < len(f.plan.Steps) {
		s := &f.plan.Steps[i]
		result, ended, err := f.step(i)
		if err != nil || ended {
			return f.done, err
		}
		if errno := unix.Errno(-result); result < 0 && result >= -4095 {
			if !slices.Contains(s.Tolerated[:], uint16(errno)) || s.Call == plan.Fail {
				return f.fail(i, errno)
			}
			if s.Flags&plan.KeepErrno != 0 {
				f.store(s.Result, uint64(errno))
			}
			i += 1 + int(s.OnTolerated)
			continue
		}
		f.store(s.Result, uint64(result))
		if result == 0 && s.Flags&plan.ZeroFails != 0 {
			return f.fail(i, unix.EPIPE)
		}
		if result == 0 || s.Flags&plan.IfZero == 0 {
			i += int(s.OnSuccess)
		}
		i++
	}
	return f.done, fmt.Errorf("the plan has no step %d", i)
}

// step makes step i: result is the kernel's, ended tells that the process is no more the stage.
func (f *follower) step(i int) (result int64, ended bool, err error) {
	s := &f.plan.Steps[i]
	number, args := stage.Raw(f.plan, i, f.register)
	switch s.Call {
	case plan.Test, plan.Fail:
		f.done.Steps = append(f.done.Steps, i)
		if s.Call == plan.Fail {
			return -int64(args[0]), false, nil
		}
		return int64(args[0]), false, nil
	}
	if len(f.calls) == 0 {
		f.end(Cut, i)
		return 0, true, nil
	}
	f.done.Steps = append(f.done.Steps, i)
	c := f.calls[0]
	f.calls = f.calls[1:]
	if c.Name != s.Call.Name() && c.Name != fmt.Sprintf("syscall_%#x", number) {
		return 0, true, f.differs(i, c, "another call")
	}
	for j, got := range c.Args {
		if got == args[j] {
			continue
		}
		if j >= int(s.Argc) || !f.learn(s, j, got) {
			return 0, true, f.differs(i, c, fmt.Sprintf("argument %d is %#x by the plan", j, args[j]))
		}
	}
	switch {
	case s.Call == plan.ExitGroup && c.Cut:
		f.end(Exited, i)
		return 0, true, nil
	case c.Cut:
		f.end(Cut, i)
		return 0, true, nil
	case s.Call == plan.Execve && c.Result == 0:
		f.end(Executed, i)
		return 0, true, nil
	case s.Call == plan.Clone && c.Result > 0:
		return c.Result, false, f.fork(i, int(c.Result))
	}
	f.written(s, c)
	return c.Result, false, nil
}

func (f *follower) end(e End, i int) { f.done.End, f.done.At = e, i }

func (f *follower) differs(i int, c Call, why string) error {
	return fmt.Errorf("step %d: %s\nthe kernel saw %s(%#x): %s", i, f.plan.Line(i), c.Name, c.Args, why)
}

// fail sees the stage write its report and end.
func (f *follower) fail(i int, errno unix.Errno) (Walk, error) {
	f.end(Failed, i)
	f.done.Errno = errno
	var names []string
	for _, c := range f.calls {
		names = append(names, c.Name)
	}
	report := f.calls
	if !slices.Equal(names, []string{"write", "exit_group"}) || report[0].Args[0] != uint64(f.plan.Report) ||
		report[0].Args[2] != stage.ReportSize || report[1].Args[0] != 127 {
		return f.done, fmt.Errorf("step %d failed with %v: in place of the report came %+v", i, errno, f.calls)
	}
	return f.done, nil
}

func (f *follower) register(r plan.Register) uint64 { return binary.LittleEndian.Uint64(f.cells[r:]) }

func (f *follower) store(r plan.Register, v uint64) {
	if r != plan.None {
		binary.LittleEndian.PutUint64(f.cells[r:], v)
		clear(f.unknown[r : r+8])
	}
}

// learn takes the value of a register from the call that uses it, if the kernel wrote to it.
func (f *follower) learn(s *plan.Step, j int, v uint64) bool {
	r := plan.Register(s.Args[j])
	if s.Kinds[j] != plan.Value || !slices.Contains(f.unknown[r:r+8], true) {
		return false
	}
	f.store(r, v)
	return true
}

// written notes what the kernel may have written into the cells.
func (f *follower) written(s *plan.Step, c Call) {
	for j := range s.Argc {
		if s.Kinds[j] != plan.InCells || c.Result < 0 {
			continue
		}
		size := 0
		switch s.Call {
		case plan.Read:
			size = int(c.Result)
		case plan.Ioctl, plan.RtSigprocmask:
			size = 8
		case plan.Prlimit64:
			size = 16
		case plan.Ppoll:
			size = 8 * int(c.Args[1])
		}
		at := int(s.Args[j])
		for k := at; k < min(at+size, len(f.unknown)); k++ {
			f.unknown[k] = true
		}
	}
}

// fork follows the child of a clone. In another pid namespace strace knows it
// by another number than the parent does: then it is the one that fits.
func (f *follower) fork(i, pid int) error {
	candidates := []int{pid}
	if !f.free[pid] {
		candidates = slices.Sorted(maps.Keys(f.free))
	}
	var last error
	for _, c := range candidates {
		if !f.free[c] {
			continue
		}
		s := &f.plan.Steps[i]
		child := follower{trace: f.trace, plan: f.plan, free: f.free, calls: f.trace[c], cells: slices.Clone(f.cells), unknown: slices.Clone(f.unknown)}
		child.store(s.Result, 0)
		f.free[c] = false
		w, err := child.walk(i + 1 + int(s.OnSuccess))
		if err == nil {
			if f.done.Forks == nil {
				f.done.Forks = map[int]Walk{}
			}
			f.done.Forks[i] = w
			return nil
		}
		f.free[c], last = true, err
	}
	return fmt.Errorf("step %d: its child: %w", i, last)
}
