package security

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hold starts a container that lives until the test ends.
func (b *box) hold() {
	b.Helper()
	if o := b.create(); o.refused {
		b.Fatalf("refused: %v", o)
	}
	if o := b.call("start", "start", "c"); o.status != 0 {
		b.Fatalf("%v", o)
	}
}

func sleeper(t *testing.T) *box {
	t.Helper()
	b := newBox(t)
	b.sh("while sleep 100; do true; done")
	b.hold()
	return b
}

// exec runs a program in the container; flags may stand before it.
func (b *box) exec(flags []string, program ...string) outcome {
	b.Helper()
	return b.call("exec", append(append(append([]string{"exec"}, flags...), "c"), program...)...)
}

// SEC-22, SEC-01, SEC-44: a user is one or two numbers, and nothing else is taken for one.
func TestSEC22AUserOfExecIsANumber(t *testing.T) {
	b := newBox(t)
	b.write("/etc/passwd", "1000:x:0:0::/:/bin/sh\n1:x:0:0::/:/bin/sh\n", 0o644)
	b.sh("while sleep 100; do true; done")
	b.hold()
	for user, want := range map[string]string{
		"1": "1 0", "1:2": "1 2", "1000": "1000 0", "4294967294": "4294967294 0", "0:0": "0 0",
		"1:": "", ":2": "", "0x1": "", "-1": "", "+1": "", " 1": "", "1 ": "", "4294967295": "", "4294967296": "", "1:4294967296": "", "1:-1": "", "1:1:1": "", "root": "",
	} {
		o := b.exec([]string{"--user=" + user}, "sh", "-c", "echo $(id -u) $(id -g)")
		switch {
		case want == "" && (o.status == 0 || o.stdout != ""):
			t.Errorf("user %q: %v", user, o)
		case want != "" && o.stdout != want+"\n":
			t.Errorf("user %q is to be %q: %v", user, want, o)
		}
	}
}

// SEC-11: what exec adds to the capabilities is never inheritable.
func TestSEC11ExecAddsNothingInheritable(t *testing.T) {
	b := sleeper(t)
	for _, user := range []string{"0", "1000"} {
		o := b.exec([]string{"--cap", "CAP_NET_RAW", "--user", user}, "grep", "Cap", "/proc/self/status")
		if !strings.Contains(o.stdout, "CapInh:\t0000000000000000\n") || !strings.Contains(o.stdout, "CapBnd:\t0000000020002420\n") {
			t.Errorf("user %s: %v", user, o)
		}
	}
}

// SEC-15, SEC-34: exec has the descriptors 0, 1 and 2, and a working directory inside.
func TestSEC15SEC34ExecHasNoDescriptorOfTheHosts(t *testing.T) {
	b := newBox(t)
	for n := 3; n <= 12; n++ {
		must(t, os.Symlink("/proc/self/fd/"+strconv.Itoa(n), b.root+"/w"+strconv.Itoa(n)))
	}
	b.sh("while sleep 100; do true; done")
	b.hold()
	b.leak(23)
	if o := b.exec(nil, "ls", "/proc/self/fd"); o.stdout != "0\n1\n2\n3\n" { // 3 is what ls reads
		t.Errorf("%v", o)
	}
	for n := 3; n <= 12; n++ {
		for _, cwd := range []string{"/proc/self/fd/" + strconv.Itoa(n), "/w" + strconv.Itoa(n)} {
			if o := b.exec([]string{"--cwd", cwd}, "ls"); o.status == 0 || o.stdout != "" {
				t.Errorf("cwd %s: %v", cwd, o)
			}
		}
	}
}

// SEC-03, SEC-04: a container that looks into all of its processes without
// pause sees nothing of the host through exec.
func TestSEC03SEC04ExecShowsNothingOfTheHost(t *testing.T) {
	b := newBox(t)
	var st unix.Stat_t
	must(t, unix.Stat(runtime, &st))
	b.hostile("poke", b.canary[1:]+"/secret", identity(&st))
	b.capable("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH")
	b.hold()
	before := b.census()
	for range rounds() {
		if o := b.exec([]string{"--env", inside + "="}, "true"); o.status != 0 {
			t.Fatalf("%v", o)
		}
	}
	b.unharmed(before, outcome{verb: "exec"})
	b.call("delete", "delete", "--force", "c")
	b.leaked()
}

// leaked reads what poke has found.
func (b *box) leaked() {
	b.Helper()
	out, err := os.ReadFile(b.dir + "/create.stdout")
	must(b, err)
	if !strings.Contains(string(out), "seen ") {
		b.Error("the observer saw no process at all")
	}
	told := make(map[string]bool)
	for l := range strings.SplitSeq(string(out), "\n") {
		if kind, _, leak := strings.Cut(l, " by /proc/"); leak && !told[kind] {
			told[kind] = true
			b.Error(l)
		}
	}
}

// SEC-32: labels are not written to what the container shows as /proc.
func TestSEC32ExecBelievesNoProcOfTheContainers(t *testing.T) {
	b := newBox(t)
	b.capable("CAP_SYS_ADMIN")
	b.spec.Linux.ReadonlyPaths, b.spec.Linux.MaskedPaths = nil, nil
	mark := b.volume("mark")
	b.bind(mark, "/mnt")
	b.sh(`mount -t tmpfs fake /proc && mkdir -p /proc/self/attr/apparmor /proc/thread-self/attr/apparmor && for d in /proc/self /proc/thread-self; do
		: >$d/attr/exec; : >$d/attr/current; : >$d/attr/apparmor/exec; done; touch /mnt/ready; while sleep 100; do true; done`)
	b.hold()
	await(t, mark+"/ready")
	for _, flag := range []string{"--apparmor", "--process-label"} {
		if o := b.exec([]string{flag, "system_u:system_r:p"}, "true"); o.status == 0 {
			t.Errorf("%s: %v", flag, o) // not here, where there is no such module; and not with a label that is unknown
		}
	}
	if o := b.exec(nil, "sh", "-c", "cat /proc/self/attr/exec /proc/self/attr/current /proc/thread-self/attr/exec /proc/self/attr/apparmor/exec"); o.stdout != "" || o.status != 0 {
		t.Errorf("something was written: %v", o)
	}
}

// SEC-35: exec has a session of its own, and no terminal of the caller's.
func TestSEC35ExecIsNotInTheCallersSession(t *testing.T) {
	b := newBox(t)
	b.hostile("poke", "x", "x")
	b.hold()
	b.caller = func(c *exec.Cmd) { controlled(t, c) }
	o := b.exec([]string{"--env", inside + "=terminal"}, "/hostile")
	if !strings.HasPrefix(o.stdout, "session true\n/dev/tty: ") || strings.Contains(o.stdout, "pushed") || strings.Contains(o.stdout, "opened") {
		t.Errorf("the terminal was reached: %v", o)
	}
}

// SEC-43: exec's groups are the config's and those that it was given.
func TestSEC43ExecHasNoGroupOfTheCallers(t *testing.T) {
	b := sleeper(t)
	b.groups(4, 24, 27)
	for flags, want := range map[string]string{"": "Groups:\t \n", "--additional-gids=5": "Groups:\t5 \n"} {
		if o := b.exec(append([]string{"--user=1000:1000"}, strings.Fields(flags)...), "grep", "Groups", "/proc/self/status"); o.stdout != want {
			t.Errorf("%q is not %q: %v", flags, want, o)
		}
	}
}

// SEC-58: exec joins no cgroup but those below the container's own.
func TestSEC58ExecJoinsNoOtherCgroup(t *testing.T) {
	b := sleeper(t)
	for _, dir := range b.cgroups() {
		must(t, unix.Mkdir(dir+"-evil", 0o755))
		defer unix.Rmdir(dir + "-evil")
	}
	name := b.cgroup[1:] + "-evil"
	for _, cgroup := range []string{"../" + name, "pids:../" + name, "x/../../" + name, "/../" + name, "..", "../..", "a/../../" + name} {
		if o := b.exec([]string{"--cgroup", cgroup}, "cat", "/proc/self/cgroup"); o.status == 0 || o.stdout != "" {
			t.Errorf("%s: %v", cgroup, o)
		}
	}
	if o := b.exec(nil, "cat", "/proc/self/cgroup"); o.status != 0 {
		t.Errorf("%v", o)
	}
}

// SEC-47: exec has the config's environment, nothing of the caller's.
func TestExecHasNothingOfTheCallersEnvironment(t *testing.T) {
	b := sleeper(t)
	b.caller = func(c *exec.Cmd) { c.Env = append(os.Environ(), "SECRET=x", "LD_PRELOAD=/x") }
	if o := b.exec(nil, "env"); o.status != 0 || strings.Contains(o.stdout, "SECRET") || strings.Contains(o.stdout, "LD_PRELOAD") {
		t.Errorf("%v", o)
	}
}
