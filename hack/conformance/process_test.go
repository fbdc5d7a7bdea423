package conformance

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/minirt/minirt/hack/conformance/probe/sight"
	"golang.org/x/sys/unix"
)

// PR-04
func TestTheWorkingDirectoryIsInsideTheContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	if got := b.run(set("process.cwd", "/tmp"), shell("pwd; stat -c %d:%i . /tmp")); !strings.HasPrefix(got, "/tmp\n") || strings.Count(got, "\n") != 3 {
		t.Errorf("printed %q", got)
	} else if f := strings.Fields(got); f[1] != f[2] {
		t.Errorf("the working directory is %s, /tmp is %s", f[1], f[2])
	}
}

// PR-04: what engines expect of one that isn't there.
func TestAMissingWorkingDirectoryIsMade(t *testing.T) {
	t.Parallel()
	same(t, "cwd", newBox(t, set("process.cwd", "/tmp/new/one")).see().Cwd, "/tmp/new/one")
}

// PR-07
func TestTheProgramIsLookedUpAsByExecvp(t *testing.T) {
	for _, c := range []struct{ name, path, arg, found string }{
		{"along PATH", "PATH=/nowhere:/opt:/bin", "tool", "opt"},
		{"the first that may be executed", "PATH=/plain:/opt", "tool", "opt"},
		{"a path with a slash, from the working directory", "PATH=/bin", "opt/tool", "opt"},
		{"an absolute path", "PATH=/nowhere", "/opt/tool", "opt"},
		{"an empty entry is the working directory", "PATH=:/bin", "here", "here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, args(c.arg, "x"), set("process.env", []string{c.path}))
			for name, mode := range map[string]os.FileMode{"opt/tool": 0o755, "plain/tool": 0o644, "here": 0o755} {
				os.MkdirAll(b.path("rootfs/opt"), 0o755)
				os.MkdirAll(b.path("rootfs/plain"), 0o755)
				script := "#!/bin/sh\necho " + strings.Split(name, "/")[0] + " $1\n"
				if err := os.WriteFile(b.path("rootfs/"+name), []byte(script), mode); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.run(); got != c.found+" x\n" {
				t.Errorf("printed %q", got)
			}
		})
	}
	for _, c := range []struct{ name, arg, say string }{
		{"not in PATH", "nothing", `exec: "nothing": executable file not found in $PATH`},
		{"not there", "/nothing", `exec: "/nothing": stat /nothing: no such file or directory`},
		{"not executable", "/plain", `exec: "/plain": permission denied`},
		{"a directory", "/bin", `exec: "/bin": `},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, args(c.arg))
			if err := os.WriteFile(b.path("rootfs/plain"), []byte("#!/bin/sh\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			b.refused(c.say)
		})
	}
}

// PR-08, PR-09
func TestTheProgramHasExactlyTheIDsOfConfig(t *testing.T) {
	t.Parallel()
	groups := func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Groups: []uint32{5, 4242}}}
	}
	for _, want := range []struct {
		uid, gid int
		more     []int
	}{{0, 0, nil}, {0, 7, []int{7, 8}}, {1000, 2000, []int{3000, 4000, 100000}}, {65534, 65534, nil}} {
		b := newBox(t, set("process.user", map[string]any{"uid": want.uid, "gid": want.gid, "additionalGids": want.more}))
		b.prepare = groups
		s := b.see()
		if s.UID != want.uid || s.GID != want.gid {
			t.Errorf("uid %d, gid %d, want %d, %d", s.UID, s.GID, want.uid, want.gid)
		}
		same(t, "Uid of all kinds", s.Status["Uid"], strings.TrimSuffix(strings.Repeat(strconv.Itoa(want.uid)+"\t", 4), "\t"))
		same(t, "Gid of all kinds", s.Status["Gid"], strings.TrimSuffix(strings.Repeat(strconv.Itoa(want.gid)+"\t", 4), "\t"))
		slices.Sort(s.Groups)
		if !slices.Equal(s.Groups, want.more) {
			t.Errorf("groups %d, want %d", s.Groups, want.more)
		}
	}
}

// PR-10, PR-11
func TestTheUmaskIsThatOfConfigOrTheCallers(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, want := range []int{0, 0o22, 0o27, 0o777} {
		if got := b.see(set("process.user.umask", want)).Umask; got != want {
			t.Errorf("umask %#o, want %#o", got, want)
		}
	}
	b.edit(drop("process.user.umask"))
	b.prepare = wrapped("sh", "-c", `umask 077; exec "$0" "$@"`)
	if got := b.see().Umask; got != 0o77 {
		t.Errorf("umask %#o, the caller's is 077", got)
	}
}

// PR-13
func TestNoNewPrivilegesIsSetOnlyWhenAskedFor(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	for _, c := range []struct {
		edit edit
		want string
	}{{set("process.noNewPrivileges", true), "1"}, {set("process.noNewPrivileges", false), "0"}, {drop("process.noNewPrivileges"), "0"}} {
		if got := b.see(c.edit).Status["NoNewPrivs"]; got != c.want {
			t.Errorf("NoNewPrivs %s, want %s", got, c.want)
		}
	}
}

// PR-14, PR-15
func TestTheOOMScoreIsThatOfConfigOrTheCallers(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.prepare = wrapped("sh", "-c", `echo 300 >/proc/self/oom_score_adj; exec "$0" "$@"`)
	for _, want := range []int{300, 301, 1000} {
		if got := b.see(set("process.oomScoreAdj", want)).OOMScoreAdj; got != strconv.Itoa(want) {
			t.Errorf("oom_score_adj %s, want %d", got, want)
		}
	}
	if got := b.see(drop("process.oomScoreAdj")).OOMScoreAdj; got != "300" {
		t.Errorf("oom_score_adj %s, the caller's is 300", got)
	}
	b.prepare = nil
	if got := b.see(set("process.oomScoreAdj", 0)).OOMScoreAdj; got != "0" {
		t.Errorf("oom_score_adj %s, want 0", got)
	}
	// To lower it takes CAP_SYS_RESOURCE: where that is missing, create refuses.
	b.edit(set("process.oomScoreAdj", -500))
	if r := b.call("run", "--bundle", b.dir, b.id); r.status == 0 {
		if got := b.sight(r.stdout).OOMScoreAdj; got != "-500" {
			t.Errorf("oom_score_adj %s, want -500", got)
		}
	} else {
		b.refused("process.oomScoreAdj", "-500", "permission denied")
	}
}

// PR-16, PR-17
func TestTheSchedulerIsThatOfConfig(t *testing.T) {
	for _, c := range []struct {
		name, config string
		want         sight.Scheduler
	}{
		{"policy only", `{"policy":"SCHED_OTHER"}`, sight.Scheduler{}},
		{"nice", `{"policy":"SCHED_OTHER","nice":7}`, sight.Scheduler{Nice: 7}},
		{"batch", `{"policy":"SCHED_BATCH","nice":-3}`, sight.Scheduler{Policy: unix.SCHED_BATCH, Nice: -3}},
		{"idle", `{"policy":"SCHED_IDLE"}`, sight.Scheduler{Policy: unix.SCHED_IDLE}},
		{"fifo", `{"policy":"SCHED_FIFO","priority":10}`, sight.Scheduler{Policy: unix.SCHED_FIFO, Priority: 10}},
		{"round robin, reset on fork", `{"policy":"SCHED_RR","priority":11,"flags":["SCHED_FLAG_RESET_ON_FORK"]}`, sight.Scheduler{Policy: unix.SCHED_RR, Priority: 11, Flags: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, set("process.scheduler", raw(c.config)))
			if c.want.Priority > 0 {
				b.realTime()
			}
			if c.want.Policy == unix.SCHED_NORMAL {
				b.prepare = wrapped("nice", "-n", "5")
			}
			got := b.see().Scheduler
			got.Runtime = 0 // a fair policy's slice, on kernels that tell
			same(t, "sched_getattr", got, c.want)
		})
	}
	// SCHED_DEADLINE admits no process whose affinity is less than its root domain, nor one that forks.
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		b := newBox(t, args("/bin/sleep", "1000"), set("process.scheduler", raw(`{"policy":"SCHED_DEADLINE","runtime":1000000,"deadline":100000000,"period":100000000,"flags":["SCHED_FLAG_RESET_ON_FORK"]}`)))
		if r := b.call("create", "--bundle", b.dir, b.id); r.status != 0 {
			if ours && !strings.Contains(r.stderr, "process.scheduler") {
				t.Error(r)
			}
			t.Skip("the kernel does not admit SCHED_DEADLINE here: ", r.stderr)
		}
		b.start()
		a, err := unix.SchedGetAttr(b.state().Pid, 0)
		if err != nil || a.Policy != unix.SCHED_DEADLINE || a.Runtime != 1000000 || a.Period != 100000000 {
			t.Error(a, err)
		}
	})
}

// PR-18
func TestTheIOPriorityIsThatOfConfigForTheProcessGroup(t *testing.T) {
	for _, c := range []struct {
		class    string
		priority int
		want     int
	}{
		{"IOPRIO_CLASS_RT", 0, 1 << 13}, {"IOPRIO_CLASS_BE", 0, 2 << 13}, {"IOPRIO_CLASS_BE", 7, 2<<13 | 7}, {"IOPRIO_CLASS_IDLE", 3, 3<<13 | 3},
	} {
		t.Run(c.class+" "+strconv.Itoa(c.priority), func(t *testing.T) {
			t.Parallel()
			b := newBox(t, set("process.ioPriority", map[string]any{"class": c.class, "priority": c.priority}))
			if got := b.see().IOPriority; got != c.want {
				t.Errorf("ioprio_get %#x, want %#x", got, c.want)
			}
			if got := b.sight(b.run(shell("/bin/probe & wait"))).IOPriority; got != c.want {
				t.Errorf("a child's ioprio_get %#x, want %#x", got, c.want)
			}
		})
	}
}

// PR-19
func TestExecCPUAffinityDoesNotTouchTheFirstProcess(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	all := b.see().CPUs
	if got := b.see(set("process.execCPUAffinity", map[string]string{"initial": "0", "final": "0"})).CPUs; got != all {
		t.Errorf("%d CPUs, without execCPUAffinity %d", got, all)
	}
}

// PR-02
func TestAConsoleSizeWithoutTerminalIsIgnored(t *testing.T) {
	t.Parallel()
	newBox(t, set("process.consoleSize", raw(`{"height":10,"width":20}`)), set("process.terminal", false)).see()
}

// PR-22
func TestOnlyTheDescriptorsThatWereAskedForReachTheProgram(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell("for i in $(busybox seq 0 40); do [ -L /proc/self/fd/$i ] && echo $i; done; true"))
	file, err := os.Open(b.path("config.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b.prepare = func(c *exec.Cmd) { c.ExtraFiles = []*os.File{file, file, file} }
	same(t, "descriptors", strings.Fields(b.run()), []string{"0", "1", "2"})
	same(t, "descriptors with --preserve-fds 2", strings.Fields(b.must("run", "--preserve-fds", "2", "--bundle", b.dir, b.id)), []string{"0", "1", "2", "3", "4"})
	b.must("create", "--preserve-fds", "2", "--bundle", b.dir, b.id)
	b.prepare = nil
	b.start()
	b.ends()
	same(t, "descriptors after create and start", strings.Fields(contents(b.output)), []string{"0", "1", "2", "3", "4"})
}
