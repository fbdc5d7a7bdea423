package early_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// built is a minirt, the same for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "minirt-early.")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir+"/minirt", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return dir + "/minirt", err
})

func TestMain(m *testing.M) {
	status := m.Run()
	if program, err := built(); err == nil {
		os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(status)
}

// A place has a state root, a bundle and a cgroup of its own.
type place struct {
	*testing.T
	minirt, dir, root, cgroup string
	env                       []string
}

var places atomic.Int32

func newPlace(t *testing.T) *place {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: containers with cgroups of their own")
	}
	for _, program := range []string{"busybox", "strace"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is missing")
		}
	}
	minirt, err := built()
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t, minirt, t.TempDir(), t.TempDir(), "minirt-test-early-" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(int(places.Add(1))), nil}
	os.Chmod(p.root, 0o700)
	p.must("deploy", p.dir+"/b", "/bin/busybox", "sleep", "1000")
	for _, d := range []string{"proc", "sys", "dev"} { // as images have them: nothing to make, or to remove
		os.MkdirAll(p.dir+"/b/rootfs/"+d, 0o755)
	}
	p.edit(func(config map[string]any) {
		config["linux"].(map[string]any)["cgroupsPath"] = "/" + p.cgroup + "/web"
	})
	t.Cleanup(func() {
		p.run("delete", "--force", "web")
		p.noCgroups()
	})
	return p
}

// edit changes config.json.
func (p *place) edit(change func(config map[string]any)) {
	p.Helper()
	file := p.dir + "/b/config.json"
	b, err := os.ReadFile(file)
	if err != nil {
		p.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(b, &config); err != nil {
		p.Fatal(err)
	}
	change(config)
	b, _ = json.Marshal(config)
	if err := os.WriteFile(file, b, 0o644); err != nil {
		p.Fatal(err)
	}
}

// An outcome is what a caller sees of a verb.
type outcome struct {
	Status         int
	Stdout, Stderr string
}

func (p *place) command(args ...string) *exec.Cmd {
	c := exec.Command(args[0], args[1:]...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH")}, p.env...)
	c.Dir = p.dir
	return c
}

func (p *place) outcomeOf(c *exec.Cmd) outcome {
	p.Helper()
	// Files: a pipe would be held open by the container that create leaves.
	out, _ := os.CreateTemp(p.dir, "out")
	err, _ := os.CreateTemp(p.dir, "err")
	defer out.Close()
	defer err.Close()
	c.Stdout, c.Stderr = out, err
	c.Run()
	stdout, _ := os.ReadFile(out.Name())
	stderr, _ := os.ReadFile(err.Name())
	return outcome{c.ProcessState.ExitCode(), string(stdout), string(stderr)}
}

func (p *place) run(args ...string) outcome {
	p.Helper()
	return p.outcomeOf(p.command(append([]string{p.minirt, "--root", p.root}, args...)...))
}

func (p *place) must(args ...string) string {
	p.Helper()
	o := p.run(args...)
	if o.Status != 0 {
		p.Fatalf("%q: %+v", args, o)
	}
	return o.Stdout
}

// traced runs a verb under strace, and tells whether Go has begun: it sets the
// handlers of all signals.
func (p *place) traced(args ...string) (o outcome, goBegan bool) {
	p.Helper()
	trace := p.dir + "/trace"
	o = p.outcomeOf(p.command(append([]string{"strace", "-o", trace, p.minirt}, args...)...))
	b, err := os.ReadFile(trace)
	if err != nil || !bytes.Contains(b, []byte("+++ exited")) {
		p.Fatalf("no trace of %q: %v %s %+v", args, err, b, o)
	}
	return o, bytes.Contains(b, []byte("rt_sigaction"))
}

func (p *place) status() string {
	p.Helper()
	var s struct{ Status string }
	if err := json.Unmarshal([]byte(p.must("state", "web")), &s); err != nil {
		p.Fatal(err)
	}
	return s.Status
}

// awaits waits until the container has the status.
func (p *place) awaits(status string) {
	p.Helper()
	for end := time.Now().Add(10 * time.Second); p.status() != status; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("%s never comes: it is %s", status, p.status())
		}
	}
}

// cgroups are the directories of the container's, in any hierarchy.
func (p *place) cgroups() (found []string) {
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		more, _ := filepath.Glob(pattern + p.cgroup)
		found = append(found, more...)
	}
	return found
}

func (p *place) noCgroups() {
	p.Helper()
	for _, dir := range p.cgroups() {
		p.Errorf("cgroup %s is left", dir)
	}
}

func (p *place) nothingIsLeft() {
	p.Helper()
	if names, _ := os.ReadDir(p.root); len(names) > 0 {
		p.Errorf("the state root holds %v", names)
	}
	p.noCgroups()
}

func TestAPlainContainerIsStartedAndDeletedBeforeGoBegins(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	log := p.dir + "/log"
	for _, flags := range [][]string{
		{"--root", p.root},
		{"--log", log, "--log-format", "json", "--root", p.root},
	} {
		os.Remove(log)
		p.must("create", "-b", p.dir+"/b", "web")
		if o, began := p.traced(append(flags, "start", "web")...); began || o != (outcome{}) {
			t.Errorf("start: Go has begun: %v; %+v", began, o)
		}
		if s := p.status(); s != "running" {
			t.Errorf("a started container is %s", s)
		}
		p.must("kill", "web", "KILL")
		p.awaits("stopped")
		if o, began := p.traced(append(flags, "delete", "web")...); began || o != (outcome{}) {
			t.Errorf("delete: Go has begun: %v; %+v", began, o)
		}
		p.nothingIsLeft()
		if _, err := os.Stat(log); (err == nil) != (flags[0] == "--log") {
			t.Errorf("%q: the log: %v", flags, err)
		}
	}
}

// What package early leaves to Go, and what it begins and doesn't end, has the
// outcome that it has where create left no shortcut.
func TestEveryOutcomeIsThatOfGoAlone(t *testing.T) {
	t.Parallel()
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want outcome
			for _, shortcut := range []bool{false, true} {
				p := newPlace(t)
				if scene.config != nil {
					p.edit(scene.config)
				}
				p.must("create", "-b", p.dir+"/b", "web")
				link := p.root + "/web/shortcut"
				if scene.link != "" && shortcut {
					os.Remove(link)
					if err := os.Symlink(scene.link, link); err != nil {
						t.Fatal(err)
					}
				} else if !shortcut {
					os.Remove(link)
				}
				if scene.before != nil {
					scene.before(p)
				}
				args := []string{"--root", p.root}
				if scene.flags != nil {
					args = scene.flags(p)
				}
				got, began := p.traced(append(args, scene.args...)...)
				got.Stderr = strings.NewReplacer(p.dir, "DIR", p.root, "ROOT", p.cgroup, "CGROUP").Replace(got.Stderr)
				if !began && !scene.early {
					t.Error("Go has not begun")
				}
				if shortcut {
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("without a shortcut (-), with one (+):\n%s", diff)
					}
				}
				want = got
				if scene.after != nil {
					scene.after(p)
				}
			}
		})
	}
}

// A scene is a container, and a verb for it.
type scene struct {
	config func(map[string]any)
	link   string // instead of what create left
	before func(*place)
	flags  func(*place) []string
	args   []string
	after  func(*place)
	early  bool // Go need not begin
}

var (
	started = func(p *place) { p.must("start", "web") }
	stopped = func(p *place) { p.must("start", "web"); p.must("kill", "web", "KILL"); p.awaits("stopped") }
	empty   = func(p *place) { p.nothingIsLeft() }
	runs    = func(p *place) {
		if s := p.status(); s != "running" {
			p.Errorf("it is %s", s)
		}
	}
	start = []string{"start", "web"}
	del   = []string{"delete", "web"}
)

var scenes = map[string]scene{
	"start twice":            {before: started, args: start, after: runs},
	"start of a stopped one": {before: stopped, args: start},
	"start of a paused one": {before: func(p *place) { p.must("pause", "web") }, args: start, after: func(p *place) {
		p.must("resume", "web")
		p.awaits("created")
	}},
	"a program that can't be executed": {
		before: func(p *place) {
			os.Remove(p.dir + "/b/rootfs/bin/busybox")
			os.Mkdir(p.dir+"/b/rootfs/bin/busybox", 0o755)
		}, args: start,
	},
	"a program that ends at once": {
		config: func(c map[string]any) { c["process"].(map[string]any)["args"] = []string{"/bin/busybox", "true"} },
		args:   start, early: true, after: func(p *place) { p.awaits("stopped") },
	},
	"no program": {
		config: func(c map[string]any) { delete(c, "process") }, args: start,
	},
	"hooks": {
		config: func(c map[string]any) {
			c["hooks"] = map[string]any{"poststop": []any{map[string]any{"path": "/bin/false"}}}
		},
		before: stopped, args: del, after: empty,
	},
	"mount points to remove": {
		config: func(c map[string]any) {
			c["mounts"] = append(c["mounts"].([]any), map[string]any{"destination": "/made", "type": "tmpfs", "source": "tmpfs"})
		},
		before: stopped, args: del, after: func(p *place) {
			empty(p)
			if _, err := os.Stat(p.dir + "/b/rootfs/made"); err == nil {
				p.Error("the mount point is left")
			}
		},
	},
	"a notify socket": {
		before: func(p *place) { p.env = append(p.env, "NOTIFY_SOCKET="+p.dir+"/nowhere") }, args: start,
	},
	"a log that can't be opened": {
		flags: func(p *place) []string { return []string{"--log", p.dir + "/no/log", "--root", p.root} }, args: start,
	},
	"a log format that there isn't": {
		flags: func(p *place) []string { return []string{"--log-format", "xml", "--root", p.root} }, args: start,
	},
	"a flag that there isn't": {args: []string{"start", "--nonsense", "web"}},
	"one word too many":       {args: []string{"start", "web", "web"}},
	"no such container":       {args: []string{"delete", "nosuch"}},
	"an id that can't be":     {args: []string{"delete", "../web"}},
	"a relative root": {
		before: stopped, flags: func(p *place) []string {
			r, _ := filepath.Rel(p.dir, p.root)
			return []string{"--root", r}
		}, args: del, after: empty,
	},
	"a root that isn't clean": {
		before: stopped, flags: func(p *place) []string { return []string{"--root", p.root + "/../" + filepath.Base(p.root) + "//"} }, args: del, after: empty,
	},
	"a root that others can write to": {
		before: func(p *place) { stopped(p); os.Chmod(p.root, 0o777) }, args: del,
		after: func(p *place) { os.Chmod(p.root, 0o700) },
	},
	"a root that is a link": {
		before: func(p *place) { os.Symlink(p.root, p.dir+"/link") },
		flags:  func(p *place) []string { return []string{"--root", p.dir + "/link"} }, args: start,
	},
	"strict": {flags: func(p *place) []string { return []string{"--strict", "--root", p.root} }, args: del},

	"delete":                  {before: stopped, args: del, after: empty, early: true},
	"delete by force":         {before: stopped, args: []string{"delete", "--force", "web"}, after: empty, early: true},
	"delete -f":               {before: stopped, args: []string{"delete", "web", "-f"}, after: empty, early: true},
	"delete of a created one": {args: del, after: empty},
	"delete of a running one": {before: started, args: del, after: runs},
	"a running one by force":  {before: started, args: []string{"delete", "-f", "web"}, after: empty},
	"cgroups that are not bare": {
		before: func(p *place) {
			stopped(p)
			for _, dir := range p.cgroups() {
				os.Mkdir(dir+"/web/below", 0o755)
			}
		}, args: del, after: empty,
	},
	"cgroups that have gone": {
		before: func(p *place) {
			stopped(p)
			for _, dir := range p.cgroups() {
				syscall.Rmdir(dir + "/web")
				syscall.Rmdir(dir)
			}
		}, args: del, after: empty, early: true,
	},
	"a parent that is another's by now": {
		before: func(p *place) {
			stopped(p)
			for _, dir := range p.cgroups() {
				os.Mkdir(dir+"/other", 0o755)
			}
		}, args: del, early: true, after: func(p *place) {
			for _, dir := range p.cgroups() {
				if _, err := os.Stat(dir + "/web"); err == nil {
					p.Errorf("%s/web is left", dir)
				}
				if err := syscall.Rmdir(dir + "/other"); err != nil {
					p.Errorf("%s/other: %v", dir, err)
				}
				syscall.Rmdir(dir)
			}
		},
	},
	"a file that nobody made": {
		before: func(p *place) { stopped(p); os.WriteFile(p.root+"/web/stray", nil, 0o600) },
		args:   []string{"delete", "--force", "web"}, after: empty,
	},

	"a link of nothing":              {link: " ", before: stopped, args: del, after: empty},
	"a link without cgroups":         {link: "1\n", args: start, early: true, after: runs},
	"a link to a file that isn't":    {link: "1\n/nowhere", args: start, after: runs},
	"a link of numbers":              {link: strings.Repeat("9", 4000), before: stopped, args: del, after: empty},
	"a link of one line too long":    {link: strings.Repeat("a", 4095), before: stopped, args: del, after: empty},
	"a link of a process that lives": {link: strconv.Itoa(os.Getpid()) + "\n", before: stopped, args: del, after: empty},
}

func TestTheCallersLimitIsBackBeforeAnythingSeesIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.edit(func(c map[string]any) {
		c["process"].(map[string]any)["args"] = []string{"/bin/busybox", "sh", "-c", "ulimit -Sn; ulimit -Hn; echo ${GOMAXPROCS-none}"}
		delete(c["process"].(map[string]any), "rlimits")
	})
	c := p.command("sh", "-c", `ulimit -Sn 700; ulimit -Hn 3000; exec "$0" --root "$1" run -b "$2" web`, p.minirt, p.root, p.dir+"/b")
	if diff := cmp.Diff(outcome{Stdout: "700\n3000\nnone\n"}, p.outcomeOf(c)); diff != "" {
		t.Error(diff)
	}
}

func TestTheCallersTimerSlackIsTheContainers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	b, err := os.ReadFile("/proc/self/timerslack_ns")
	if err != nil {
		t.Skip(err)
	}
	ours := strings.TrimSpace(string(b))
	p.must("create", "-b", p.dir+"/b", "web")
	p.must("start", "web")
	for _, args := range [][]string{
		{"exec", "web", "/bin/busybox", "cat", "/proc/self/timerslack_ns"},
		{"--debug", "exec", "web", "/bin/busybox", "cat", "/proc/self/timerslack_ns"}, // by main
	} {
		if got := strings.TrimSpace(p.must(args...)); got != ours {
			t.Errorf("%q prints %s ns, want %s", args, got, ours)
		}
	}
	p.must("delete", "--force", "web")
	p.edit(func(c map[string]any) {
		c["process"].(map[string]any)["args"] = []string{"/bin/busybox", "cat", "/proc/self/timerslack_ns"}
	})
	for _, args := range [][]string{{"run"}, {"--debug", "run"}} {
		if got := strings.TrimSpace(p.must(append(args, "-b", p.dir+"/b", "web")...)); got != ours {
			t.Errorf("%q prints %s ns, want %s", args, got, ours)
		}
	}
}

func TestGosRuntimeReadsNoFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	trace := p.dir + "/trace"
	p.outcomeOf(p.command("strace", "-f", "-o", trace, p.minirt, "--root", p.root, "state", "web"))
	b, _ := os.ReadFile(trace)
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, `"/proc/self/`) && strings.Contains(line, "open") && !strings.Contains(line, "EMFILE") {
			t.Errorf("Go's runtime reads a file: %s", line)
		}
	}
	if !bytes.Contains(b, []byte("EMFILE")) {
		t.Error("Go's runtime has not tried to")
	}
}

func TestMinirtStartsWhateverIsClosed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, closed := range []string{"<&-", ">&-", "2>&-", "<&- >&- 2>&-"} {
		for _, verb := range []string{"create -b " + p.dir + "/b", "start", "kill", "delete --force"} {
			if o := p.outcomeOf(p.command("sh", "-c", `exec "$0" --root "$1" `+verb+" web "+closed, p.minirt, p.root)); o.Status != 0 {
				t.Errorf("%s %s: %+v", verb, closed, o)
			}
		}
		p.nothingIsLeft()
	}
	for _, limit := range []string{"0", "2", "3", "10"} {
		o := p.outcomeOf(p.command("sh", "-c", `ulimit -n `+limit+`; exec "$0" --version`, p.minirt))
		if o.Status != 0 || !strings.HasPrefix(o.Stdout, "minirt version") {
			t.Errorf("with %s descriptors: %+v", limit, o)
		}
	}
}

func TestASettingOfTheCallersIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.env = append(p.env, "GOMAXPROCS=2", "A=b")
	p.must("create", "-b", p.dir+"/b", "web")
	p.must("start", "web")
	runs(p)
}
