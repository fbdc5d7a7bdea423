package plan_test

import (
	"strings"
	"testing"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

func TestAPlanThatCouldGoAstrayIsRefused(t *testing.T) {
	exit := func(p *plan.Plan) { p.Do(plan.ExitGroup, 0) }
	for _, c := range []struct {
		name, want string // want "" for a plan that is fine
		make       func(p *plan.Plan)
	}{
		{"exit ends it", "", exit},
		{"fail ends it", "", func(p *plan.Plan) { p.Fail(unix.EIO).Tolerate(unix.EIO) }},
		{"execve ends it", "", func(p *plan.Plan) { p.Do(plan.Execve, "/x", nil, nil) }},
		{"nothing to do", "without steps", func(p *plan.Plan) {}},
		{"no end", "must end the process", func(p *plan.Plan) { p.Do(plan.Setsid) }},
		{"an end that may be survived", "must end the process", func(p *plan.Plan) { p.Do(plan.Execve, "/x", nil, nil).Tolerate(unix.ENOENT) }},
		{"a jump to the last step", "", func(p *plan.Plan) { p.Do(plan.Setsid).OnSuccess = 1; p.Do(plan.Setsid); exit(p) }},
		{"a jump beyond it", "beyond the last", func(p *plan.Plan) { p.Do(plan.Setsid).OnSuccess = 2; p.Do(plan.Setsid); exit(p) }},
		{"a tolerated jump beyond it", "beyond the last", func(p *plan.Plan) { p.Do(plan.Setsid).OnTolerated = 2; p.Do(plan.Setsid); exit(p) }},
		{"a jump to the step to come that never came", "beyond the last", func(p *plan.Plan) { p.Do(plan.Setsid); exit(p); p.JumpOnSuccess(0) }},
		{"four errnos", "", func(p *plan.Plan) { p.Do(plan.Setsid).Tolerate(1, 2).Tolerate(3, 4); exit(p) }},
		{"five errnos", "more than 4", func(p *plan.Plan) { p.Do(plan.Setsid).Tolerate(1, 2, 3).Tolerate(4, 5); exit(p) }},
		{"an errno kept nowhere", "kept, but nowhere", func(p *plan.Plan) { p.Do(plan.Setsid).Set(plan.KeepErrno); exit(p) }},
		{"a result nowhere", "outside of the cells", func(p *plan.Plan) { p.Do(plan.Setsid).To(0); exit(p) }},
		{"a value from nowhere", "argument 0 lies outside", func(p *plan.Plan) { p.Do(plan.Close, plan.Register(8)); exit(p) }},
		{"a value at the end", "argument 0 lies outside", func(p *plan.Plan) { r := p.Register("r"); p.Do(plan.Close, r+1); exit(p) }},
		{"data nowhere", "argument 1 lies outside", func(p *plan.Plan) { p.Do(plan.Write, 1, plan.Data(9), 1); exit(p) }},
		{"a cell nowhere", "argument 1 lies outside", func(p *plan.Plan) { p.Do(plan.Read, 1, plan.Cell(9), 1); exit(p) }},
		{"a register inside", "", func(p *plan.Plan) { p.Within(p.Buffer("b", make([]byte, 12)), 8, "r"); exit(p) }},
		{"a register half inside", "lie outside", func(p *plan.Plan) { p.Within(p.Buffer("b", make([]byte, 16)), 12, "r"); exit(p) }},
		{"a pointer outside", "lie outside", func(p *plan.Plan) { p.Point(p.Buffer("b", make([]byte, 8)), 8, "x"); exit(p) }},
		{"a pointer to a number", "points to no memory", func(p *plan.Plan) { p.Point(p.Buffer("b", make([]byte, 8)), 0, 7); exit(p) }},
		{"seven arguments", "too many arguments of setsid", func(p *plan.Plan) { p.Do(plan.Setsid, 1, 2, 3, 4, 5, 6, 7); exit(p) }},
		{"an argument of no type", "of a type that no step takes", func(p *plan.Plan) { p.Do(plan.Close, int32(1)); exit(p) }},
		{"a NUL in argv", "holds a NUL", func(p *plan.Plan) { p.Strings([]string{"a", "b\x00"}); exit(p) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := plan.New(plan.AMD64, 3)
			p.At("the origin")
			c.make(p)
			err := p.Check()
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case err != nil && len(p.Steps) > 0 && !strings.HasPrefix(err.Error(), "the origin: "):
				t.Errorf("no origin: %v", err)
			}
			p.Text() // a plan that can't be run can still be printed
		})
	}
}

func TestEqualOpenHowsAreStoredOnce(t *testing.T) {
	p := plan.New(plan.AMD64, 3)
	a, b, c := p.How(1, 2, 3), p.How(1, 2, 3), p.How(1, 2, 4)
	if a != b || a == c {
		t.Errorf("%d, %d, %d", a, b, c)
	}
}
