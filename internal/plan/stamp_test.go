package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// ways are the ways through a plan, as far as its steps decide it: for each step
// the numbers of those that may follow it, in order: after success that isn't 0,
// after success or 0, after a tolerated errno.
func ways(p *plan.Plan) (list [][3]int) {
	for i, s := range p.Steps {
		w := [3]int{i + 1, i + 1 + int(s.OnSuccess), i + 1 + int(s.OnTolerated)}
		if s.Flags&plan.IfZero == 0 {
			w[0] = w[1]
		}
		list = append(list, w)
	}
	return list
}

func stamped(t *testing.T, how plan.Stamps) (before, after *plan.Plan, stamps []plan.Stamp, moved []int) {
	t.Helper()
	before, after = grammar(plan.AMD64), grammar(plan.AMD64)
	how.Memory, how.Parent = 9, 4
	stamps, moved = after.Stamp(how)
	if err := after.Check(); err != nil {
		t.Fatal(err)
	}
	return before, after, stamps, moved
}

func TestAStampedPlanDoesWhatItDidBefore(t *testing.T) {
	for _, each := range []bool{false, true} {
		for until := range len(grammar(plan.AMD64).Steps) + 1 {
			before, after, _, moved := stamped(t, plan.Stamps{Until: until, Each: each})
			was, is := ways(before), ways(after)
			for i := range before.Steps {
				step, next := after.Steps[moved[i+1]-1], before.Steps[i]
				next.OnSuccess, next.OnTolerated = step.OnSuccess, step.OnTolerated // compared below
				if d := cmp.Diff(next, step); d != "" {
					t.Errorf("until %d: step %d is another one (-before +after):\n%s", until, i, d)
				}
				for k, to := range was[i] {
					if got := is[moved[i+1]-1][k]; got != moved[to] {
						t.Errorf("until %d: step %d leads to %d, and not to %d as before", until, i, got, moved[to])
					}
				}
			}
			if len(after.Data) != len(before.Data) || len(after.Cells) != len(before.Cells) {
				t.Errorf("until %d: the memory is another one", until)
			}
		}
	}
}

func TestStampsStandWhereTheOriginChangesAndAroundWaits(t *testing.T) {
	_, after, stamps, _ := stamped(t, plan.Stamps{Until: 100})
	golden(t, "stamps.txt", after.Text())
	var got []string
	for _, s := range stamps {
		word := after.Steps[s.Step].Origin
		if s.Waits {
			word += " waits"
		}
		got = append(got, word)
	}
	want := []string{"root.path", "mounts[0]", "runtime.md lifecycle 6 waits", "runtime.md lifecycle 6", "process.args"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestEachStepCanHaveAStamp(t *testing.T) {
	before, after, stamps, _ := stamped(t, plan.Stamps{Until: 100, Each: true})
	for i, s := range stamps {
		if d := cmp.Diff(before.Steps[i].Call.Name(), after.Steps[s.Step].Call.Name()); d != "" {
			t.Errorf("stamp %d: %s", i, d)
		}
	}
	if len(stamps) != len(before.Steps) {
		t.Errorf("%d stamps for %d steps", len(stamps), len(before.Steps))
	}
}

// calls are the calls of a plan from a step on.
func callsFrom(p *plan.Plan, step int) (names []string) {
	for _, s := range p.Steps[step:] {
		names = append(names, s.Call.Name())
	}
	return names
}

func TestNothingAsksTheClockBehindTheLastStamp(t *testing.T) {
	before, after, _, moved := stamped(t, plan.Stamps{Until: 7, Each: true})
	want := append([]string{"munmap"}, callsFrom(before, 7)...)
	if d := cmp.Diff(want, callsFrom(after, moved[7])); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A filter may refuse clock_gettime and munmap, or end the process for them.
func TestNothingAsksTheClockBehindAFilter(t *testing.T) {
	for until := range 5 {
		p := plan.New(plan.AMD64, 3)
		p.Do(plan.Setsid)
		p.Do(plan.Seccomp, unix.SECCOMP_SET_MODE_FILTER, 0, nil)
		p.Do(plan.Umask, 0)
		p.Do(plan.ExitGroup, 0)
		before := callsFrom(p, 0)
		_, moved := p.Stamp(plan.Stamps{Memory: 9, Parent: 3, Until: until, Each: true})
		if d := cmp.Diff(before[2:], callsFrom(p, moved[2])); d != "" {
			t.Errorf("until %d (-want +got):\n%s", until, d)
		}
	}
}

func TestStampsThatDontFitMakeAPlanThatCantBeRun(t *testing.T) {
	p := plan.New(plan.AMD64, 3)
	for range plan.MaxSteps - 10 {
		p.Do(plan.Umask, 0)
	}
	p.Do(plan.ExitGroup, 0)
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	p.Stamp(plan.Stamps{Memory: 9, Parent: 3, Until: plan.MaxSteps, Each: true})
	if p.Check() == nil {
		t.Error("it can be run")
	}
}
