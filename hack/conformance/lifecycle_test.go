package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// counting is a program that counts its starts, and then waits.
const counting = `echo >>/starts; echo started; while :; do sleep 0.01; done`

// waiting is one that only waits.
const waiting = `exec sleep 1000`

// starts is how often a counting program has been started.
func (b *box) starts() int { return strings.Count(contents(b.path("rootfs/starts")), "\n") }

// in brings a new container into a state; its program must be counting.
func (b *box) in(state specs.ContainerState) {
	b.Helper()
	b.create()
	if state == specs.StateCreated {
		return
	}
	b.start()
	b.printed("started")
	switch state {
	case "paused":
		b.must("pause", b.id)
	case specs.StateStopped:
		b.must("kill", b.id, "KILL")
		b.ends()
	}
	b.is(state)
}

// LC-01, ST-03
func TestAContainerGoesThroughItsLife(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	b.create()
	b.is(specs.StateCreated)
	b.start()
	b.is(specs.StateRunning)
	b.must("kill", b.id, "KILL")
	b.ends()
	b.must("delete", b.id)
	b.unknown()
}

// ST-03
func TestAContainerWhoseProgramEndsByItselfIsStopped(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/true"))
	b.create()
	b.start()
	b.ends()
}

// LC-02
func TestCreateNeverRunsTheProgram(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(counting))
	b.create()
	time.Sleep(300 * time.Millisecond)
	if b.starts() != 0 {
		t.Error("the program has run before start")
	}
	b.start()
	b.printed("started")
	if n := b.starts(); n != 1 {
		t.Errorf("started %d times", n)
	}
}

// LC-04
func TestWhatIsInConfigAfterCreateChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell("echo old"), set("annotations.a", "old"))
	log := b.path("log")
	hook := func(what string) edit {
		h := map[string]any{"path": probe, "args": []string{what, "hook", log}}
		return all(set("hooks.poststart", []any{h}), set("hooks.poststop", []any{h}))
	}
	b.edit(hook("old"))
	b.create()
	b.edit(shell("echo new"), set("annotations.a", "new"), hook("new"),
		set("linux.seccomp", raw(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["write"],"action":"SCMP_ACT_ERRNO"}]}`)))
	b.start()
	b.ends()
	if got := b.state().Annotations["a"]; got != "old" {
		t.Errorf("annotation %q", got)
	}
	b.write("{}")
	b.must("delete", b.id)
	if got := contents(b.output); got != "old\n" {
		t.Errorf("the program printed %q", got)
	}
	ran := b.hooks(log)
	if len(ran) != 2 {
		t.Fatalf("%d hooks ran, want 2", len(ran))
	}
	for _, h := range ran {
		if h.Args[0] != "old" || !strings.Contains(h.Stdin, `"old"`) {
			t.Errorf("a hook ran as %q with %s", h.Args, h.Stdin)
		}
	}
}

// LC-05
func TestCreateWithoutIDOrBundleFails(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.fails("create", "--bundle", b.dir)
	b.fails("create", b.id) // the working directory is no bundle
	b.fails("create", "--bundle", "", b.id)
	if entries, _ := os.ReadDir(b.root); len(entries) > 0 {
		t.Errorf("left in the root of states: %v", entries)
	}
}

// LC-06
func TestAnIDInUseIsRefusedInEveryState(t *testing.T) {
	for _, state := range []specs.ContainerState{specs.StateCreated, specs.StateRunning, "paused", specs.StateStopped} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(counting))
			b.in(state)
			r := b.fails("create", "--bundle", b.dir, b.id)
			if ours && !strings.Contains(r.stderr, b.id) {
				t.Error(r)
			}
			b.is(state)
			if state == specs.StateCreated {
				b.start()
				b.printed("started")
			}
		})
	}
}

// LC-07
func TestAnInvalidIDIsRefusedAndNothingMade(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	above := filepath.Dir(b.root)
	before, _ := os.ReadDir(above)
	for _, id := range []string{"", ".", "..", "a/b", "/a", "../a", "a\n", "a b", "a\\b", "a\x01", "ä", strings.Repeat("x", 2000)} {
		b.fails("create", "--bundle", b.dir, id)
	}
	if entries, _ := os.ReadDir(b.root); len(entries) > 0 {
		t.Errorf("left in the root of states: %v", entries)
	}
	after, _ := os.ReadDir(above)
	names := func(list []os.DirEntry) (names []string) {
		for _, e := range list {
			if n := e.Name(); n != "states" && !strings.HasPrefix(n, "std") { // the calls' own output
				names = append(names, n)
			}
		}
		return names
	}
	if !slices.Equal(names(before), names(after)) {
		t.Errorf("beside the root of states: %q, then %q", names(before), names(after))
	}
}

// LC-08
func TestVerbsWithoutIDOrWithAnUnknownOneFail(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, verb := range []string{"state", "start", "kill", "delete"} {
		for _, id := range [][]string{{}, {"nobody"}, {""}, {".."}, {"../bundle"}} {
			b.fails(append([]string{verb}, id...)...)
		}
	}
}

// LC-09
func TestStartFailsButForACreatedContainerAndDoesNothing(t *testing.T) {
	for _, state := range []specs.ContainerState{specs.StateRunning, "paused", specs.StateStopped} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(counting))
			b.in(state)
			b.fails("start", b.id)
			b.is(state)
			if n := b.starts(); n != 1 {
				t.Errorf("started %d times", n)
			}
		})
	}
	t.Run("creating", func(t *testing.T) {
		t.Parallel()
		b := newBox(t, shell(counting))
		verbs := b.duringCreate("start", "kill", "state")
		b.create()
		if got := verbs(); got["start"] == 0 || got["kill"] == 0 || got["state"] != 0 {
			t.Errorf("during create: exit statuses %v", got)
		}
		b.is(specs.StateCreated)
		if b.starts() != 0 {
			t.Error("the program has run before start")
		}
		b.start()
	})
}

// duringCreate makes a hook of create call verbs of the runtime, and gives
// their exit statuses once create is done.
func (b *box) duringCreate(verbs ...string) func() map[string]int {
	script := ""
	for _, v := range verbs {
		script += fmt.Sprintf("%s --root %s %s %s >%s.%s 2>&1; echo $? >>%s.%s\n", program, b.root, v, b.id, b.path("during"), v, b.path("during"), v)
	}
	b.edit(set("hooks.createRuntime[+]", map[string]any{"path": "/bin/sh", "args": []string{"sh", "-c", script}, "timeout": 20}))
	return func() map[string]int {
		statuses := map[string]int{}
		for _, v := range verbs {
			said := strings.TrimSpace(contents(b.path("during." + v)))
			status, err := strconv.Atoi(said[strings.LastIndexByte(said, '\n')+1:])
			if err != nil {
				b.Error(v, said)
			}
			statuses[v] = status
			b.Log(v, said)
		}
		return statuses
	}
}

// LC-10
func TestABundleWithoutProcessCanBeCreatedButNotStarted(t *testing.T) {
	t.Parallel()
	b := newBox(t, drop("process"))
	b.create()
	b.is(specs.StateCreated)
	r := b.fails("start", b.id)
	if ours && !strings.Contains(r.stderr, "process") {
		t.Error(r)
	}
	b.is(specs.StateCreated)
	b.must("delete", "--force", b.id)
	b.unknown()
}

// LC-11, PR-05, PR-07
func TestStartRunsTheProgramExactlyAsInConfig(t *testing.T) {
	t.Parallel()
	argv := []string{"probe", "", "a b", "ä\n", `"\`, "--help", strings.Repeat("x", 5000)}
	env := []string{"PATH=/nowhere:/bin", "B=2", "A=1", "B=3", "EMPTY=", "UMLAUT=ä", "HOME=/h"}
	b := newBox(t, args(argv...), set("process.env", env), set("process.cwd", "/tmp"))
	b.prepare = func(c *exec.Cmd) { c.Env = append(os.Environ(), "SECRET=host") }
	s := b.see()
	same(t, "argv", s.Args, argv)
	same(t, "env", s.Env, env)
	same(t, "cwd", s.Cwd, "/tmp")
}

// LC-18
func TestAFailedVerbLeavesTheContainerAsItWas(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(counting))
	b.in(specs.StateRunning)
	before := b.must("state", b.id)
	for _, call := range [][]string{
		{"start", b.id}, {"delete", b.id}, {"kill", b.id, "SIGNOPE"}, {"create", "--bundle", b.dir, b.id},
		{"create", "--bundle", "/nowhere", b.id}, {"kill", "nobody"}, {"delete", "nobody"},
	} {
		b.fails(call...)
	}
	same(t, "the state", b.must("state", b.id), before)
	if n := b.starts(); n != 1 {
		t.Errorf("started %d times", n)
	}
	entries, _ := os.ReadDir(b.root)
	if ours && len(entries) != 1 {
		t.Errorf("in the root of states: %v", entries)
	}
}

// LC-18, LC-21
func TestAProgramThatCannotBeExecutedFailsOnceAndLeavesNoProcess(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/garbage"))
	if err := os.WriteFile(b.path("rootfs/bin/garbage"), []byte("garbage"), 0o755); err != nil {
		t.Fatal(err)
	}
	if r := b.call("create", "--bundle", b.dir, b.id); r.status == 0 { // some find out at create
		r = b.fails("start", b.id)
		if ours && !strings.Contains(r.stderr, `exec: "/bin/garbage": exec format error`) {
			t.Error(r)
		}
		b.ends()
		b.must("delete", b.id)
	}
	b.unknown()
}

// LC-19, CP-02
func TestAWarningChangesNeitherFlowNorExitStatus(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell("exit 7"), set("process.capabilities.bounding", []string{"CAP_NOPE", "CAP_KILL"}))
	r := b.call("run", "--bundle", b.dir, b.id)
	if r.status != 7 || r.stdout != "" {
		t.Error(r)
	}
	if !strings.Contains(r.stderr, "CAP_NOPE") {
		t.Errorf("no warning names CAP_NOPE: %q", r.stderr)
	}
	b.unknown()
}
