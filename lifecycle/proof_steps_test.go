package lifecycle

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/internal/stage/stagetest"
	"golang.org/x/sys/unix"
)

const examples = "../bundles/examples"

// newExample makes a place with an example's bundle.
func newExample(t testing.TB, name string) *proof {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(examples, name, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(config), "/proc/4242/") {
		config = []byte(strings.ReplaceAll(string(config), "/proc/4242/", "/proc/"+strconv.Itoa(sandbox(t))+"/"))
	}
	p := newProof(t, config)
	for _, file := range entries(filepath.Join(examples, name)) {
		if file == "config.json" {
			continue
		}
		if out, err := exec.Command("cp", "-a", filepath.Join(examples, name, file), p.bundle).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if strings.Contains(string(config), `"terminal": true`) {
		p.terminals()
	}
	return p
}

// sandbox is a process in namespaces of its own, as a pod has one.
func sandbox(t testing.TB) int {
	c := exec.Command("sleep", "600")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET}
	if err := c.Start(); err != nil {
		t.Skip("no sandbox: ", err)
	}
	awaited.Store(c.Process.Pid, true)
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		awaited.Delete(c.Process.Pid)
	})
	return c.Process.Pid
}

// TestEveryExample holds the stages of every example to their plans, and then
// lets each step that they made fail.
func TestEveryExample(t *testing.T) {
	files, err := filepath.Glob(examples + "/*/config.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			p := newExample(t, filepath.Base(filepath.Dir(file)))
			plans := p.record()
			var walks []stagetest.Walk
			t.Run("the kernel saw the plan", func(t *testing.T) { walks = p.follow(t, plans) })
			t.Run("each step fails once", func(t *testing.T) { p.breakAll(t, plans, walks) })
		})
	}
}

// record lets a container live, and gives the plans of all its stages. The
// one that Plan prints must be among them.
func (p *proof) record() (plans []*plan.Plan) {
	p.t.Helper()
	printed, err := p.Plan("web", p.options())
	if err != nil {
		p.t.Fatal(err)
	}
	p.minirt()
	p.before = p.census()
	imageOf = func(q *plan.Plan) ([]byte, error) { plans = append(plans, q); return stage.Image(q) }
	defer func() { imageOf = stage.Image }()
	if err := p.Create("web", p.options()); err != nil {
		p.t.Fatal(err)
	}
	if err := p.Start("web"); err != nil {
		p.t.Error(err)
	}
	p.ends("web")
	if err := p.Delete("web", false); err != nil {
		p.t.Error(err)
	}
	p.nothingLeft(p.before, "create, start and delete")
	for _, q := range plans {
		if q.Text() == printed.Text() {
			return plans
		}
	}
	p.t.Errorf("no stage runs the plan that is printed (-printed +run):\n%s", cmp.Diff(printed.Text(), plans[0].Text()))
	return plans
}

// follow runs the container once more, under strace, and holds each stage to its plan.
func (p *proof) follow(t *testing.T, plans []*plan.Plan) (walks []stagetest.Walk) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	traces := t.TempDir()
	run := func(name string, command ...string) *started {
		flags := append(stagetest.Flags[:len(stagetest.Flags):len(stagetest.Flags)], "-o", filepath.Join(traces, name), "--")
		return start(t, append(append([]string{strace}, flags...), append(p.minirt(), command...)...)...)
	}
	create := run("create", append([]string{"create"}, p.arguments()...)...)
	created := false
	for end := time.Now().Add(20 * time.Second); !created && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s, err := p.State("web")
		created = err == nil && s.Status == "created"
	}
	if created {
		if c := run("start", "start", "web").wait(t); c.status != 0 {
			t.Error(c.stderr)
		}
		p.ends("web")
	} else {
		p.Delete("web", true)
	}
	if c := create.wait(t); c.status != 0 || !created {
		t.Fatalf("exit status %d: %s", c.status, c.stderr)
	}
	p.Delete("web", true)
	p.nothingLeft(p.before, "create, start and delete under strace")
	var all []stagetest.Trace
	for _, name := range []string{"create", "start"} {
		trace, err := stagetest.Read(filepath.Join(traces, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, trace)
	}
	for i, q := range plans {
		w, err := walkOf(q, all)
		if err != nil {
			t.Errorf("no process did what plan %d of %d says:\n%v\n%s", i, len(plans), err, q.Text())
			continue
		}
		walks = append(walks, w)
		t.Logf("plan %d of %d: %d of %d steps made, %d skipped", i, len(plans), len(made(w)), len(q.Steps), len(q.Steps)-len(made(w)))
	}
	return walks
}

// walkOf finds the process that went along a plan to its end.
func walkOf(q *plan.Plan, traces []stagetest.Trace) (stagetest.Walk, error) {
	var wrong []error
	for _, trace := range traces {
		for pid := range trace {
			w, err := trace.Follow(q, pid)
			if err == nil && len(w.Steps) > 1 && arrived(w) {
				return w, nil
			}
			if err == nil {
				err = errors.New(w.End.String() + " at step " + strconv.Itoa(w.At))
			}
			wrong = append(wrong, err)
		}
	}
	return stagetest.Walk{}, errors.Join(wrong...)
}

// arrived tells that a stage and those that it bore came to their planned ends.
func arrived(w stagetest.Walk) bool {
	for _, f := range w.Forks {
		if !arrived(f) {
			return false
		}
	}
	return w.End == stagetest.Executed || w.End == stagetest.Exited
}

// made are the steps that a stage and those that it bore have made.
func made(w stagetest.Walk) map[int]bool {
	all := map[int]bool{}
	for _, i := range w.Steps {
		all[i] = true
	}
	for _, f := range w.Forks {
		for i := range made(f) {
			all[i] = true
		}
	}
	return all
}

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
	stride := 4
	switch {
	case long:
		stride = 1
	case testing.Short():
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
			p.breakOne(i, q, step)
			if t.Failed() && broken > 400 {
				t.FailNow()
			}
		}
	}
	t.Logf("%d steps broken in %v", broken, time.Since(began).Round(time.Millisecond))
}

const never = unix.ENOTUNIQ // no step tolerates it

func (p *proof) breakOne(which int, q *plan.Plan, step int) {
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
	if err == nil {
		err = p.Start("web")
	} else if _, e := p.State("web"); !errors.Is(e, ErrNotExist) {
		p.t.Errorf("%s: create failed, and there is a state: %v", what, e)
	}
	if e := p.Delete("web", true); e != nil {
		p.t.Errorf("%s: delete --force: %v", what, e)
	}
	os.Remove(p.dir + "/pid") // the caller's, once the container was created
	p.nothingLeft(p.before, what)
	if err == nil {
		p.t.Errorf("%s: no error", what)
		return
	}
	if unheard(q, step) {
		return
	}
	for _, want := range p.naming(q, step) {
		if !strings.Contains(err.Error(), want) {
			p.t.Errorf("%s: %v\ndoesn't say %q", what, err, want)
		}
	}
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
// there to hear of it. All of them are calls that can't fail.
func unheard(q *plan.Plan, step int) bool {
	from, to := -1, -1
	for i := range q.Steps {
		switch s := &q.Steps[i]; {
		case s.Call == plan.Dup3:
			from = i - 1
		case s.Call == plan.Ppoll:
			to = i
		}
	}
	return from >= 0 && step >= from && step <= to
}
