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
	err = p.Create("web", p.options())
	if err != nil && strings.Contains(err.Error(), "can't be id-mapped") { // a tmpfs before Linux 6.3
		p.t.Skip(err)
	}
	if err != nil {
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
