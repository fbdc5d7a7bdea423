package lifecycle

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A person who sits at a terminal shares it with nobody: the program has another,
// whatever process.terminal says, unless there is no devpts to make one.
func TestAPersonInTheForegroundHasATerminalThatTheProgramHasNot(t *testing.T) {
	const withDevpts = true
	for _, c := range []struct {
		name   string
		flags  []string
		devpts bool
		own    bool
	}{
		{"auto", nil, withDevpts, true},
		{"auto, no devpts", nil, false, false},
		{"yes", []string{"--tty=yes"}, withDevpts, true},
		{"no", []string{"--tty", "no"}, withDevpts, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newTerminalPlace(t, func(config map[string]any) {
				process(map[string]any{"terminal": false, "args": []string{"sh", "-c", "echo; echo device $(stat -Lc %t:%T /proc/self/fd/0); stty size; read x; exit 3"}})(config)
				var mounts []any
				for _, m := range config["mounts"].([]any) {
					if m.(map[string]any)["type"] != "devpts" || c.devpts {
						mounts = append(mounts, m)
					}
				}
				config["mounts"] = mounts
			})
			before := p.census()
			command := append(append(p.minirt(), "run"), c.flags...)
			k := sit(t, 33, 101, append(command, "-b", p.bundle, "web")...)
			k.sees("device ")
			k.sees("33 101")
			if raw := k.modes() != k.before; raw != c.own {
				t.Errorf("the terminal is raw: %v", raw)
			}
			k.types("\r")
			k.ends(3)
			k.leave()
			p.nothingLeft(before, c.name)
		})
	}
}

func TestAPipeInTheForegroundStaysWhatItIs(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"terminal": false, "args": []string{"sh", "-c", "tty; cat; echo err >&2"}}))
	c := exec.Command("setsid", append(append([]string{"--wait"}, p.minirt()...), "run", "-b", p.bundle, "web")...)
	c.Stdin = strings.NewReader("typed")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if string(out) != "not a tty\ntyped" || stderr.String() != "err\n" || err != nil {
		t.Errorf("%q, %q, %v", out, stderr.String(), err)
	}
}

// --tty=no gives a bundle with a terminal the caller's pipes.
func TestNoTerminalIsMadeForWhoWantsNone(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"args": []string{"sh", "-c", "tty; cat; echo err >&2"}}))
	c := exec.Command(p.minirt()[0], append(p.minirt()[1:], "run", "--tty=no", "-b", p.bundle, "web")...)
	c.Stdin = strings.NewReader("typed")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if string(out) != "not a tty\ntyped" || stderr.String() != "err\n" || err != nil {
		t.Errorf("%q, %q, %v", out, stderr.String(), err)
	}
}

// What is piped to a program with a terminal has an end there, in the middle of a
// line too.
func TestTheEndOfAPipeIsTheEndOfWhatIsTyped(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"args": []string{"sh", "-c", "stty -echo; echo ready; cat; echo; echo status $?; exit 6"}}))
	for _, input := range []string{"", "one\ntwo\n", "one\ntwo"} {
		c := exec.Command("setsid", append(append([]string{"--wait"}, p.minirt()...), "run", "-b", p.bundle, "web")...)
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Stdin = read
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		awaited.Store(c.Process.Pid, true)
		read.Close()
		timer := time.AfterFunc(10*time.Second, func() { c.Process.Kill(); p.Delete("web", true) })
		b := make([]byte, 4096)
		n, _ := out.Read(b) // ready
		write.WriteString(input)
		write.Close()
		said := string(b[:n])
		for {
			n, err := out.Read(b)
			said += string(b[:n])
			if err != nil {
				break
			}
		}
		c.Wait()
		awaited.Delete(c.Process.Pid)
		if !timer.Stop() {
			t.Errorf("%q: the program waits for more", input)
		}
		if diff := cmp.Diff("ready\n"+input+"\nstatus 0\n", said); diff != "" || c.ProcessState.ExitCode() != 6 {
			t.Errorf("%q: exit status %d (-want +got):\n%s", input, c.ProcessState.ExitCode(), diff)
		}
	}
}

// stateOf is the state of a process: T if it is stopped.
func stateOf(pid int) string {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])); len(f) > 0 {
		return f[0]
	}
	return ""
}

func awaitState(t *testing.T, pid int, want string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		got := stateOf(pid)
		if strings.Contains(want, got) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d is in state %s, want %s", pid, got, want)
		}
	}
}

// ^Z stops minirt, and the container goes on: it is in a session of its own.
func TestAStopIsMinirtsOwn(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"terminal": false, "args": []string{"sh", "-c", "trap 'echo told' TSTP; echo runs; while [ ! -e /end ]; do sleep 0.05; done; exit 4"}}))
	c := start(t, append(p.minirt(), "run", "-b", p.bundle, "web")...)
	pid := c.Process.Pid
	unix.Setpgid(pid, pid)
	var s *State
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s, _ = p.State("web"); s != nil && s.Status == "running" {
			break
		}
	}
	time.Sleep(100 * time.Millisecond)
	for range 2 {
		unix.Kill(pid, unix.SIGTSTP)
		awaitState(t, pid, "T")
		if got := stateOf(s.Pid); got == "T" {
			t.Error("the container is stopped, too")
		}
		unix.Kill(pid, unix.SIGCONT)
		awaitState(t, pid, "SR")
	}
	if err := os.WriteFile(p.bundle+"/rootfs/end", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := c.wait(t); got.status != 4 || got.stdout != "runs\n" {
		t.Errorf("%+v", got)
	}
}

// A shell has the terminal while minirt is stopped, in its own modes.
func TestTheTerminalIsRawAgainAfterAStop(t *testing.T) {
	p := newTerminalPlace(t, nil)
	k := sit(t, 24, 80, append(p.minirt(), "run", "-b", p.bundle, "web")...)
	k.asks("echo u''p", "up")
	raw := k.modes()
	k.Process.Signal(unix.SIGSTOP)
	awaitState(t, k.Process.Pid, "T")
	if err := unix.IoctlSetTermios(int(k.slave.Fd()), unix.TCSETS, &k.before); err != nil {
		t.Fatal(err)
	}
	k.resize(11, 22)
	k.Process.Signal(unix.SIGCONT)
	for end := time.Now().Add(5 * time.Second); k.modes() != raw; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the terminal isn't raw")
		}
	}
	k.asks("stty size", "11 22")
	k.types("exit 3\r")
	k.ends(3)
}
