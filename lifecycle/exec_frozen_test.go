package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// between does something after exec has looked at the container, and before its
// stage is started.
func between(t *testing.T, do func()) {
	t.Cleanup(func() { imageOf = stage.Image })
	imageOf = func(p *plan.Plan) ([]byte, error) {
		do()
		return stage.Image(p)
	}
}

// frozen freezes the container past minirt's own pause, as anybody may.
func (p *proof) frozen() {
	p.t.Helper()
	c, err := p.load("web")
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.close()
	if err := c.group().Freeze(); err != nil {
		p.t.Fatal(err)
	}
}

func TestAnExecThatSomebodyFreezesOnItsWayIsRefused(t *testing.T) {
	p := newHost(t, nil)
	c, err := p.load("web")
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(c.group().FreezerFile(), "cgroup.events") {
		t.Skip("no freezer of version 1: a stage is born frozen, and only minirt's own pause is kept out")
	}
	c.close()
	before := p.census()
	between(t, p.frozen)
	began := time.Now()
	status, err := p.Exec("web", ExecOptions{Args: []string{"true"}, Detach: true})
	if status != NotStarted || err == nil || err.Error() != "exec web: "+string(errPaused) || time.Since(began) > 5*time.Second {
		t.Errorf("status %d, %v after %v", status, err, time.Since(began))
	}
	if s, err := p.State("web"); err != nil || s.Status != StatusPaused {
		t.Errorf("the container is %v (%v), want it paused", s, err)
	}
	imageOf = stage.Image
	if err := p.Resume("web"); err != nil {
		t.Fatal(err)
	}
	p.nothingLeft(before, "an exec that was frozen")
}

func TestAnExecThatMayWaitWaitsForWhatFreezesItOnItsWay(t *testing.T) {
	p := newHost(t, nil)
	between(t, func() {
		p.frozen()
		time.AfterFunc(300*time.Millisecond, func() { p.Resume("web") })
	})
	if status, err := p.Exec("web", ExecOptions{Args: []string{"sh", "-c", "exit 7"}, IgnorePaused: true}); status != 7 || err != nil {
		t.Errorf("status %d, %v, want 7", status, err)
	}
}

func TestPauseWaitsForAnExecOnItsWay(t *testing.T) {
	p := newHost(t, nil)
	paused := make(chan error, 1)
	between(t, func() {
		go func() { paused <- p.Pause("web") }()
		select {
		case err := <-paused:
			t.Errorf("pause came in between: %v", err)
			paused <- err
		case <-time.After(100 * time.Millisecond):
		}
	})
	status, err := p.Exec("web", ExecOptions{Args: []string{"true"}, Detach: true})
	if !(status == 0 && err == nil || status == NotStarted && strings.Contains(err.Error(), string(errPaused))) {
		t.Errorf("status %d, %v", status, err)
	}
	if err := <-paused; err != nil {
		t.Error(err)
	}
	if s, err := p.State("web"); err != nil || s.Status != StatusPaused {
		t.Errorf("the container is %v (%v), want it paused", s, err)
	}
	p.remove()
}

// Of pauses, resumes and execs that meet, each does what it says, and none waits for ever.
func TestExecAmongPausesAndResumes(t *testing.T) {
	p := newHost(t, nil)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				p.Pause("web")
				p.Resume("web")
			}
		}
	}()
	for range rounds(30, 300) {
		got := p.in("web", "true")
		refused := got.status == NotStarted && strings.HasSuffix(got.stderr, string(errPaused)+"\n")
		if !refused && got != (call{}) {
			t.Errorf("an exec among pauses: %+v", got)
		}
	}
	close(stop)
	<-done
	if s, err := p.State("web"); err != nil || s.Status != specs.StateRunning {
		t.Errorf("the container is %v (%v), want it running", s, err)
	}
}
