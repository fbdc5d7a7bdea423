package lifecycle

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/internal/stage/stagetest"
	"golang.org/x/sys/unix"
)

// breakAll lets each step that a stage makes fail once, with an errno that no
// step tolerates.
func (p *proof) breakAll(t *testing.T, plans []*plan.Plan, walks []stagetest.Walk) {
	if len(walks) != len(plans) {
		t.Skip("which steps are made is not known, for want of a trace")
	}
	outer := p.t
	p.t = t
	defer func() { p.t = outer }()
	began, broken := time.Now(), 0
	stride := 1
	if testing.Short() {
		stride = 16
	}
	for i, q := range plans {
		walked, last := made(walks[i]), plan.Step{}
		for step := range q.Steps {
			s := q.Steps[step]
			alike := last.Call == s.Call && last.Origin == s.Origin && last.Kinds == s.Kinds // forty capabilities to drop
			last = s
			if !walked[step] || (step+len(t.Name()))%stride != 0 || alike && !long {
				continue
			}
			broken++
			if !p.breakOne(i, q, step) {
				return // what is left would be found again at each step
			}
		}
	}
	t.Logf("%d steps broken in %v", broken, time.Since(began).Round(time.Millisecond))
}

const never = unix.ENOTUNIQ // no step tolerates it

// breakOne lets a step fail; false if something of it is left.
func (p *proof) breakOne(which int, q *plan.Plan, step int) (clean bool) {
	n := 0
	imageOf = func(q *plan.Plan) ([]byte, error) {
		image, err := stage.Image(q)
		if n == which && err == nil {
			err = stage.Break(image, step, never)
		}
		n++
		return image, err
	}
	defer func() { imageOf = stage.Image }()
	what := "plan " + strconv.Itoa(which) + " step " + q.Line(step)
	o := p.options()
	o.PIDFile = p.dir + "/pid"
	err := p.Create("web", o)
	created := err == nil
	if created {
		err = p.Start("web")
	} else if _, e := p.State("web"); !errors.Is(e, ErrNotExist) {
		p.t.Errorf("%s: create failed, and there is a state: %v", what, e)
	}
	if e := p.Delete("web", true); e != nil {
		p.t.Errorf("%s: delete --force: %v", what, e)
	}
	if created {
		os.Remove(o.PIDFile) // the caller's by now
	}
	clean = p.nothingLeft(p.before, what)
	if err == nil {
		p.t.Errorf("%s: no error", what)
		return clean
	}
	if unheard(q, step) {
		return clean
	}
	for _, want := range p.naming(q, step) {
		if !strings.Contains(err.Error(), want) {
			p.t.Errorf("%s: %v\ndoesn't say %q", what, err, want)
		}
	}
	return clean
}

// naming is what the error for a broken step must say: the step, and its place.
func (p *proof) naming(q *plan.Plan, step int) []string {
	config, err := os.ReadFile(p.bundle + "/config.json")
	if err != nil {
		p.t.Fatal(err)
	}
	s := &q.Steps[step]
	switch {
	case s.Origin == "hooks" && q.Steps[0].Origin == "hooks": // the small stage of a hook
		return []string{"hooks.", "[0]", q.Sentence(step), never.Error()}
	case s.Origin == "process.args[0]" && s.Call != plan.Write && s.Call != plan.Test:
		return []string{`exec: "sh"`, never.Error(), placeOf(config, s.Origin)}
	}
	return []string{s.Origin, never.Error(), placeOf(config, configPath(s.Origin))}
}

// unheard tells that a step is made after the acknowledgement that ends
// create, and before start can listen: it can't be named, since nobody is
// there to hear of it. All of them are calls that can't fail. A stage that has
// loaded its filter by then makes but two.
func unheard(q *plan.Plan, step int) bool {
	from, to := -1, -1
	for i := range q.Steps {
		switch s := &q.Steps[i]; {
		case s.Call == plan.Dup3:
			from = i - 1
		case s.Call == plan.Ppoll:
			to = i
		case s.Call == plan.Read && s.Origin == "runtime.md start" && to < 0 && from < 0:
			from, to = i-1, i
		}
	}
	return from >= 0 && step >= from && step <= to
}
