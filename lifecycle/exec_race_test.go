package lifecycle

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Whatever an exec meets on its way, it has run or says why not, and leaves nothing.
func TestExecMeetsOtherVerbs(t *testing.T) {
	ended := []string{"cannot exec in a stopped container"}
	for _, c := range []struct {
		name   string
		verb   func(p *proof) call
		why    []string // exec's texts
		killed bool     // the program may have been killed
		over   bool     // the container is gone, or has ended
	}{
		{"the container's end", func(p *proof) call { return p.verb("kill", "web", "KILL") }, ended, true, true},
		{"delete", func(p *proof) call { return p.verb("delete", "--force", "web") }, append(ended, "container does not exist"), true, true},
		{"update", func(p *proof) call { return p.verb("update", "--pids-limit", "100", "--memory", "64m", "web") }, nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newHost(t, nil)
			before := p.without()
			for i := range rounds(10, 300) {
				if i == 0 || c.over {
					p.remove()
					if c := p.verb("run", "--detach", "--bundle", p.bundle, "web"); c.status != 0 {
						t.Fatal(c.stderr)
					}
				}
				met := start(t, append(p.minirt(), "exec", "web", "sh", "-c", "exit 7")...)
				time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
				if got := c.verb(p); got.status != 0 || got.stderr != "" {
					t.Errorf("%s, beside an exec: %+v", c.name, got)
				}
				got := met.wait(t)
				switch {
				case got == call{7, "", ""}:
				case c.killed && got == call{137, "", ""}:
				case got.status != NotStarted || strings.Count(got.stderr, "\n") != 1 || !contains(got.stderr, c.why):
					t.Errorf("an exec that met %s: %+v", c.name, got)
				}
			}
			if got := p.remove(); got != (call{}) {
				t.Error(got)
			}
			p.nothingLeft(before, c.name)
		})
	}
}

// without takes the container away, and gives the census without it.
func (p *proof) without() []string {
	p.t.Helper()
	if got := p.remove(); got != (call{}) {
		p.t.Fatal(got)
	}
	time.Sleep(20 * time.Millisecond)
	reap()
	return p.census()
}

func contains(s string, any []string) bool {
	for _, a := range any {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

// An exec whose caller is killed leaves a container that can be deleted.
func TestExecThatIsKilledLeavesNothing(t *testing.T) {
	p := newHost(t, nil)
	before := p.without()
	if c := p.verb("run", "--detach", "--bundle", p.bundle, "web"); c.status != 0 {
		t.Fatal(c.stderr)
	}
	for range rounds(10, 300) {
		s := start(t, append(p.minirt(), "exec", "web", "sleep", "0.2")...)
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		s.Process.Kill()
		if got := s.wait(t); got.stderr != "" {
			t.Errorf("%+v", got)
		}
	}
	if got := p.remove(); got != (call{}) {
		t.Error(got)
	}
	p.nothingLeft(before, "killed execs")
}
