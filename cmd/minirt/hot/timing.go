package hot

import (
	"errors"
	"strings"
	"time"

	"github.com/minirt/minirt/cmd/minirt/early"
	"github.com/minirt/minirt/lifecycle"
)

// Timed is the flag of the verbs that can tell where their time goes.
type Timed struct {
	Timing string `name:"timing" placeholder:"FILE" optional:"" help:"Tell at the end where the time went, phase by phase, minirt's and its stage's: on standard error, or in FILE; as events for a trace viewer, call by call, if its name ends in .json."`
}

// timed runs a verb with a place for its times, nil if nobody asks for them, and
// tells them, even if it ends with an error.
func (f *Timed) timed(verb, id string, run func(t *lifecycle.Timing) (int, error)) (status int, err error) {
	if f.Timing == "" {
		return run(nil)
	}
	t := sinceTheFirst()
	r, err := openReport("--timing", f.Timing, verb, id)
	if err != nil {
		return 1, err
	}
	t.EachStep = strings.HasSuffix(f.Timing, ".json")
	status, err = run(t)
	switch {
	case errors.Is(err, lifecycle.ErrDriver): // main runs it
		r.close()
		return status, err
	case t.EachStep:
		return status, r.tell(t.AppendJSON(nil), err)
	}
	return status, r.tell(t.AppendText(nil), err)
}

// sinceTheFirst begins with what package early has noted.
func sinceTheFirst() *lifecycle.Timing {
	t := new(lifecycle.Timing)
	first, goes, charged := early.Began()
	if goes > 0 {
		t.Charged = time.Duration(charged)
		t.BeginAt("Go's start", first)
		t.BeginAt("read the command line", goes)
	} else {
		t.Begin("read the command line")
	}
	return t
}
