package lifecycle

import (
	"bytes"
	"encoding/json"
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
	"golang.org/x/sys/unix"
)

// newTerminalPlace makes a place whose bundle wants a terminal; edit changes its config first.
func newTerminalPlace(t testing.TB, edit func(config map[string]any)) *proof {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, "default", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(b, &config); err != nil {
		t.Fatal(err)
	}
	config["root"].(map[string]any)["readonly"] = false
	if edit != nil {
		edit(config)
	}
	if b, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	p := newProof(t, b)
	p.minirt()
	for _, name := range []string{"stty", "tty", "grep", "ps"} {
		os.Symlink("busybox", filepath.Join(p.bundle, "rootfs/bin", name))
	}
	return p
}

// process sets members of a config's process.
func process(members map[string]any) func(map[string]any) {
	return func(config map[string]any) {
		for name, value := range members {
			config["process"].(map[string]any)[name] = value
		}
	}
}

// keyboard is a terminal with somebody in front of it.
type keyboard struct {
	t      testing.TB
	master *os.File // what is typed and shown
	slave  *os.File // what programs have
	before unix.Termios
	shown  bytes.Buffer
	*exec.Cmd
}

// sit starts a program in a session of its own that the terminal controls.
func sit(t testing.TB, rows, columns uint16, command ...string) *keyboard {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyboard{t: t, master: os.NewFile(uintptr(fd), "master")}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := unix.Open("/dev/pts/"+strconv.Itoa(int(n)), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	k.slave = os.NewFile(uintptr(slave), "slave")
	k.resize(rows, columns)
	k.before = k.modes()
	k.Cmd = exec.Command(command[0], command[1:]...)
	k.Stdin, k.Stdout, k.Stderr = k.slave, k.slave, k.slave
	k.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := k.Start(); err != nil {
		t.Fatal(err)
	}
	awaited.Store(k.Process.Pid, true)
	t.Cleanup(k.leave)
	return k
}

func (k *keyboard) leave() {
	if k.ProcessState == nil {
		k.Process.Kill()
		k.Wait()
	}
	awaited.Delete(k.Process.Pid)
	k.master.Close()
	k.slave.Close()
}

func (k *keyboard) modes() unix.Termios {
	modes, err := unix.IoctlGetTermios(int(k.slave.Fd()), unix.TCGETS)
	if err != nil {
		k.t.Fatal(err)
	}
	return *modes
}

func (k *keyboard) resize(rows, columns uint16) {
	if err := unix.IoctlSetWinsize(int(k.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		k.t.Fatal(err)
	}
}

func (k *keyboard) types(keys string) {
	k.t.Helper()
	if _, err := k.master.WriteString(keys); err != nil {
		k.t.Error(err)
	}
}

// sees waits until the terminal has shown a text behind the last one.
func (k *keyboard) sees(text string) {
	k.t.Helper()
	k.master.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 4096)
	for !strings.Contains(k.shown.String(), text) {
		n, err := k.master.Read(b)
		k.shown.Write(b[:n])
		if err != nil {
			k.t.Fatalf("%v: %q wasn't shown, but %q", err, text, k.shown.String())
		}
	}
	_, rest, _ := strings.Cut(k.shown.String(), text)
	k.shown.Reset()
	k.shown.WriteString(rest)
}

// ends waits for the program's end and checks its exit status, and that the
// terminal is as it was.
func (k *keyboard) ends(status int) {
	k.t.Helper()
	timer := time.AfterFunc(10*time.Second, func() { k.Process.Kill() })
	k.Wait()
	if !timer.Stop() {
		k.t.Error("the program hangs")
	}
	if got := k.ProcessState.ExitCode(); got != status {
		k.t.Errorf("exit status %d, want %d: %s", got, status, k.shown.String())
	}
	k.restored()
}

// restored waits until the terminal's modes are as they were.
func (k *keyboard) restored() {
	k.t.Helper()
	for end := time.Now().Add(2 * time.Second); k.modes() != k.before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			k.t.Fatalf("the terminal is left in other modes (-before +after):\n%s", cmp.Diff(k.before, k.modes()))
		}
	}
}

// asks types a command into a shell, and waits for its answer.
func (k *keyboard) asks(command, answer string) {
	k.t.Helper()
	k.types(command + "; echo \"<\"done\">\"\r")
	k.sees(answer)
	k.sees("<done>")
}

// A shell is typed into: its keys are its own, its terminal is as large as the
// caller's and follows it, and the exit status and the modes come back.
func TestAShellInTheForegroundHasTheCallersKeysAndSize(t *testing.T) {
	p := newTerminalPlace(t, nil)
	before := p.census()
	k := sit(t, 33, 101, append(p.minirt(), "run", "-b", p.bundle, "web")...)
	k.asks("stty size", "33 101")
	k.resize(44, 77)
	k.asks("for i in 1 2 3 4 5 6 7 8 9; do [ \"$(stty size)\" = '44 77' ] && echo fol''lows && break; sleep 0.1; done", "follows")
	k.asks("tty", "/dev/pts/0")
	k.types("sleep 1000\r")
	k.sees("sleep 1000")
	time.Sleep(100 * time.Millisecond)
	k.types("\x03")
	k.asks("echo status $?", "status 130")
	k.types("stty -echo; echo a; cat; exit 7\r")
	k.sees("a\r\n")
	k.types("b\r")
	k.sees("b\r\n")
	k.types("\x04")
	k.ends(7)
	k.leave()
	p.nothingLeft(before, "run -t")
}

func TestExecHasTheCallersTerminal(t *testing.T) {
	p := newHost(t, func(config map[string]any) {
		config["mounts"] = append(config["mounts"].([]any), map[string]any{"destination": "/dev/pts", "type": "devpts", "source": "devpts",
			"options": []string{"newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}})
	})
	os.Symlink("busybox", filepath.Join(p.bundle, "rootfs/bin/stty"))
	before := p.census()
	k := sit(t, 33, 101, append(p.minirt(), "exec", "-t", "web", "sh")...)
	k.asks("stty size", "33 101")
	k.asks("echo he''llo >/dev/tty", "hello")
	k.types("exit 9\r")
	k.ends(9)
	k.leave()
	p.nothingLeft(before, "exec -t")
}

// Whatever ends minirt, the caller's terminal is as before, and what is left of
// the container can be deleted.
func TestTheCallersTerminalIsRestoredOnEveryWayOut(t *testing.T) {
	p := newTerminalPlace(t, nil)
	before := p.census()
	for _, c := range []struct {
		name   string
		status int
		end    func(k *keyboard)
	}{
		{"the program's end", 3, func(k *keyboard) { k.types("exit 3\r") }},
		{"a signal that is passed on", 99, func(k *keyboard) {
			k.Process.Signal(unix.SIGHUP)
			time.Sleep(100 * time.Millisecond)
			k.types("\r") // the shell heeds a trap between commands
		}},
		{"kill from outside", 137, func(k *keyboard) {
			if err := p.Kill("web", 9, false); err != nil {
				t.Error(err)
			}
		}},
		{"kill -9", -1, func(k *keyboard) { k.Process.Kill() }},
		{"kill -9 after a resize", -1, func(k *keyboard) { k.resize(10, 20); k.Process.Kill() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer p.Delete("web", true)
			k := sit(t, 24, 80, append(p.minirt(), "run", "-b", p.bundle, "web")...)
			k.asks("trap 'exit 99' HUP; echo u''p", "up")
			if k.modes() == k.before {
				t.Error("the terminal was not raw")
			}
			c.end(k)
			k.ends(c.status)
			k.leave()
			if c.status < 0 {
				p.ends("web")
				if err := p.Delete("web", false); err != nil {
					t.Error(err)
				}
			}
			p.nothingLeft(before, c.name)
		})
	}
}

// Without a terminal of the caller's all is copied as it comes, plain newlines
// and all, to the last byte.
func TestATerminalInTheForegroundNeedsNoneOfTheCallers(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"args": []string{"sh", "-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; stty size; exit 4"},
		"consoleSize": map[string]any{"height": 7, "width": 9}}))
	var want strings.Builder
	for i := range 5000 {
		want.WriteString("line " + strconv.Itoa(i) + "\n")
	}
	want.WriteString("7 9\n")
	c := exec.Command("setsid", append(append([]string{"--wait"}, p.minirt()...), "run", "-b", p.bundle, "web")...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	var status *exec.ExitError
	if !errors.As(err, &status) || status.ExitCode() != 4 {
		t.Errorf("%v: %s", err, stderr.String())
	}
	if d := cmp.Diff(want.String(), string(out)); d != "" {
		t.Errorf("other output (-want +got):\n%s", d)
	}
}

// The terminal controls the program's session however the process was born.
func TestTheTerminalControlsTheSessionInEveryNamespace(t *testing.T) {
	sandbox := exec.Command("sleep", "600")
	sandbox.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	if err := sandbox.Start(); err != nil {
		t.Fatal(err)
	}
	awaited.Store(sandbox.Process.Pid, true)
	defer func() {
		sandbox.Process.Kill()
		sandbox.Wait()
		awaited.Delete(sandbox.Process.Pid)
	}()
	ids := []any{map[string]any{"containerID": 0, "hostID": 100000, "size": 65536}}
	for name, edit := range map[string]func(linux map[string]any, namespaces []any) []any{
		"new": func(_ map[string]any, n []any) []any { return n },
		"user": func(linux map[string]any, n []any) []any {
			linux["uidMappings"], linux["gidMappings"] = ids, ids
			return append(n, map[string]any{"type": "user"})
		},
		"time": func(_ map[string]any, n []any) []any { return append(n, map[string]any{"type": "time"}) },
		"a pid namespace that is joined": func(_ map[string]any, n []any) []any {
			for i := range n {
				if n[i].(map[string]any)["type"] == "pid" {
					n[i] = map[string]any{"type": "pid", "path": "/proc/" + strconv.Itoa(sandbox.Process.Pid) + "/ns/pid"}
				}
			}
			return n
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newTerminalPlace(t, func(config map[string]any) {
				linux := config["linux"].(map[string]any)
				linux["namespaces"] = edit(linux, linux["namespaces"].([]any))
				process(map[string]any{"user": map[string]any{"uid": 7, "gid": 8},
					"args": []string{"sh", "-c", "echo controlled >/dev/tty; set -- $(cat /proc/self/stat); [ $6 = $$ ] && echo leads; stat -Lc '%t:%T %u:%g' /proc/self/fd/0; trap 'echo interrupted; exit 6' INT; kill -INT 0; sleep 5"}})(config)
			})
			before := p.census()
			c := start(t, append(append([]string{"setsid", "--wait"}, p.minirt()...), "run", "-b", p.bundle, "web")...).wait(t)
			if want := "controlled\nleads\n88:0 7:5\ninterrupted\n"; c.stdout != want || c.status != 6 {
				t.Errorf("exit status %d, %q, want %q\n%s", c.status, c.stdout, want, c.stderr)
			}
			p.nothingLeft(before, name)
		})
	}
}

// A program that reads nothing while much is typed can still be heard.
func TestWhatIsTypedDoesntHoldBackWhatIsSaid(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"args": []string{"sh", "-c", "stty raw -echo; echo ready; sleep 0.3; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"}}))
	k := sit(t, 24, 80, append(p.minirt(), "run", "-b", p.bundle, "web")...)
	k.sees("ready")
	go k.master.Write(bytes.Repeat([]byte("x"), 100_000))
	k.sees("line 2999")
	k.ends(0)
}

// PR-01, PR-02, DV-09, and PTY numbers and owners.
func TestTheConsoleSocketGetsTheMaster(t *testing.T) {
	for _, name := range []string{"tty", strings.Repeat("l", 90) + "/" + strings.Repeat("o", 90) + "/ng", "@tty"} {
		t.Run(name[:3], func(t *testing.T) {
			p := newTerminalPlace(t, process(map[string]any{
				"args":        []string{"sh", "-c", "stty size; stat -c '%t:%T %u:%g %a' /dev/console; stat -Lc %t:%T /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2; echo tty >/dev/tty; read x; echo got $x"},
				"consoleSize": map[string]any{"height": 12, "width": 34},
				"user":        map[string]any{"uid": 1000, "gid": 1000},
			}))
			r := newReceiver(t, p.dir, name)
			before := p.census()
			if c := p.verbIn(p.dir, "create", "--bundle", p.bundle, "--console-socket", name, "web"); c.status != 0 {
				t.Fatal(c.stderr)
			}
			payload, fd := r.message()
			if payload != "/dev/pts/0" {
				t.Errorf("the message says %q", payload)
			}
			master := os.NewFile(uintptr(fd), "master")
			if err := p.Start("web"); err != nil {
				t.Error(err)
			}
			master.WriteString("word\n")
			b := make([]byte, 4096)
			var said strings.Builder
			for {
				n, err := master.Read(b)
				said.Write(b[:n])
				if err != nil {
					break
				}
			}
			want := "word\r\n12 34\r\n88:0 1000:5 620\r\n88:0\r\n88:0\r\n88:0\r\ntty\r\ngot word\r\n"
			if got := said.String(); got != want && strings.Replace(got, "word\r\n", "", 1) != strings.Replace(want, "word\r\n", "", 1) {
				t.Error(cmp.Diff(want, got))
			}
			master.Close()
			p.ends("web")
			if err := p.Delete("web", false); err != nil {
				t.Error(err)
			}
			p.nothingLeft(before, "create with a console socket")
		})
	}
}

// verbIn runs minirt in a directory.
func (p *proof) verbIn(dir string, args ...string) call {
	p.t.Helper()
	command := append([]string{"sh", "-c", `cd "$0" && exec "$@"`, dir}, append(p.minirt(), args...)...)
	return start(p.t, command...).wait(p.t)
}

func TestSocketsThatNobodyServesLeaveNothing(t *testing.T) {
	p := newTerminalPlace(t, nil)
	hung := newReceiver(t, p.dir, "hung")
	file := filepath.Join(p.dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	hung.hangUp()
	before := p.census()
	for _, c := range []struct{ socket, pidfd, want string }{
		{p.dir + "/nothing", "", `console socket "` + p.dir + `/nothing": no such file or directory`},
		{file, "", `console socket "` + file + `": connection refused`},
		{p.dir + "/hung", "", "console socket: broken pipe"},
		{p.dir + "/hung", p.dir + "/nothing", `pidfd socket "` + p.dir + `/nothing": no such file or directory`},
	} {
		err := hungUp(func() error {
			return p.Create("web", CreateOptions{Bundle: p.bundle, ConsoleSocket: c.socket, PIDFDSocket: c.pidfd})
		}, func() { p.Delete("web", true) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v\ndoesn't say %q", err, c.want)
		}
		p.nothingLeft(before, c.want)
	}
}

func TestEachWrongCombinationOfTerminalAndSocketIsRefused(t *testing.T) {
	const (
		noSocket = "cannot allocate tty if minirt will detach without setting console socket"
		noUse    = "cannot use console socket if minirt will not detach or allocate tty"
	)
	p := newTerminalPlace(t, nil)
	q := newTerminalPlace(t, process(map[string]any{"terminal": false, "args": []string{"true"}}))
	r := newReceiver(t, p.dir, "tty")
	before := p.census()
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"create, terminal", func() error { return p.Create("web", CreateOptions{Bundle: p.bundle}) }, noSocket},
		{"run -d, terminal", func() error {
			_, err := p.Run("web", RunOptions{CreateOptions: CreateOptions{Bundle: p.bundle}, Detach: true})
			return err
		}, noSocket},
		{"run, terminal, socket", func() error {
			_, err := p.Run("web", RunOptions{CreateOptions: CreateOptions{Bundle: p.bundle, ConsoleSocket: r.path}})
			return err
		}, noUse},
		{"create, socket", func() error { return q.Create("web", CreateOptions{Bundle: q.bundle, ConsoleSocket: r.path}) }, noUse},
		{"run -d, socket", func() error {
			_, err := q.Run("web", RunOptions{CreateOptions: CreateOptions{Bundle: q.bundle, ConsoleSocket: r.path}, Detach: true})
			return err
		}, noUse},
		{"run, socket", func() error {
			_, err := q.Run("web", RunOptions{CreateOptions: CreateOptions{Bundle: q.bundle, ConsoleSocket: r.path}})
			return err
		}, noUse},
	} {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\ndoesn't say %q", c.name, err, c.want)
		}
	}
	p.nothingLeft(before, "refusals")
}

// SEC-19: /dev/pts must hold a devpts; a volume there, with whatever it holds,
// gives no terminal.
func TestSEC19ATerminalComesFromADevptsOrNotAtAll(t *testing.T) {
	without := func(config map[string]any) { // the devpts
		var mounts []any
		for _, m := range config["mounts"].([]any) {
			if m.(map[string]any)["destination"] != "/dev/pts" {
				mounts = append(mounts, m)
			}
		}
		config["mounts"] = mounts
	}
	for _, c := range []struct {
		name, want string
		fill       func(dir string) error
	}{
		{"nothing", "process.terminal: ", func(string) error { return nil }},
		{"a link", "process.terminal: ", func(dir string) error { return os.Symlink("/dev/ptmx", dir+"/ptmx") }},
		{"another device", "not the multiplexer of a devpts", func(dir string) error { return unix.Mknod(dir+"/ptmx", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))) }},
		{"a file", "not the multiplexer of a devpts", func(dir string) error { return os.WriteFile(dir+"/ptmx", nil, 0o666) }},
		{"a FIFO", "not the multiplexer of a devpts", func(dir string) error { return unix.Mkfifo(dir+"/ptmx", 0o666) }},
		{"the multiplexer's number", "process.terminal: ", func(dir string) error {
			return unix.Mknod(dir+"/ptmx", unix.S_IFCHR|0o666, int(unix.Mkdev(5, 2)))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			volume := filepath.Join(t.TempDir(), "pts")
			if err := os.Mkdir(volume, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := range 64 {
				if err := os.Symlink("/proc/sys/kernel/core_pattern", filepath.Join(volume, strconv.Itoa(i))); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.fill(volume); err != nil {
				t.Fatal(err)
			}
			p := newTerminalPlace(t, func(config map[string]any) {
				without(config)
				config["mounts"] = append(config["mounts"].([]any), map[string]any{"destination": "/dev/pts", "type": "bind", "source": volume, "options": []string{"bind", "dev"}})
			})
			p.terminals()
			before := p.census()
			err := p.Create("web", p.options())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\ndoesn't say %q", err, c.want)
			}
			p.nothingLeft(before, "create")
		})
	}
}
