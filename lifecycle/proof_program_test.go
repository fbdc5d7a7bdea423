package lifecycle

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminals gives the place a socket that takes terminals.
func (p *proof) terminals() {
	p.t.Helper()
	p.tty = filepath.Join(p.dir, "tty")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.tty, Net: "unix"})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			b, rights := make([]byte, 4096), make([]byte, 1024)
			_, n, _, _, _ := c.ReadMsgUnix(b, rights)
			messages, _ := unix.ParseSocketControlMessage(rights[:n])
			for i := range messages {
				fds, _ := unix.ParseUnixRights(&messages[i])
				p.mutex.Lock()
				p.masters = append(p.masters, fds...)
				p.mutex.Unlock()
			}
			c.Close()
		}
	}()
}

// hangUp closes the terminals: what reads from them comes to its end.
func (p *proof) hangUp() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, fd := range p.masters {
		unix.Close(fd)
	}
	p.masters = nil
}

// options are those for the place's bundle.
func (p *proof) options() CreateOptions { return CreateOptions{Bundle: p.bundle, ConsoleSocket: p.tty} }

// arguments are the same on the command line.
func (p *proof) arguments() []string {
	if p.tty == "" {
		return append(p.flags, "-b", p.bundle, "web")
	}
	return append(p.flags, "-b", p.bundle, "--console-socket", p.tty, "web")
}

// program is minirt's own, built once; where there is no Go, $MINIRT names it.
var program = sync.OnceValues(func() ([]byte, error) {
	if name := os.Getenv("MINIRT"); name != "" {
		return os.ReadFile(name)
	}
	dir, err := os.MkdirTemp("", "minirt-proof")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", dir+"/minirt", "github.com/minirt/minirt/cmd/minirt")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %v: %s", err, out)
	}
	return os.ReadFile(dir + "/minirt")
})

// minirt gives a command line that begins with minirt's program.
func (p *proof) minirt() []string {
	p.t.Helper()
	name := filepath.Join(p.dir, "minirt")
	if _, err := os.Stat(name); err == nil {
		return []string{name, "--root", p.Root}
	}
	b, err := program()
	if err == nil {
		err = os.WriteFile(name, b, 0o755)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return []string{name, "--root", p.Root}
}

// call is a program that has run, and what it said.
type call struct {
	status int // -1 where a signal ended it
	stdout string
	stderr string
}

// started is a program that runs. Its output goes to files without names, since
// a container that outlives it would keep a pipe open.
type started struct {
	*exec.Cmd
	out [2]*os.File
}

func start(t testing.TB, command ...string) *started {
	t.Helper()
	s := &started{Cmd: exec.Command(command[0], command[1:]...)}
	for i := range s.out {
		fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		s.out[i] = os.NewFile(uintptr(fd), "output")
	}
	s.Stdout, s.Stderr = s.out[0], s.out[1]
	reaping.Lock()
	if err := s.Start(); err != nil {
		reaping.Unlock()
		t.Fatal(err)
	}
	awaited.Store(s.Process.Pid, true)
	reaping.Unlock()
	return s
}

// wait gives the program 30 seconds.
func (s *started) wait(t testing.TB) (c call) {
	t.Helper()
	timer := time.AfterFunc(30*time.Second, func() { s.Process.Kill() })
	s.Wait()
	awaited.Delete(s.Process.Pid)
	if !timer.Stop() {
		t.Errorf("%q hangs", s.Args)
	}
	c.status = s.ProcessState.ExitCode()
	for i, text := range []*string{&c.stdout, &c.stderr} {
		b := make([]byte, 1<<20)
		n, _ := s.out[i].ReadAt(b, 0)
		*text = string(b[:n])
		s.out[i].Close()
	}
	// A line of advice may follow an error's line, and is no part of it.
	if i := strings.LastIndex("\n"+c.stderr, "\nminirt: advice: "); i >= 0 && strings.Count(c.stderr[i:], "\n") == 1 {
		c.stderr = c.stderr[:i]
	}
	return c
}
