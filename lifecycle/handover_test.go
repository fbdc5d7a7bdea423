package lifecycle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// receiver is a caller's socket that takes one message.
type receiver struct {
	t    testing.TB
	path string
	fd   int
}

// newReceiver listens on a socket below dir, whose name may be too long for an address.
func newReceiver(t testing.TB, dir, name string) *receiver {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	held, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(held)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(held) + "/" + filepath.Base(path)})
	}
	if err == nil {
		err = unix.Listen(fd, 8)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t, path, fd}
	t.Cleanup(r.close)
	return r
}

func (r *receiver) close() {
	if r.fd >= 0 {
		unix.Close(r.fd)
	}
	r.fd = -1
}

// message takes the one message of the first who connects, after which there
// is nothing more.
func (r *receiver) message() (payload string, fd int) {
	r.t.Helper()
	c, _, err := unix.Accept4(r.fd, unix.SOCK_CLOEXEC)
	if err != nil {
		r.t.Fatal(err)
	}
	defer unix.Close(c)
	b, control := make([]byte, 4096), make([]byte, 256)
	n, size, _, _, err := unix.Recvmsg(c, b, control, unix.MSG_CMSG_CLOEXEC)
	if err != nil || n == 0 {
		r.t.Fatalf("%d bytes, %v", n, err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:size])
	if err != nil || len(messages) != 1 {
		r.t.Fatalf("%d control messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		r.t.Fatalf("descriptors %v, %v", fds, err)
	}
	if more, err := unix.Read(c, make([]byte, 1)); more != 0 || err != nil {
		r.t.Errorf("more than one message, or the socket stays open: %d, %v", more, err)
	}
	return string(b[:n]), fds[0]
}

// hungUp tries until the socket's owner was quick enough to hang up before
// something was sent; forget takes back what worked meanwhile.
func hungUp(do func() error, forget func()) (err error) {
	for range 20 {
		if err = do(); err != nil {
			return err
		}
		forget()
	}
	return nil
}

// hangUp lets everybody connect whose connection is closed at once.
func (r *receiver) hangUp() {
	go func() {
		for {
			c, _, err := unix.Accept(r.fd)
			if err != nil {
				return
			}
			unix.Close(c)
		}
	}()
	r.t.Cleanup(func() { unix.Shutdown(r.fd, unix.SHUT_RDWR) })
}

func TestThePIDFDSocketGetsAPidfdOfTheContainersProcess(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"terminal": false, "args": []string{"sleep", "1000"}}))
	r := newReceiver(t, p.dir, "pidfd")
	before := p.census()
	if err := p.Create("web", CreateOptions{Bundle: p.bundle, PIDFDSocket: r.path}); err != nil {
		t.Fatal(err)
	}
	_, fd := r.message()
	s, err := p.State("web")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if err != nil || !strings.Contains(string(info), "\nPid:\t"+strconv.Itoa(s.Pid)+"\n") {
		t.Errorf("the descriptor is not one of process %d: %v\n%s", s.Pid, err, info)
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		t.Error(err)
	}
	unix.Close(fd)
	p.ends("web")
	if err := p.Delete("web", false); err != nil {
		t.Error(err)
	}
	p.nothingLeft(before, "create with a pidfd socket")
}

// manager is a service manager's socket.
func manager(t testing.TB, name string) (fd int) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrUnix{Name: name})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	return fd
}

// hears gives what the manager is told, up to the barrier, and answers that.
func hears(t testing.TB, manager int) (lines []string) {
	t.Helper()
	for {
		b, control := make([]byte, 4096), make([]byte, 256)
		n, size, _, _, err := unix.Recvmsg(manager, b, control, unix.MSG_CMSG_CLOEXEC)
		if err != nil {
			t.Errorf("after %q: %v", lines, err)
			return lines
		}
		lines = append(lines, strings.TrimSpace(string(b[:n])))
		messages, _ := unix.ParseSocketControlMessage(control[:size])
		for i := range messages {
			fds, _ := unix.ParseUnixRights(&messages[i])
			for _, fd := range fds {
				unix.Close(fd)
			}
			return lines
		}
	}
}

// newNotifying makes a place whose program is a script that may call notify.
func newNotifying(t testing.TB, script string) *proof {
	t.Helper()
	p := newTerminalPlace(t, process(map[string]any{"terminal": false, "args": []string{"sh", "-c", script},
		"env": []string{"PATH=/bin", "NOTIFY_SOCKET=/of/the/config", "LISTEN_FDS=9"}}))
	build := exec.Command("go", "build", "-o", p.bundle+"/rootfs/bin/notify", "./testdata/notify")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return p
}

func TestDetachedRunAndStartWaitUntilTheContainerIsReady(t *testing.T) {
	p := newNotifying(t, "sleep 0.2; notify STATUS=warm 'MAINPID=1\nREADY=1' || sleep 1000; exec sleep 1000")
	p.NotifySocket = filepath.Join(t.TempDir(), "manager")
	m := manager(t, p.NotifySocket)
	before := p.census()
	for name, do := range map[string]func() error{
		"run -d": func() error {
			_, err := p.Run("web", RunOptions{CreateOptions: CreateOptions{Bundle: p.bundle}, Detach: true})
			return err
		},
		"create and start": func() error {
			if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
				return err
			}
			return p.Start("web")
		},
	} {
		heard := make(chan []string, 1)
		go func() { heard <- hears(t, m) }()
		began := time.Now()
		if err := do(); err != nil {
			t.Fatal(name, err)
		}
		if took := time.Since(began); took < 200*time.Millisecond {
			t.Errorf("%s: waited only %v", name, took)
		}
		s, err := p.State("web")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(<-heard, " "), "READY=1 MAINPID="+strconv.Itoa(s.Pid)+" BARRIER=1"; got != want {
			t.Errorf("%s: the service manager heard %q, want %q", name, got, want)
		}
		if err := p.Delete("web", true); err != nil {
			t.Error(err)
		}
		p.nothingLeft(before, name)
	}
}

func TestTheForegroundTellsWhenTheContainerIsReady(t *testing.T) {
	p := newNotifying(t, "notify READY=1; exit 5")
	name := filepath.Join(t.TempDir(), "manager")
	m := manager(t, name)
	before := p.census()
	s := start(t, append([]string{"env", "NOTIFY_SOCKET=" + name}, append(p.minirt(), "run", "-b", p.bundle, "web")...)...)
	if got, want := strings.Join(hears(t, m), " "), "READY=1 MAINPID="+strconv.Itoa(s.Process.Pid)+" BARRIER=1"; got != want {
		t.Errorf("the service manager heard %q, want %q", got, want)
	}
	if c := s.wait(t); c.status != 5 {
		t.Errorf("exit status %d: %s", c.status, c.stderr)
	}
	p.nothingLeft(before, "run")
}

func TestWaitingForReadinessEndsWithTheContainer(t *testing.T) {
	p := newNotifying(t, "touch /run/notify/x 2>/dev/null; sleep 0.1; exit 1")
	p.NotifySocket = "@minirt-test-" + strconv.Itoa(os.Getpid())
	m := manager(t, p.NotifySocket)
	if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
		t.Fatal(err)
	}
	if err := p.Start("web"); err != nil {
		t.Error(err)
	}
	if entries := entries(p.Root + "/web/notify"); strings.Join(entries, " ") != notifyFile {
		t.Errorf("the container could write to the directory of the socket: %q", entries)
	}
	p.ends("web")
	if n, _, err := unix.Recvfrom(m, make([]byte, 100), unix.MSG_DONTWAIT); err != unix.EAGAIN {
		t.Errorf("the service manager was told something: %d, %v", n, err)
	}
}

// PR-22: what is asked for is handed down, at the same numbers, and nothing else.
func TestDescriptorsForTheProgramKeepTheirNumbers(t *testing.T) {
	p := newTerminalPlace(t, process(map[string]any{"terminal": false, "env": []string{"PATH=/bin", "LISTEN_FDS=9", "LISTEN_FDNAMES=x"},
		"args": []string{"sh", "-c", "for i in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$i ] && echo $i $(stat -Lc %s /proc/self/fd/$i 2>/dev/null | grep -x 7); done; echo $LISTEN_FDS $LISTEN_PID"}}))
	seven := filepath.Join(p.dir, "seven")
	if err := os.WriteFile(seven, []byte("1234567"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(environment, flags string) call {
		script := `exec 3<$0 4<$0 5<$0 6<$0 8<$0; ` + environment + ` exec "$@"`
		args := append([]string{"sh", "-c", script, seven}, append(p.minirt(), "run", "--bundle", p.bundle)...)
		return start(t, append(append(args, strings.Fields(flags)...), "web")...).wait(t)
	}
	const none = "0\n1\n2\n"
	for _, c := range []struct {
		name, environment, flags, stdout string
	}{
		{"nothing", "", "", none + "9\n"},
		{"preserved", "", "--preserve-fds 2", none + "3 7\n4 7\n9\n"},
		{"socket activation", "LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=a:b", "", none + "3 7\n4 7\n2 1\n"},
		{"both", "LISTEN_FDS=1 LISTEN_PID=$$", "--preserve-fds 3", none + "3 7\n4 7\n5 7\n6 7\n1 1\n"},
		{"of another process", "LISTEN_FDS=2 LISTEN_PID=1", "", none + "9\n"},
		{"nonsense", "LISTEN_FDS=-2 LISTEN_PID=$$", "", none + "9\n"},
	} {
		got := run(c.environment, c.flags)
		// One more is the shell's own: its look at /proc/self.
		if out := strings.TrimSpace(got.stdout); got.status != 0 || out != strings.TrimSpace(c.stdout) {
			t.Errorf("%s: exit status %d, %q, want %q\n%s", c.name, got.status, out, c.stdout, got.stderr)
		}
	}
	for _, c := range []struct{ environment, flags, want string }{
		{"", "--preserve-fds 5", "--preserve-fds: descriptor 7 is not open"},
		{"LISTEN_FDS=5 LISTEN_PID=$$", "", "LISTEN_FDS: descriptor 7 is not open"},
		{"LISTEN_FDS=4 LISTEN_PID=$$", "--preserve-fds 2", "--preserve-fds: descriptor 7 is not open"},
	} {
		if got := run(c.environment, c.flags); got.status != 1 || !strings.Contains(got.stderr, c.want) {
			t.Errorf("exit status %d, %q, want %q", got.status, got.stderr, c.want)
		}
	}
}
