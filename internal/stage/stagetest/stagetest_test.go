package stagetest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

func newPlan() *plan.Plan {
	a, _ := plan.ArchOf(runtime.GOARCH)
	return plan.New(a, 3)
}

// traced runs a plan under strace, the plan's report on descriptor 3.
func traced(t *testing.T, p *plan.Plan, change func(image []byte)) (Trace, int) {
	t.Helper()
	image, err := stage.Image(p)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(image)
	}
	name := filepath.Join(t.TempDir(), "stage")
	if err := os.WriteFile(name, image, 0o755); err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	trace := Strace(t, []*os.File{null}, name)
	first := 0
	for pid := range trace {
		if first == 0 || pid < first {
			first = pid
		}
	}
	return trace, first
}

// walked is a plan with each way to go on in it; end appends step 14, the child's last.
func walked(end func(p *plan.Plan)) *plan.Plan {
	p := newPlan()
	dir, kept, child, word := p.Register("dir"), p.Register("kept"), p.Register("child"), p.Register("word")
	how := p.How(unix.O_PATH|unix.O_DIRECTORY, 0, unix.RESOLVE_NO_SYMLINKS)
	p.Do(plan.Openat2, unix.AT_FDCWD, "/", how, plan.HowSize).To(dir)                    // 0
	p.Do(plan.Openat2, dir, "nothing", how, plan.HowSize).To(kept).Tolerate(unix.ENOENT) // 1
	p.Do(plan.Openat2, dir, "nothing", how, plan.HowSize).To(kept).Tolerate(unix.ENOENT).Set(plan.KeepErrno)
	p.Fail(1)
	p.JumpOnTolerated(2)
	p.Do(plan.Umask, kept)                                          // 4: umask(ENOENT)
	p.Do(plan.Prlimit64, 0, unix.RLIMIT_CORE, nil, plan.Cell(word)) // 5
	p.Do(plan.Umask, word)                                          // 6: what only the kernel knows
	p.Do(plan.Personality, uint64(0xffffffff))                      // 7
	p.Do(plan.Test, 0).Set(plan.IfZero)                             // 8
	p.Fail(2)
	p.JumpOnSuccess(8)
	p.Do(plan.Clone, int(unix.SIGCHLD), nil, nil, nil, nil).To(child).Set(plan.IfZero) // 10
	p.Do(plan.Close, dir)                                                              // 11
	p.Do(plan.ExitGroup, 0)                                                            // 12: the parent ends
	p.JumpOnSuccess(10)
	p.Do(plan.Fchdir, dir) // 13
	end(p)
	return p
}

func TestATraceEqualsThePlanLessWhatWasSkipped(t *testing.T) {
	for _, c := range []struct {
		child Walk
		end   func(p *plan.Plan)
	}{
		{Walk{End: Exited}, func(p *plan.Plan) { p.Do(plan.ExitGroup, 3) }},
		{Walk{End: Failed, Errno: unix.EXDEV}, func(p *plan.Plan) { p.Fail(unix.EXDEV) }},
		{Walk{End: Executed}, func(p *plan.Plan) {
			p.Do(plan.Execve, "/bin/true", p.Strings([]string{"true"}), p.Strings(nil))
		}},
	} {
		t.Run(c.child.End.String(), func(t *testing.T) {
			if _, err := os.Stat("/bin/true"); err != nil {
				t.Skip(err)
			}
			c.child.Steps, c.child.At = []int{13, 14}, 14
			p := walked(c.end)
			trace, pid := traced(t, p, nil)
			got, err := trace.Follow(p, pid)
			if err != nil {
				t.Fatal(err)
			}
			want := Walk{Steps: []int{0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12}, End: Exited, At: 12, Forks: map[int]Walk{10: c.child}}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAStageThatDoesAnotherThingThanThePlanIsFound(t *testing.T) {
	said := func(umask, extra int) *plan.Plan {
		p := newPlan()
		p.Do(plan.Umask, umask)
		for range extra {
			p.Do(plan.Setsid).Tolerate(unix.EPERM)
		}
		p.Do(plan.ExitGroup, 0)
		return p
	}
	trace, pid := traced(t, said(0o22, 0), nil)
	for _, c := range []struct {
		name string
		plan *plan.Plan
		want string
	}{
		{"another argument", said(0o77, 0), "argument 0 is 0x3f by the plan"},
		{"a call too few", said(0o22, 1), "another call"},
	} {
		if _, err := trace.Follow(c.plan, pid); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestABrokenStepIsFoundInTheTrace(t *testing.T) {
	p := newPlan()
	p.Do(plan.Umask, 0o22)
	p.Do(plan.Setsid).Tolerate(unix.EPERM)
	p.Do(plan.ExitGroup, 0)
	trace, pid := traced(t, p, func(image []byte) {
		if err := stage.Break(image, 1, unix.EINVAL); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := trace.Follow(p, pid); err == nil || !strings.Contains(err.Error(), "step 1") {
		t.Fatalf("got %v, want a complaint about step 1", err)
	}
	if names := trace[pid]; names[len(names)-1].Args[0] != 127 {
		t.Fatalf("the stage went on: %+v", names)
	}
}

func TestLinesOfStraceAreRead(t *testing.T) {
	for _, c := range []struct {
		line  string
		want  Call
		again bool
	}{
		{"umask(0x12)                             = 0x16", Call{Name: "umask", Args: []uint64{0x12}, Result: 0x16}, false},
		{"setsid()                                = -1 EPERM (Operation not permitted)", Call{Name: "setsid", Result: -1}, false},
		{"getpid()                                = -1", Call{Name: "getpid", Result: -1}, false},
		{"exit_group(0)                           = ?", Call{Name: "exit_group", Args: []uint64{0}, Cut: true}, false},
		{"exit_group(0 <detached ...>", Call{Name: "exit_group", Args: []uint64{0}, Cut: true}, false},
		{"read(0x3, 0x7, 0x1 <unfinished ...>", Call{Name: "read", Args: []uint64{3, 7, 1}, Cut: true}, false},
		{"read(0x3, 0x7, 0x1) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)", Call{Name: "read", Args: []uint64{3, 7, 1}, Cut: true}, true},
		{"x(0xffffffffffffff9c) = -1 EOPNOTSUPP (Operation not supported)", Call{Name: "x", Args: []uint64{1<<64 - 100}, Result: -95}, false},
	} {
		got, again, err := parse(c.line)
		if err != nil || again != c.again {
			t.Errorf("%s: again %v, error %v", c.line, again, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.line, d)
		}
	}
	for _, line := range []string{"", "x", `openat(0x3, "a") = 3`, "x(0x1) = y"} {
		if c, _, err := parse(line); err == nil {
			t.Errorf("%q was read as %+v", line, c)
		}
	}
}
