package explain

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// sleeper is a process, with its pidfd.
func sleeper(t *testing.T) (c *exec.Cmd, pidfd int) {
	t.Helper()
	c = exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	pidfd, err := unix.PidfdOpen(c.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pidfd) })
	return c, pidfd
}

// What the kernel says of a process is what Explain understands: of one that was
// left as it is, every row that its own facts can tell is the same.
func TestTheKernelsFilesAreUnderstood(t *testing.T) {
	t.Parallel()
	c, pidfd := sleeper(t)
	s := &specs.Spec{
		Process: &specs.Process{Args: []string{"sleep", "60"}, User: specs.User{UID: uint32(unix.Geteuid()), GID: uint32(unix.Getegid())}, Env: c.Environ()},
		Mounts:  []specs.Mount{{Destination: "/proc", Type: "proc"}},
		Linux:   &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: "network", Path: "/proc/self/ns/net"}}, Personality: &specs.LinuxPersonality{Domain: "LINUX"}},
	}
	f := &Facts{Rootfs: "/"}
	if err := f.Read(s, c.Process.Pid, pidfd); err != nil {
		t.Fatal(err)
	}
	rows := Explain(s, f)
	check(t, rows, map[string]string{
		"process.user.uid":  natural(uint64(unix.Geteuid())) + " | " + natural(uint64(unix.Geteuid())) + " | ",
		"process.args":      `"sleep" "60" | "sleep" "60" | `,
		"linux.personality": "LINUX | LINUX | ",
	})
	for _, r := range rows {
		switch {
		case r.Field == "linux.namespaces[0]" && (r.Mark != Same || !strings.HasSuffix(r.Kernel, ", shared with the host")):
			t.Errorf("%+v", r)
		case r.Field == "linux.namespaces" && r.Mark != Same:
			t.Errorf("%+v", r)
		case r.Field == "root.path" && r.Mark != Same, r.Field == "mounts[0]" && r.Mark != Same:
			t.Errorf("%+v", r)
		case r.Field == "process.scheduler" && r.Kernel != "SCHED_OTHER":
			t.Errorf("%+v", r)
		}
	}
	if d := cmp.Diff(Namespaces(c.Process.Pid, pidfd), f.Own); d != "" {
		t.Error(d)
	}
}

// A process that has ended is not read, and neither is another with its number:
// what was opened stays its own.
func TestAnEndedProcessIsNotTakenForAnother(t *testing.T) {
	t.Parallel()
	c, pidfd := sleeper(t)
	dir, err := open(c.Process.Pid, pidfd)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	if r := read(dir, "status"); r.Err != nil || !strings.Contains(r.Text, "Name:\tsleep") {
		t.Fatalf("%+v", r)
	}
	c.Process.Kill()
	c.Wait()
	if r := read(dir, "status"); r.Err != unix.ESRCH && r.Err != unix.ENOENT {
		t.Errorf("%+v", r)
	}
	s := &specs.Spec{}
	f := new(Facts)
	// our own number, with the pidfd of another
	if err := f.Read(s, unix.Getpid(), pidfd); err != unix.ESRCH {
		t.Errorf("the number of a process that lives, with the pidfd of one that doesn't: %v", err)
	}
	if m := Namespaces(unix.Getpid(), pidfd); m != nil {
		t.Errorf("namespaces of another: %v", m)
	}
}
