package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minirt/minirt/hack/conformance/probe/sight"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// A hook of the tests is the probe, which writes what it sees to a log: the
// bundle's on the host, and /log inside, once the root is the container's.
func (b *box) hook(argv0 string, action ...string) map[string]any {
	return map[string]any{"path": probe, "args": append([]string{argv0, "hook", b.path("log")}, action...)}
}

func inside(argv0 string, action ...string) map[string]any {
	return map[string]any{"path": "/bin/probe", "args": append([]string{argv0, "hook", "/log"}, action...)}
}

// hooks reads what probe hook wrote to a file.
func (b *box) hooks(file string) (all []sight.Hook) {
	b.Helper()
	for line := range bytes.Lines([]byte(contents(file))) {
		h := sight.Hook{Sight: new(sight.Sight)}
		if err := json.Unmarshal(line, &h); err != nil {
			b.Fatal(err)
		}
		all = append(all, h)
	}
	return all
}

// ran gives what the hooks wrote, in the order of their start.
func (b *box) ran() []sight.Hook {
	b.Helper()
	all := append(b.hooks(b.path("log")), b.hooks(b.path("rootfs/log"))...)
	slices.SortFunc(all, func(x, y sight.Hook) int { return int(x.Time - y.Time) })
	return all
}

// names are the hooks' argv[0].
func names(hooks []sight.Hook) (list []string) {
	for _, h := range hooks {
		list = append(list, h.Args[0])
	}
	return list
}

// mountPoints are the fifth fields of /proc/PID/mountinfo.
func mountPoints(mountinfo string) (list []string) {
	for line := range strings.Lines(mountinfo) {
		list = append(list, strings.Fields(line)[4])
	}
	return list
}

var createHooks = []string{"prestart", "createRuntime", "createContainer"}

// allHooks gives the container two hooks of each kind.
func (b *box) allHooks() {
	for _, kind := range []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"} {
		for _, n := range []string{"1", "2"} {
			h := b.hook(kind + n)
			if kind == "startContainer" {
				h = inside(kind + n)
			}
			b.edit(set("hooks."+kind+"[+]", h))
		}
	}
}

// HK-01, HK-05, HK-06, HK-07, HK-08, HK-09, HK-10, HK-13, ST-01, ST-05, ST-06, ST-07
func TestHooksRunInTheirOrderAndPlaceWithTheState(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting), set("annotations.a", "b"))
	b.allHooks()
	b.must("create", "--bundle", "bundle", b.id)
	want := []string{"prestart1", "prestart2", "createRuntime1", "createRuntime2", "createContainer1", "createContainer2"}
	same(t, "hooks of create", names(b.ran()), want)
	b.start()
	want = append(want, "startContainer1", "startContainer2", "poststart1", "poststart2")
	same(t, "hooks of create and start", names(b.ran()), want)
	pid := b.state().Pid
	link := func(pid any) map[string]string {
		m := map[string]string{}
		for _, n := range []string{"mnt", "net", "pid", "ipc", "uts"} {
			m[n], _ = os.Readlink(fmt.Sprintf("/proc/%v/ns/%s", pid, n))
		}
		return m
	}
	host, container := link("self"), link(pid)
	b.must("kill", b.id, "KILL")
	b.ends()
	b.must("delete", b.id)
	want = append(want, "poststop1", "poststop2")
	ran := b.ran()
	same(t, "hooks of the whole life", names(ran), want)

	for _, h := range ran {
		kind := strings.TrimRight(h.Args[0], "12")
		s := document(t, h.Stdin)
		where, status, number := host, specs.StateCreating, pid
		switch kind {
		case "createContainer":
			where, number = container, 1
		case "startContainer":
			where, status, number = container, specs.StateCreated, 1
		case "poststart":
			status = specs.StateRunning
		case "poststop":
			status, number = specs.StateStopped, 0
		}
		same(t, h.Args[0]+": the state", s, &specs.State{Version: s.Version, ID: b.id, Status: status, Pid: number, Bundle: b.dir, Annotations: map[string]string{"a": "b"}})
		delete(h.Namespaces, "user")
		delete(h.Namespaces, "time")
		delete(h.Namespaces, "cgroup")
		same(t, h.Args[0]+": its namespaces", h.Namespaces, where)
		switch kind {
		case "prestart", "createRuntime":
			if !slices.Contains(mountPoints(h.Container.Mountinfo), b.path("rootfs/proc")) {
				t.Errorf("%s: the container's mounts, before pivot_root, lack <rootfs>/proc: %s", h.Args[0], h.Container.Mountinfo)
			}
			for _, n := range []string{"mnt", "net", "pid", "ipc", "uts"} {
				if kind == "createRuntime" && h.Container.Namespaces[n] == host[n] {
					t.Errorf("%s: the container's %s namespace is the host's", h.Args[0], n)
				}
			}
		case "createContainer":
			if !slices.Contains(mountPoints(h.Mountinfo), b.path("rootfs/proc")) {
				t.Errorf("%s: runs after pivot_root: %s", h.Args[0], h.Mountinfo)
			}
		case "startContainer":
			if h.Cwd != "/" || !slices.Contains(mountPoints(h.Mountinfo), "/proc") {
				t.Errorf("%s: its directory is %q, its mounts are %s", h.Args[0], h.Cwd, h.Mountinfo)
			}
		case "poststart":
			if !strings.Contains(h.Container.Exe, "busybox") {
				t.Errorf("%s: the process still is %q", h.Args[0], h.Container.Exe)
			}
		}
	}
}

// HK-04
func TestAHookHasTheArgumentsAndEnvironmentOfConfig(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/true"))
	b.prepare = func(c *exec.Cmd) { c.Env = append(os.Environ(), "SECRET=host") }
	with := func(h map[string]any) map[string]any { h["env"] = []string{"B=2", "A=1", "B=3"}; return h }
	b.edit(
		set("hooks.createRuntime", []any{with(b.hook("argv zero", "", "ä b")), b.hook("without env")}),
		set("hooks.createContainer", []any{with(b.hook("argv zero", "", "ä b")), b.hook("without env")}),
		set("hooks.startContainer", []any{with(inside("argv zero", "", "ä b")), inside("without env")}),
		set("process.env", []string{"PATH=/bin", "PROCESS=1"}))
	b.create()
	b.start()
	for _, h := range b.ran() {
		if h.Args[0] == "without env" {
			if h.Env = slices.DeleteFunc(h.Env, func(e string) bool { return e == "" }); ours && len(h.Env) > 0 || slices.Contains(h.Env, "SECRET=host") {
				t.Errorf("the environment of a hook without one is %q", h.Env)
			}
			continue
		}
		same(t, "args", append(h.Args[:1:1], h.Args[3:]...), []string{"argv zero", "", "ä b"})
		same(t, "env", h.Env, []string{"B=2", "A=1", "B=3"})
	}
	if n := len(b.ran()); n != 6 {
		t.Errorf("%d hooks ran, want 6", n)
	}
}

// HK-05
func TestAHookThatNeverReadsHindersNobody(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/true"), set("annotations.long", strings.Repeat("x", 200000)))
	b.edit(set("hooks.createRuntime[+].path", "/bin/true"), set("hooks.createContainer[+].path", "/bin/true"),
		set("hooks.startContainer[+].path", "/bin/true"), set("hooks.poststart[+].path", "/bin/true"), set("hooks.poststop[+].path", "/bin/true"))
	b.run()
}

// HK-03
func TestAHookIsKilledWhenItsTimeIsOver(t *testing.T) {
	for _, kind := range createHooks {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			h := map[string]any{"path": "/bin/sh", "args": []string{"sh", "-c", "echo asleep >&2; exec sleep 60"}, "timeout": 1}
			b.edit(set("hooks."+kind, []any{h}))
			r := b.fails("create", "--bundle", b.dir, b.id)
			if r.took < 900*time.Millisecond || r.took > 8*time.Second {
				t.Errorf("failed after %v, the timeout is 1 s", r.took)
			}
			if ours && !strings.Contains(r.stderr, "hooks."+kind+"[0]") {
				t.Error(r)
			}
			b.unknown()
		})
	}
	for _, kind := range []string{"startContainer", "poststart"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(waiting))
			b.edit(set("hooks."+kind, []any{map[string]any{"path": "/bin/sh", "args": []string{"sh", "-c", "sleep 60; :"}, "env": []string{"PATH=/bin"}, "timeout": 1}}))
			b.create()
			if r := b.fails("start", b.id); r.took < 900*time.Millisecond || r.took > 8*time.Second {
				t.Errorf("failed after %v, the timeout is 1 s", r.took)
			}
			b.unknown()
		})
	}
	t.Run("in time", func(t *testing.T) {
		t.Parallel()
		b := newBox(t, args("/bin/true"))
		h := b.hook("slow")
		h["timeout"] = 10
		b.edit(set("hooks.createRuntime", []any{h}))
		b.run()
	})
}

// failures are the ways in which a hook fails.
func (b *box) failures(in bool) map[string]map[string]any {
	hook := b.hook
	if in {
		hook = inside
	}
	none := hook("failing")
	none["path"] = "/nowhere/hook"
	return map[string]map[string]any{"exit status": hook("failing", "exit:3"), "signal": hook("failing", "kill"), "no such program": none}
}

// HK-12, LC-20
func TestAFailingHookOfCreateUndoesIt(t *testing.T) {
	for _, kind := range createHooks {
		for _, how := range []string{"exit status", "signal", "no such program"} {
			t.Run(kind+", "+how, func(t *testing.T) {
				t.Parallel()
				b := newBox(t)
				b.edit(set("hooks."+kind, []any{b.failures(false)[how], b.hook("second")}), set("hooks.poststop", []any{b.hook("poststop")}))
				b.refuses([]string{"create", "--bundle", b.dir, b.id}, "hooks."+kind+"[0]")
				want := []string{"failing", "poststop"}
				if how == "no such program" {
					want = want[1:]
				}
				same(t, "the hooks that ran", names(b.ran()), want)
				b.edit(drop("hooks"))
				b.create()
			})
		}
	}
}

// HK-12, LC-21, HK-08
func TestAFailingStartContainerHookStopsAndRemovesTheContainer(t *testing.T) {
	for _, how := range []string{"exit status", "signal", "no such program"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(counting))
			b.edit(set("hooks.startContainer", []any{b.failures(true)[how], inside("second")}), set("hooks.poststop", []any{b.hook("poststop")}))
			b.create()
			if len(b.ran()) > 0 {
				t.Error("a startContainer hook ran before start")
			}
			r := b.fails("start", b.id)
			if ours && !strings.Contains(r.stderr, "hooks.startContainer[0]") {
				t.Error(r)
			}
			b.unknown()
			want := []string{"failing", "poststop"}
			if how == "no such program" {
				want = want[1:]
			}
			same(t, "the hooks that ran", names(b.ran()), want)
			if b.starts() != 0 {
				t.Error("the program has run")
			}
		})
	}
}

// HK-12, LC-22
func TestAFailingPoststartHookStopsAndRemovesTheContainer(t *testing.T) {
	for _, how := range []string{"exit status", "signal", "no such program"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(counting))
			b.edit(set("hooks.poststart", []any{b.failures(false)[how], b.hook("second")}), set("hooks.poststop", []any{b.hook("poststop")}))
			b.create()
			r := b.fails("start", b.id)
			if ours && !strings.Contains(r.stderr, "hooks.poststart[0]") {
				t.Error(r)
			}
			b.unknown()
			want := []string{"failing", "poststop"}
			if how == "no such program" {
				want = want[1:]
			}
			same(t, "the hooks that ran", names(b.ran()), want)
		})
	}
}

// HK-10
func TestPoststopHooksRunWhenTheContainerIsGone(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/true"))
	script := fmt.Sprintf("ls -d /sys/fs/cgroup/*%s >%s 2>/dev/null; %s --root %s state %s >>%[2]s 2>/dev/null; echo $? >>%[2]s", b.cgroup, b.path("seen"), program, b.root, b.id)
	b.edit(set("hooks.poststop", []any{map[string]any{"path": "/bin/sh", "args": []string{"sh", "-c", script}, "env": []string{"PATH=" + os.Getenv("PATH")}}}))
	b.create()
	b.start()
	b.ends()
	b.must("delete", b.id)
	if got := contents(b.path("seen")); got != "1\n" {
		t.Errorf("cgroups, state and its exit status in the hook: %q", got)
	}
}

// HK-11
func TestAFailingPoststopHookIsOnlyWarnedOf(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/true"))
	b.edit(set("hooks.poststop", []any{b.hook("first", "exit:3"), b.hook("second", "kill"), map[string]any{"path": "/nowhere/hook"}, b.hook("last")}))
	b.create()
	b.start()
	b.ends()
	r := b.call("delete", b.id)
	if r.status != 0 || ours && strings.Count(r.stderr, "hooks.poststop[") != 3 {
		t.Error(r)
	}
	same(t, "the hooks that ran", names(b.ran()), []string{"first", "second", "last"})
	b.unknown()
	b.edit(drop("hooks"))
	b.create()
}

// HK-09: in each of many rounds (1,000 with MINIRT_LONG=1).
func TestPoststartHooksNeverRunBeforeTheProgram(t *testing.T) {
	t.Parallel()
	rounds := 20
	if os.Getenv("MINIRT_LONG") != "" {
		rounds = 1000
	}
	b := newBox(t, shell(waiting))
	b.edit(set("hooks.poststart", []any{b.hook("poststart")}))
	for range rounds {
		b.create()
		b.start()
		b.must("delete", "--force", b.id)
	}
	ran := b.ran()
	if len(ran) != rounds {
		t.Errorf("%d hooks ran in %d rounds", len(ran), rounds)
	}
	for _, h := range ran {
		if !strings.HasSuffix(h.Container.Exe, "/bin/busybox") {
			t.Fatalf("the process still was %q", h.Container.Exe)
		}
	}
}
