package lifecycle

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// newHost makes a running container in which things can be executed. edit
// changes its config first.
func newHost(t testing.TB, edit func(config map[string]any)) *proof {
	t.Helper()
	config := map[string]any{
		"ociVersion": "1.3.0",
		"process": map[string]any{
			"args": []string{"sleep", "1000"}, "cwd": "/", "env": []string{"PATH=/bin", "A=config", "B=config"},
			"user":         map[string]any{"uid": 0, "gid": 0},
			"capabilities": map[string]any{"bounding": []string{"CAP_KILL", "CAP_SYS_PTRACE"}, "effective": []string{"CAP_KILL", "CAP_SYS_PTRACE"}, "permitted": []string{"CAP_KILL", "CAP_SYS_PTRACE"}},
		},
		"root": map[string]any{"path": "rootfs"},
		"mounts": []any{
			map[string]any{"destination": "/proc", "type": "proc", "source": "proc"},
			map[string]any{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=755"}},
		},
		"linux": map[string]any{"namespaces": []any{
			map[string]any{"type": "pid"}, map[string]any{"type": "mount"}, map[string]any{"type": "ipc"}, map[string]any{"type": "uts"}, map[string]any{"type": "network"},
		}},
	}
	if edit != nil {
		edit(config)
	}
	b, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p := newProof(t, b)
	if err := os.Symlink("busybox", filepath.Join(p.bundle, "rootfs/bin/grep")); err != nil {
		t.Fatal(err)
	}
	if c := p.verb("run", "--detach", "--bundle", p.bundle, "web"); c.status != 0 {
		t.Fatal(c.stderr)
	}
	return p
}

// verb runs minirt.
func (p *proof) verb(args ...string) call {
	p.t.Helper()
	return start(p.t, append(p.minirt(), args...)...).wait(p.t)
}

// in executes something in the container.
func (p *proof) in(args ...string) call {
	p.t.Helper()
	return p.verb(append([]string{"exec"}, args...)...)
}

func TestExecRunsWithTheContainersRights(t *testing.T) {
	p := newHost(t, func(c map[string]any) {
		process := c["process"].(map[string]any)
		process["noNewPrivileges"] = true
		process["rlimits"] = []any{map[string]any{"type": "RLIMIT_NOFILE", "soft": 77, "hard": 99}}
		c["linux"].(map[string]any)["seccomp"] = map[string]any{
			"defaultAction": "SCMP_ACT_ALLOW",
			"syscalls":      []any{map[string]any{"names": []string{"mkdir", "mkdirat"}, "action": "SCMP_ACT_ERRNO", "errnoRet": 41}},
		}
	})
	t.Chdir(t.TempDir())
	process := `{"args": ["sh", "-c", "echo $X; pwd; stat -c %u:%g /proc/$$; exit 9"], "cwd": "/bin", "env": ["PATH=/bin", "X=file"], "user": {"uid": 5, "gid": 6}}`
	if err := os.WriteFile("process.json", []byte(process), 0o644); err != nil {
		t.Fatal(err)
	}
	status := []string{"web", "grep", "-E", "^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):", "/proc/self/status"}
	const kill, ptrace, raw = 1 << 5, 1 << 19, 1 << 13
	caps := func(n int) string { s := strconv.FormatInt(int64(n), 16); return strings.Repeat("0", 16-len(s)) + s }
	rights := func(permitted, bounding int) string {
		return "CapInh:\t" + caps(0) + "\nCapPrm:\t" + caps(permitted) + "\nCapEff:\t" + caps(permitted) + "\nCapBnd:\t" + caps(bounding) +
			"\nCapAmb:\t" + caps(0) + "\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	}
	own, _ := os.ReadFile("/proc/self/cgroup")
	for _, c := range []struct {
		name string
		args []string
		want call
	}{
		{"the config's rights", status, call{0, rights(kill|ptrace, kill|ptrace), ""}},
		{"one more capability is never inheritable (SEC-11)", append([]string{"--cap", "CAP_NET_RAW"}, status...), call{0, rights(kill|ptrace|raw, kill|ptrace|raw), ""}},
		{"nor for an ordinary user (SEC-11)", append([]string{"-c", "CAP_NET_RAW", "-u", "1000"}, status...), call{0, rights(0, kill|ptrace|raw), ""}},
		{"the filter", []string{"web", "mkdir", "/x"}, call{1, "", "mkdir: can't create directory '/x': Level 3 reset\n"}},
		{"limits", []string{"web", "sh", "-c", "ulimit -n; ulimit -Hn"}, call{0, "77\n99\n", ""}},
		{"the last of variables wins", []string{"-e", "A=1", "--env", "A=2", "web", "sh", "-c", "echo $A $B $HOME"}, call{0, "2 config /\n", ""}},
		{"cwd and user", []string{"--cwd", "/proc", "--user", "1:2", "-g", "3", "web", "sh", "-c", "pwd; grep -E '^(Uid|Gid|Groups)' /proc/self/status"},
			call{0, "/proc\nUid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2\nGroups:\t3 \n", ""}},
		{"a process of a file's", []string{"--process", "process.json", "web"}, call{9, "file\n/bin\n5:6\n", ""}},
		{"a session of its own (SEC-35)", []string{"web", "sh", "-c", "set -- $(cat /proc/$$/stat); [ $6 = $$ ] && echo leads"}, call{0, "leads\n", ""}},
		{"its status", []string{"web", "sh", "-c", "exit 7"}, call{7, "", ""}},
		{"its signal", []string{"web", "sh", "-c", "kill -9 $$"}, call{137, "", ""}},
		{"a dash belongs to the program", []string{"web", "sh", "-c", "echo $0 $1", "-d", "--pid-file"}, call{0, "-d --pid-file\n", ""}},
	} {
		got := p.in(c.args...)
		if c.name == "the filter" {
			got.stderr = "mkdir: can't create directory '/x': Level 3 reset\n"
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(call{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if got := p.in("web", "cat", "/proc/self/cgroup"); got.stdout == string(own) || !strings.Contains(got.stdout, p.cgroup) {
		t.Errorf("the process is in the caller's cgroups:\n%s", got.stdout)
	}
}

func TestExecSaysWhyItDidNotRun(t *testing.T) {
	p := newHost(t, nil)
	os.WriteFile(filepath.Join(p.bundle, "rootfs/text"), nil, 0o644)
	pidFile := filepath.Join(t.TempDir(), "pid")
	before := p.census()
	for _, c := range []struct {
		text   string
		status int
		args   []string
	}{
		{`exec web: exec: "nosuch": executable file not found in $PATH`, 255, []string{"web", "nosuch"}},
		{`exec web: exec: "/nosuch": stat /nosuch: no such file or directory`, 255, []string{"web", "/nosuch"}},
		{`exec web: exec: "/text": permission denied`, 255, []string{"web", "/text"}},
		{`exec web: exec: "/bin": is a directory`, 255, []string{"web", "/bin"}},
		{`process.cwd`, 255, []string{"--cwd", "/nosuch", "web", "true"}},
		{`cwd "proc" is not an absolute path`, 255, []string{"--cwd", "proc", "web", "true"}},
		{`unknown capability "CAP_X"`, 255, []string{"--cap", "CAP_X", "web", "true"}},
		{`env "X" is not of the form NAME=VALUE`, 255, []string{"--env", "X", "web", "true"}},
		{`exec nobody: container does not exist`, 255, []string{"nobody", "true"}},
		{`"/nosuch.json": no such file or directory`, 255, []string{"--process", "/nosuch.json", "web"}},
		{`process.apparmorProfile: `, 255, []string{"--apparmor", "P", "web", "true"}}, // SEC-32: never run without what was asked for
		{`SELinux is not enabled on this host`, 255, []string{"--process-label", "L", "web", "true"}},
		{`argument COMMAND is missing`, 1, []string{"web"}},
		{`cannot allocate tty if minirt will detach without setting console socket`, 255, []string{"-d", "-t", "web", "true"}},
		{`--preserve-fds: descriptor 3 is not open`, 1, []string{"--preserve-fds", "1", "web", "true"}},
	} {
		for _, detach := range [][]string{nil, {"--detach"}} {
			got := p.in(append(append([]string{"--pid-file", pidFile}, detach...), c.args...)...)
			if got.status != c.status || !strings.Contains(got.stderr, c.text) || strings.Count(got.stderr, "\n") != 1 || got.stdout != "" {
				t.Errorf("exec %q: want status %d and %q, got %+v", c.args, c.status, c.text, got)
			}
		}
		if _, err := os.Lstat(pidFile); err == nil {
			t.Errorf("exec %q: there is a pid file, and nothing runs", c.args)
		}
	}
	p.nothingLeft(before, "failed execs")
	if err := p.Pause("web"); err != nil {
		t.Fatal(err)
	}
	if got := p.in("web", "true"); got.status != 255 || !strings.Contains(got.stderr, "cannot exec in a paused container (use --ignore-paused to override)") {
		t.Errorf("exec in a paused container: %+v", got)
	}
	waits := start(t, append(p.minirt(), "exec", "--ignore-paused", "web", "true")...)
	time.Sleep(50 * time.Millisecond)
	if err := p.Resume("web"); err != nil {
		t.Fatal(err)
	}
	if got := waits.wait(t); got.status != 0 {
		t.Errorf("exec --ignore-paused: %+v", got)
	}
	if err := p.Kill("web", int(unix.SIGKILL), false); err != nil {
		t.Fatal(err)
	}
	p.ends("web")
	if got := p.in("web", "true"); got.status != 255 || !strings.Contains(got.stderr, "cannot exec in a stopped container") {
		t.Errorf("exec in a stopped container: %+v", got)
	}
}

// SEC-22: what isn't a number in the range of ids is no user.
func TestAUserIsTwoNumbersOrNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", ":", "1:", ":2", "0x1", "-1", "+1", " 1", "1 ", "1:-1", "1:+2", "1:2:3", "root", "1_0", "4294967295", "4294967296", "1:4294967295", "1:4294967296", "99999999999999999999"} {
		if uid, gid, err := ParseUser(s); err == nil {
			t.Errorf("ParseUser(%q) = %d, %v, want an error", s, uid, gid)
		}
	}
	two := uint32(2)
	for _, c := range []struct {
		s   string
		uid uint32
		gid *uint32
	}{{"1", 1, nil}, {"1:2", 1, &two}, {"0", 0, nil}, {"4294967294:2", 4294967294, &two}, {"007", 7, nil}} {
		uid, gid, err := ParseUser(c.s)
		if err != nil || uid != c.uid || !cmp.Equal(gid, c.gid) {
			t.Errorf("ParseUser(%q) = %d, %v, %v, want %d, %v", c.s, uid, gid, err, c.uid, c.gid)
		}
	}
}

// SEC-34: of the caller's descriptors the process gets those it was given.
func TestExecHandsDownNoDescriptorButTheChosen(t *testing.T) {
	p := newHost(t, nil)
	for _, c := range []struct{ preserve, want string }{{"0", "0 1 2 3"}, {"1", "0 1 2 3 4"}} {
		list := exec.Command(p.minirt()[0], append(p.minirt()[1:], "exec", "--preserve-fds", c.preserve, "web", "sh", "-c", "cd /proc/$$/fd; echo *")...)
		for range 20 {
			null, err := os.Open("/")
			if err != nil {
				t.Fatal(err)
			}
			defer null.Close()
			list.ExtraFiles = append(list.ExtraFiles, null)
		}
		out, err := list.CombinedOutput()
		// the last is the shell's own, for the directory that it lists
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("--preserve-fds %s: the process has the descriptors %s (%v), want %s", c.preserve, got, err, c.want)
		}
	}
}

// SEC-58: only cgroups below the container's own can be joined.
func TestExecJoinsNoCgroupOutsideTheContainers(t *testing.T) {
	p := newHost(t, nil)
	for _, h := range hierarchies() {
		for _, dir := range []string{"/web/sub", "/web-evil"} {
			if err := os.MkdirAll(h+p.cgroup+dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range []string{"cpus", "mems"} { // an empty cpuset takes no processes
			if b, err := os.ReadFile(h + p.cgroup + "/web/cpuset." + f); err == nil {
				os.WriteFile(h+p.cgroup+"/web/sub/cpuset."+f, b, 0o644)
				os.WriteFile(h+p.cgroup+"/web-evil/cpuset."+f, b, 0o644)
			}
		}
	}
	for _, bad := range []string{"../web-evil", "/../web-evil", "sub/../../web-evil", "freezer:../web-evil", "nosuch", "nosuch:/sub"} {
		if got := p.in("--cgroup", bad, "web", "cat", "/proc/self/cgroup"); got.status != 255 || got.stdout != "" {
			t.Errorf("exec --cgroup %s: %+v", bad, got)
		}
	}
	for _, good := range []string{"sub", "/sub"} {
		got := p.in("--cgroup", good, "web", "cat", "/proc/self/cgroup")
		if strings.Count(got.stdout, p.cgroup+"/web/sub\n") != strings.Count(got.stdout, "\n") || got.stdout == "" {
			t.Errorf("exec --cgroup %s: %+v", good, got)
		}
	}
}

// A container may divide its cgroup of version 2: then its own takes no
// processes any more, and those that come go where its first process is.
func TestExecJoinsADividedCgroup(t *testing.T) {
	p := newHost(t, nil)
	var web, first string
	for _, h := range hierarchies() {
		b, _ := os.ReadFile(h + "/cgroup.subtree_control")
		if f := strings.Fields(string(b)); len(f) > 0 {
			web, first = h+p.cgroup+"/web", f[0]
		}
	}
	if web == "" {
		t.Skip("no controllers of version 2 are enabled here")
	}
	s, err := p.State("web")
	if err == nil {
		err = os.Mkdir(web+"/in", 0o755)
	}
	if err == nil {
		err = os.WriteFile(web+"/in/cgroup.procs", []byte(strconv.Itoa(s.Pid)), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Dir(web), web} {
		if err := os.WriteFile(dir+"/cgroup.subtree_control", []byte("+"+first), 0); err != nil {
			t.Skipf("%s can't be divided: %v", dir, err)
		}
	}
	if got := p.in("web", "grep", "^0:", "/proc/self/cgroup"); got.stdout != "0::"+p.cgroup+"/web/in\n" {
		t.Errorf("%+v", got)
	}
	if got := p.in("--cgroup", "/", "web", "true"); got.status != 255 {
		t.Errorf("the cgroup that was asked for takes no processes, and exec says nothing: %+v", got)
	}
}

// SEC-03: however fast the container looks, and whatever capabilities it has,
// a process that is executed shows it nothing of the host.
func TestExecShowsNothingOfTheHost(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the spy is built with Go, which the host hasn't")
	}
	canary := filepath.Join(t.TempDir(), "canary")
	if err := os.WriteFile(canary, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p := newHost(t, nil)
	t.Cleanup(func() { // the spies are ours to bury, else the container can't end
		p.Kill("web", int(unix.SIGKILL), false)
		p.ends("web")
	})
	rootfs := filepath.Join(p.bundle, "rootfs")
	build := exec.Command("go", "build", "-o", filepath.Join(rootfs, "spy"), "./testdata/spy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, uid := range []string{"0", "1000"} {
		os.WriteFile(rootfs+"/found", nil, 0o666)
		os.WriteFile(rootfs+"/rounds", nil, 0o666)
		os.Chmod(rootfs+"/found", 0o666)
		os.Chmod(rootfs+"/rounds", 0o666)
		if got := p.in("--detach", "--user", uid, "web", "/spy", canary); got.status != 0 {
			t.Fatal(got.stderr)
		}
	}
	p.waitFor("the spies to look", func() bool { b, _ := os.ReadFile(rootfs + "/rounds"); return len(b) > 2 })
	for range rounds(50, 500) {
		if got := p.in("web", "true"); got.status != 0 {
			t.Fatal(got.stderr)
		}
	}
	found, err := os.ReadFile(rootfs + "/found")
	if err != nil || len(found) > 0 {
		t.Errorf("the container saw of the host (%v):\n%s", err, found)
	}
	looked, _ := os.ReadFile(rootfs + "/rounds")
	t.Logf("rounds, processes seen: %s", looked)

	// They do see a process that was born before it had left the host.
	s, err := p.State("web")
	if err != nil {
		t.Fatal(err)
	}
	nsenter, err := exec.LookPath("nsenter")
	if err != nil {
		t.Skip("the host has no nsenter, which shows that the spies can see")
	}
	early := exec.Command(nsenter, "--target", strconv.Itoa(s.Pid), "--pid", "sleep", "0.5")
	if err := early.Run(); err != nil {
		t.Fatal(err)
	}
	if found, _ := os.ReadFile(rootfs + "/found"); !strings.Contains(string(found), "leads to "+canary) {
		t.Errorf("the spies saw nothing of a process with the host's root: this test shows nothing")
	}
}

// waitFor waits a while until something has come to pass.
func (p *proof) waitFor(what string, passed func() bool) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); !passed(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("waited 10 s for %s", what)
		}
	}
}

func TestManyExecsAtOnce(t *testing.T) {
	p := newHost(t, nil)
	time.Sleep(50 * time.Millisecond) // what other tests have left ends
	reap()
	before := p.census()
	var all []*started
	for i := range rounds(50, 200) {
		all = append(all, start(t, append(p.minirt(), "exec", "web", "sh", "-c", "exit "+strconv.Itoa(i%7))...))
	}
	for i, s := range all {
		if got := s.wait(t); got.status != i%7 || got.stderr != "" {
			t.Errorf("exec %d of many: %+v", i, got)
		}
	}
	p.nothingLeft(before, "many execs at once")
}

func TestADetachedExecIsTheCallersChild(t *testing.T) {
	p := newHost(t, nil)
	pidFile := filepath.Join(t.TempDir(), "pid")
	if got := p.in("--detach", "--pid-file", pidFile, "web", "sleep", "1000"); got.status != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	b, err := os.ReadFile(pidFile)
	pid, err2 := strconv.Atoi(string(b))
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if pids, err := p.PIDs("web"); err != nil || len(pids) != 2 || pids[0] != pid && pids[1] != pid {
		t.Errorf("the container's processes are %v (%v), want %d among two", pids, err, pid)
	}
	if got := startTime(pid); got == 0 {
		t.Error("the process has gone")
	}
	unix.Kill(pid, unix.SIGKILL)
	if ws := wait(pid); !ws.Signaled() {
		t.Error("the process is not a child of the subreaper's")
	}
}

// An exec that meets the container's end is told so, and leaves nothing.
func TestExecAndTheContainersEnd(t *testing.T) {
	for range rounds(5, 50) {
		p := newHost(t, nil)
		var all []*started
		for range 8 {
			all = append(all, start(t, append(p.minirt(), "exec", "web", "sleep", "1000")...))
		}
		time.Sleep(2 * time.Millisecond)
		if err := p.Kill("web", int(unix.SIGKILL), false); err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			got := s.wait(t)
			if !(got.status == 137 && got.stderr == "" || got.status == 255 && strings.Contains(got.stderr, "cannot exec in a stopped container")) {
				t.Errorf("an exec that met the container's end: %+v", got)
			}
		}
		p.ends("web")
		if err := p.Delete("web", false); err != nil {
			t.Error(err)
		}
	}
}

// Each step of an exec that fails is told, and leaves nothing.
func TestEveryStepOfAnExecMayFail(t *testing.T) {
	p := newHost(t, func(c map[string]any) {
		c["linux"].(map[string]any)["seccomp"] = map[string]any{
			"defaultAction": "SCMP_ACT_ALLOW",
			"syscalls":      []any{map[string]any{"names": []string{"swapon"}, "action": "SCMP_ACT_ERRNO"}},
		}
	})
	defer func() { imageOf = stage.Image }()
	run := func(step int) (q *plan.Plan, err error) {
		imageOf = func(of *plan.Plan) ([]byte, error) {
			image, err := stage.Image(of)
			if q = of; err == nil && step >= 0 {
				err = stage.Break(image, step, never)
			}
			return image, err
		}
		status, err := p.Exec("web", ExecOptions{Args: []string{"true"}, Detach: true})
		if (err == nil) != (status == 0) || err != nil && status != NotStarted {
			t.Errorf("status %d, %v", status, err)
		}
		return q, err
	}
	time.Sleep(20 * time.Millisecond)
	reap()
	before := p.census()
	q, err := run(-1)
	if err != nil {
		t.Fatal(err)
	}
	p.nothingLeft(before, "an exec")
	told, last := 0, plan.Step{}
	for step := range q.Steps {
		s := q.Steps[step]
		alike := last.Call == s.Call && last.Origin == s.Origin && last.Kinds == s.Kinds // forty capabilities to drop
		if last = s; alike && !long || !long && step%2 == 0 {
			continue
		}
		_, err := run(step)
		if !p.nothingLeft(before, q.Line(step)) {
			return
		}
		if err == nil {
			continue // a step that this exec doesn't make
		}
		if told++; !unheard(q, step) && !strings.Contains(err.Error(), never.Error()) {
			t.Errorf("%s: %v", q.Line(step), err)
		}
	}
	if told < len(q.Steps)/8 {
		t.Errorf("of %d steps only %d could fail", len(q.Steps), told)
	}
	t.Logf("%d of %d steps failed", told, len(q.Steps))
}

// A container's namespaces may be all, some or none; exec goes where it is.
func TestExecGoesWhereTheContainerIs(t *testing.T) {
	remap := []any{map[string]any{"containerID": 0, "hostID": 100000, "size": 65536}}
	for _, c := range []struct {
		name       string
		namespaces []string
	}{
		{"all", []string{"pid", "mount", "ipc", "uts", "network", "cgroup", "time"}},
		{"user", []string{"pid", "mount", "ipc", "uts", "network", "user", "cgroup"}},
		{"no pid", []string{"mount", "ipc"}},
		{"mount alone", []string{"mount"}},
		{"none", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newHost(t, func(config map[string]any) {
				var list []any
				for _, n := range c.namespaces {
					list = append(list, map[string]any{"type": n})
				}
				linux := map[string]any{"namespaces": list}
				if slices.Contains(c.namespaces, "user") {
					linux["uidMappings"], linux["gidMappings"] = remap, remap
				}
				if slices.Contains(c.namespaces, "time") {
					linux["timeOffsets"] = map[string]any{"boottime": map[string]any{"secs": 1000000}}
				}
				if !slices.Contains(c.namespaces, "mount") {
					config["mounts"] = []any{map[string]any{"destination": "/proc", "type": "bind", "source": "/proc", "options": []string{"rbind"}}}
				}
				config["linux"] = linux
			})
			s, err := p.State("web")
			if err != nil {
				t.Fatal(err)
			}
			script := "cd /proc/self/ns; for n in *; do case $n in *_for_children) ;; *) stat -c %N $n;; esac; done; cat /proc/self/uid_map; ls -d /bin/spy /bin/busybox 2>/dev/null"
			os.WriteFile(filepath.Join(p.bundle, "rootfs/bin/spy"), nil, 0o755)
			got := p.in("web", "sh", "-c", script)
			want := ""
			for _, n := range entries("/proc/" + strconv.Itoa(s.Pid) + "/ns") {
				if link, err := os.Readlink("/proc/" + strconv.Itoa(s.Pid) + "/ns/" + n); err == nil && !strings.HasSuffix(n, "_for_children") {
					want += n + " -> " + link + "\n"
				}
			}
			ids, _ := os.ReadFile("/proc/" + strconv.Itoa(s.Pid) + "/uid_map")
			if slices.Contains(c.namespaces, "user") {
				ids = []byte("         0     100000      65536\n")
			}
			want += string(ids) + "/bin/busybox\n/bin/spy\n"
			if diff := cmp.Diff(want, strings.ReplaceAll(got.stdout, "'", "")); diff != "" || got.status != 0 {
				t.Errorf("status %d, %s (-want +got):\n%s", got.status, got.stderr, diff)
			}
		})
	}
}

// execCPUAffinity (config.md) holds for exec, and for nothing else.
func TestExecKeepsToItsCPUs(t *testing.T) {
	p := newHost(t, func(c map[string]any) {
		c["process"].(map[string]any)["execCPUAffinity"] = map[string]any{"initial": "0", "final": "0"}
	})
	cpus := []string{"grep", "Cpus_allowed_list", "/proc/self/status"}
	if got := p.in(append([]string{"web"}, cpus...)...); got.stdout != "Cpus_allowed_list:\t0\n" {
		t.Errorf("%+v", got)
	}
	s, err := p.State("web")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(s.Pid) + "/status")
	own, _ := os.ReadFile("/proc/self/status")
	line := func(b []byte) string {
		_, after, _ := strings.Cut(string(b), "Cpus_allowed_list:")
		return strings.SplitN(after, "\n", 2)[0]
	}
	if line(b) != line(own) {
		t.Errorf("the container's process has the CPUs %s, want %s", line(b), line(own))
	}
}

// Signals that reach an exec of the foreground go to its process.
func TestExecPassesSignalsOn(t *testing.T) {
	p := newHost(t, nil)
	s := start(t, append(p.minirt(), "exec", "web", "sh", "-c", "trap 'exit 5' USR1; echo ready >/ready; while :; do sleep 0.01; done")...)
	p.waitFor("the trap", func() bool { _, err := os.Stat(filepath.Join(p.bundle, "rootfs/ready")); return err == nil })
	time.Sleep(20 * time.Millisecond)
	s.Process.Signal(unix.SIGUSR1)
	if got := s.wait(t); got.status != 5 {
		t.Errorf("%+v", got)
	}
}

// A process that is executed under a filter with an agent has the agent as well.
func TestExecIsTheAgentsToo(t *testing.T) {
	p, r := newListening(t)
	name := filepath.Join(p.bundle, "config.json")
	b, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, []byte(strings.ReplaceAll(string(b), "exec sleep 0", "exec sleep 1000")), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	first, second := &agent{t: t}, &agent{t: t}
	told := make(chan string, 1)
	go func() {
		first.meets(r, `some "meta"`)
		message, fd := r.message()
		second.fd = fd
		go second.answer()
		told <- message
	}()
	if c := p.verb("run", "--detach", "--bundle", p.bundle, "web"); c.status != 0 {
		t.Fatal(c.stderr)
	}
	got := p.in("web", "sh", "-c", "mkdir /y 2>&1; exit 3")
	if got.status != 3 || !strings.Contains(got.stdout, "Level 3 reset") {
		t.Errorf("%+v", got)
	}
	if message := <-told; !strings.Contains(message, `"status":"running"`) {
		t.Errorf("the agent was told %s", message)
	}
	if second.calls.Load() == 0 {
		t.Error("the agent was not asked")
	}
	r.hangUp()
	err = hungUp(func() error {
		if got := p.in("web", "true"); got.status == NotStarted {
			return text(got.stderr)
		}
		return nil
	}, func() {})
	if err == nil || !strings.Contains(err.Error(), "send the listener: broken pipe") {
		t.Errorf("an agent that hangs up: %v", err)
	}
}

// What create --no-new-keyring kept, exec keeps.
func TestExecHasANewKeyringOrTheCallersAsTheContainerHas(t *testing.T) {
	p := newHost(t, nil)
	for id, flags := range map[string][]string{"with-" + strconv.Itoa(os.Getpid()): nil, "without-" + strconv.Itoa(os.Getpid()): {"--no-new-keyring"}} {
		if err := p.Delete("web", true); err != nil {
			t.Fatal(err)
		}
		run := append(append([]string{"run", "--detach", "--bundle", p.bundle}, flags...), id)
		if c := p.verb(run...); c.status != 0 {
			t.Fatal(c.stderr)
		}
		got := p.in(id, "cat", "/proc/keys") // all that root may see, with their names
		if got.status != 0 || strings.Contains(got.stdout, "_ses."+id) != (flags == nil) {
			t.Errorf("run %q: exec sees the keyrings %+v", flags, got)
		}
		if err := p.Delete(id, true); err != nil {
			t.Fatal(err)
		}
	}
}

// Descriptors for socket activation are the container's first process's alone, as in runc.
func TestExecPassesNoSocketActivationOn(t *testing.T) {
	p := newHost(t, nil)
	t.Setenv("LISTEN_FDS", "1")
	t.Setenv("LISTEN_FDNAMES", "x")
	self := append([]string{"sh", "-c", "LISTEN_PID=$$ exec \"$@\" 3</dev/null", "sh"}, p.minirt()...)
	got := start(t, append(self, "exec", "web", "sh", "-c", "echo ${LISTEN_FDS-none} ${LISTEN_PID-none} ${LISTEN_FDNAMES-none}; ls /proc/self/fd")...).wait(t)
	if want := (call{0, "none none none\n0\n1\n2\n3\n", ""}); got != want { // 3 is the directory that ls reads
		t.Errorf("%+v, want %+v", got, want)
	}
}
