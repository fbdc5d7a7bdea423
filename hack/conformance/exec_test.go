package conformance

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// CG-03, NS-04: a further process is where the container's first one is.
func TestExecIsInTheContainersNamespacesAndCgroup(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting), set("linux.namespaces[+].type", "cgroup"))
	b.create()
	b.start()
	pid := b.state().Pid
	s := b.sight(b.must("exec", b.id, "/bin/probe"))
	for name, got := range s.Namespaces {
		want, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, name))
		if err == nil && got != want {
			t.Errorf("%s: %s, the container's is %s", name, got, want)
		}
	}
	for controllers, path := range paths(s.Cgroup) { // seen from inside
		if path != "/" {
			t.Errorf("%q: %s", controllers, path)
		}
	}
	same(t, "env", s.Env, []string{"PATH=/bin", "HOME=/"})
	same(t, "hostname", s.Hostname, "box")
}

// PR-20: the final CPUs are those that the program sees; without them the
// cgroup's are left alone.
func TestExecCPUAffinityIsThatOfConfig(t *testing.T) {
	t.Parallel()
	if runtime.NumCPU() < 2 {
		t.Skip("one CPU")
	}
	for _, c := range []struct {
		affinity string
		want     int
	}{{`{"final":"0"}`, 1}, {`{"initial":"1","final":"0-1"}`, 2}} {
		b := newBox(t, shell(waiting), set("process.execCPUAffinity", raw(c.affinity)))
		b.create()
		b.start()
		if got := b.sight(b.must("exec", b.id, "/bin/probe")).CPUs; got != c.want {
			t.Errorf("%s: exec has %d CPUs, want %d", c.affinity, got, c.want)
		}
	}
}

// PR-03, PR-08 and others hold for exec's process too.
func TestExecRunsAProcessAsItsFileSays(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	b.create()
	b.start()
	process := `{"args":["probe","x"],"env":["PATH=/bin","A=1"],"cwd":"/tmp","user":{"uid":1000,"gid":1000,"additionalGids":[5],"umask":63},"noNewPrivileges":true,"oomScoreAdj":77,
"capabilities":{"bounding":["CAP_KILL"]},"scheduler":{"policy":"SCHED_BATCH","nice":3},"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":6}}`
	if err := os.WriteFile(b.path("process.json"), []byte(process), 0o644); err != nil {
		t.Fatal(err)
	}
	s := b.sight(b.must("exec", "--process", b.path("process.json"), b.id))
	same(t, "argv", s.Args, []string{"probe", "x"})
	got := fmt.Sprint(s.Cwd, " ", s.UID, s.GID, s.Groups, fmt.Sprintf(" %#o ", s.Umask), s.Status["NoNewPrivs"], " ", s.OOMScoreAdj, " ", s.Scheduler.Policy, s.Scheduler.Nice, s.IOPriority, " ", sets(s))
	same(t, "the process", got, "/tmp 1000 1000 [5] 077 1 77 3 3 16390 Inh=0 Prm=0 Eff=0 Bnd=20 Amb=0")
	for _, bad := range []string{`"cwd":"a/b"`, `"cwd":"/","rlimits":[{"type":"RLIMIT_BOGUS","soft":1,"hard":1}]`} {
		if err := os.WriteFile(b.path("process.json"), []byte(`{"args":["probe"],"user":{"uid":0,"gid":0},`+bad+`}`), 0o644); err != nil {
			t.Fatal(err)
		}
		b.fails("exec", "--process", b.path("process.json"), b.id)
	}
}
