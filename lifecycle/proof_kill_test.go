package lifecycle

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestKilledAnywhereLeavesWhatDeleteClears kills minirt with SIGKILL at one of
// its system calls after the other, until it comes to its end by itself: then
// list and state still answer, delete --force clears all, and the host is as
// it was. The stage is not touched by it, and has to notice by itself.
func TestKilledAnywhereLeavesWhatDeleteClears(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	for _, example := range []string{"smallest", "hooks", "userns", "kernel-knobs", "default", "devices"} {
		for _, verb := range []string{"create", "run", "start", "exec", "kill", "delete"} {
			if !long && (testing.Short() || example != "smallest" && example != "hooks") && verb != "create" {
				continue
			}
			t.Run(example+" "+verb, func(t *testing.T) {
				p := newExample(t, example)
				if p.tty != "" && verb == "run" {
					t.Skip("a run that waits has the caller's terminal")
				}
				if verb == "exec" {
					p.stays()
				}
				p.minirt()
				p.before = p.census()
				stride := 16
				switch {
				case long:
					stride = 1
				case testing.Short():
					stride = 40
				}
				points, missed := p.points(strace, verb), 0
				for i := len(verb+example) % stride; i < len(points); i += stride {
					if p.killedAt(strace, verb, points[i]) {
						missed++
					}
					if t.Failed() {
						return
					}
				}
				least := 20
				if verb == "start" {
					least = 6
				}
				if n := len(points)/stride + 1; len(points) < least || missed > n/2 {
					t.Errorf("of %d points %d were missed", n, missed)
				}
				t.Logf("killed at %d of %d system calls, %d missed", len(points)/stride, len(points), missed)
			})
		}
	}
}

// stays makes the place's container one that runs until it is deleted.
func (p *proof) stays() {
	p.t.Helper()
	name := filepath.Join(p.bundle, "config.json")
	b, err := os.ReadFile(name)
	if err == nil {
		b = changed(p.t, b, func(config map[string]any) {
			config["process"].(map[string]any)["args"] = []string{"/bin/sleep", "1000"}
		})
		err = os.WriteFile(name, b, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// point is a system call of minirt's: the nth of its name.
type point struct {
	name string
	nth  int
}

// points lists the system calls that a verb makes, from minirt's first act on:
// before that Go makes itself ready.
func (p *proof) points(strace, verb string) (points []point) {
	p.t.Helper()
	for range 3 { // the first thread may have done but a part of the work
		if more := p.pointsOnce(strace, verb); len(more) > len(points) {
			points = more
		}
	}
	return points
}

func (p *proof) pointsOnce(strace, verb string) (points []point) {
	p.t.Helper()
	log := filepath.Join(p.t.TempDir(), "log")
	if c := p.traced(strace, verb, "-o", log).wait(p.t); c.status != 0 {
		p.t.Fatal(c.stderr)
	}
	if err := p.Delete("web", true); err != nil {
		p.t.Fatal(err)
	}
	b, err := os.ReadFile(log)
	if err != nil {
		p.t.Fatal(err)
	}
	count, began, first := map[string]int{}, false, "close_range"
	if verb == "start" { // may be done before Go begins (package early)
		first = "openat"
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		name, _, ok := strings.Cut(line, "(")
		if !ok || strings.HasPrefix(name, "+++") {
			continue
		}
		count[name]++
		began = began || name == first
		if began && name != "exit_group" && !strings.HasPrefix(name, "syscall_") {
			points = append(points, point{name, count[name]})
		}
	}
	return points
}

// traced runs a verb under strace, on a created container but for create and
// run. Only the first thread is traced: so that it does all the work, Go must
// not take that away from there.
func (p *proof) traced(strace, verb string, flags ...string) *started {
	p.t.Helper()
	if verb != "create" && verb != "run" {
		if err := p.Create("web", p.options()); err != nil {
			p.t.Fatal(err)
		}
	}
	if verb == "exec" {
		if err := p.Start("web"); err != nil {
			p.t.Fatal(err)
		}
	}
	command := append([]string{"env", "GOGC=off", "GODEBUG=asyncpreemptoff=1", strace, "-qqq", "-e", "signal=none"}, flags...)
	command = append(append(append(command, "--"), p.minirt()...), verb)
	switch verb {
	case "create", "run":
		command = append(command, p.arguments()...)
	case "delete":
		command = append(command, "--force", "web")
	case "exec":
		command = append(command, "web", "/bin/true")
	default:
		command = append(command, "web")
	}
	return start(p.t, command...)
}

// remove runs delete --force. What the killed one has left to us is reaped
// meanwhile, as every init does: a pid 1 can't end while its namespace has zombies.
func (p *proof) remove() call {
	p.t.Helper()
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				reap()
			}
		}
	}()
	c := start(p.t, append(p.minirt(), "delete", "--force", "web")...).wait(p.t)
	close(done)
	<-stopped
	return c
}

// killedAt kills a verb at a system call; true if it came to its end instead.
func (p *proof) killedAt(strace, verb string, at point) (ended bool) {
	p.t.Helper()
	what := verb + " killed at " + at.name + " number " + strconv.Itoa(at.nth)
	inject := "inject=" + at.name + ":signal=SIGKILL:when=" + strconv.Itoa(at.nth)
	c := p.traced(strace, verb, "-o", os.DevNull, "-e", inject).wait(p.t)
	if c.status > 0 {
		p.t.Errorf("%s: exit status %d: %s", what, c.status, c.stderr)
	}
	p.Warn = func(text string) { p.t.Errorf("%s: list and state warn: %s", what, text) }
	states, err := p.List()
	if err != nil || len(states) > 1 {
		p.t.Errorf("%s: list gives %d containers and %v", what, len(states), err)
	}
	s, err := p.State("web")
	if err != nil && !errors.Is(err, ErrNotExist) {
		p.t.Errorf("%s: state: %v", what, err)
	}
	for _, l := range states {
		if l.Status == "" || s != nil && s.Status == "" {
			p.t.Errorf("%s: no status: %+v %+v", what, l, s)
		}
	}
	p.Warn = nil
	if c := p.remove(); c.status != 0 {
		p.t.Errorf("%s: delete --force: %s", what, c.stderr)
	}
	if _, err := p.State("web"); !errors.Is(err, ErrNotExist) {
		p.t.Errorf("%s: state after delete: %v", what, err)
	}
	p.nothingLeft(p.before, what)
	return c.status >= 0
}
