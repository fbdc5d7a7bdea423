package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// sleeper is a container whose program doesn't end by itself.
const sleeper = `{"ociVersion": "1.3.0",
	"process": {"user": {"uid": 0, "gid": 0}, "args": ["sleep", "600"], "env": ["PATH=/bin"], "cwd": "/"},
	"root": {"path": "rootfs"},
	"mounts": [{"destination": "/proc", "type": "proc"}],
	"linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}]}}`

// together runs commands of minirt at the same time.
func (p *proof) together(commands ...[]string) []call {
	p.t.Helper()
	all := make([]*started, len(commands))
	for i, c := range commands {
		all[i] = start(p.t, append(p.minirt(), c...)...)
	}
	calls := make([]call, len(all))
	for i := range all {
		calls[i] = all[i].wait(p.t)
	}
	return calls
}

// one wants exactly one of the calls to have worked, and the others to say why not.
func (p *proof) one(calls []call, why ...string) {
	p.t.Helper()
	won := 0
	for _, c := range calls {
		if c.status == 0 {
			won++
			continue
		}
		if !slices.ContainsFunc(why, func(s string) bool { return strings.Contains(c.stderr, s) }) || strings.Count(c.stderr, "\n") != 1 {
			p.t.Errorf("exit status %d: %q, want one of %q", c.status, c.stderr, why)
		}
	}
	if won != 1 {
		p.t.Errorf("%d of %d won", won, len(calls))
	}
}

func times[T any](n int, v T) []T { return slices.Repeat([]T{v}, n) }

func rounds(few, many int) int {
	switch {
	case long:
		return many
	case testing.Short():
		return 1
	}
	return few
}

func TestOfManyWhoTryExactlyOneWins(t *testing.T) {
	p := newProof(t, []byte(sleeper))
	p.minirt()
	p.before = p.census()
	for range rounds(3, 100) {
		p.one(p.together(times(8, []string{"create", "-b", p.bundle, "web"})...), "already exists")
		p.one(p.together(times(8, []string{"start", "web"})...), "cannot start an already running container")
		for _, c := range p.together(times(4, []string{"delete", "--force", "web"})...) {
			if c.status != 0 {
				t.Errorf("delete --force: exit status %d: %s", c.status, c.stderr)
			}
		}
		p.nothingLeft(p.before, "eight creates, eight starts, four deletes")
	}
}

// TestVerbsThatCrossLeaveNothing lets verbs change one container at once. Which
// of them comes first is open; that the host is clean after one more delete isn't.
func TestVerbsThatCrossLeaveNothing(t *testing.T) {
	create, kill := []string{"create"}, []string{"kill", "web", "KILL"}
	run, remove, begin := []string{"run", "--detach"}, []string{"delete", "--force", "web"}, []string{"start", "web"}
	gone := []string{"does not exist", "not running", "cannot start a container that has stopped",
		"already running" /* it dies, and has closed its files */, "already exists", "in the creating state", "deleted while it was created",
		"killed before it was created", "ended before", "has gone", "does not wait at its gate"}
	for _, c := range []struct {
		name     string
		made     bool
		commands [][]string
	}{
		{"create, delete", false, [][]string{create, remove, remove}},
		{"run, delete", false, [][]string{run, remove, remove}},
		{"create, kill, delete", false, [][]string{create, kill, remove}},
		{"create, start", false, [][]string{create, begin}},
		{"start, delete", true, [][]string{begin, remove}},
		{"start, kill", true, [][]string{begin, kill}},
		{"kill, delete", true, [][]string{kill, remove, kill, remove}},
		{"create, start, delete", true, [][]string{create, begin, remove}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newProof(t, []byte(sleeper))
			p.minirt()
			for i := range c.commands {
				if name := c.commands[i][0]; name == "create" || name == "run" {
					c.commands[i] = append(c.commands[i], "-b", p.bundle, "web")
				}
			}
			p.before = p.census()
			for round := range rounds(6, 200) {
				if c.made {
					if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
						t.Fatal(err)
					}
				}
				calls := p.together(c.commands...)
				for i, r := range calls {
					said := slices.ContainsFunc(gone, func(s string) bool { return strings.Contains(r.stderr, s) })
					force := slices.Contains(c.commands[i], "--force")
					if r.status != 0 && (force || r.status > 0 && !said) {
						t.Errorf("round %d: %q: exit status %d: %s", round, c.commands[i], r.status, r.stderr)
					}
				}
				if err := p.Delete("web", true); err != nil {
					t.Errorf("round %d: delete --force: %v", round, err)
				}
				if !p.nothingLeft(p.before, fmt.Sprintf("round %d: %q said %+v", round, c.commands, calls)) {
					return
				}
			}
		})
	}
}

// TestWhoLooksNeverSeesHalfAContainer asks for states without a pause while
// containers come and go.
func TestWhoLooksNeverSeesHalfAContainer(t *testing.T) {
	p := newProof(t, []byte(sleeper))
	p.minirt()
	p.before = p.census()
	stop, looks := make(chan struct{}), 0
	var watch sync.WaitGroup
	r := &Runtime{Root: p.Root, Warn: func(text string) { t.Error("list warns: ", text) }}
	whole := func(s *State) {
		looks++
		known := slices.Contains([]string{"creating", "created", "running", "stopped"}, string(s.Status))
		alive := s.Status == "created" || s.Status == "running"
		if s.ID != "web" || s.Bundle != p.bundle || s.Rootfs == "" || s.Created.IsZero() || !known || alive && s.Pid <= 0 {
			t.Errorf("half a state: %+v", s)
		}
		if b := s.AppendJSON(nil, ""); !json.Valid(b) {
			t.Errorf("no JSON: %s", b)
		}
	}
	watch.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			states, err := r.List()
			if err != nil || len(states) > 1 {
				t.Errorf("%d containers, %v", len(states), err)
			}
			for i := range states {
				whole(&states[i])
			}
			if s, err := r.State("web"); err == nil {
				whole(s)
			} else if !errors.Is(err, ErrNotExist) {
				t.Error(err)
			}
			time.Sleep(50 * time.Microsecond)
		}
	})
	for range rounds(15, 500) {
		for _, command := range [][]string{{"create", "-b", p.bundle, "web"}, {"start", "web"}, {"delete", "--force", "web"}} {
			if c := p.together(command)[0]; c.status != 0 {
				t.Errorf("%q: %s", command, c.stderr)
			}
		}
	}
	close(stop)
	watch.Wait()
	p.nothingLeft(p.before, "containers that come and go")
	if looks < 10 {
		t.Errorf("only %d looks", looks)
	}
}
