package main

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminalPair is a pseudo-terminal of 100 columns and 10 rows; what is written
// to it is kept.
type terminalPair struct {
	master, slave *os.File
	mu            sync.Mutex
	said          bytes.Buffer
}

func newTerminal(t *testing.T) *terminalPair {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminal here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	p := &terminalPair{master: master, slave: slave}
	p.resize(t, 100, 10)
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			if err != nil {
				return
			}
			p.mu.Lock()
			p.said.Write(b[:n])
			p.mu.Unlock()
		}
	}()
	return p
}

func (p *terminalPair) resize(t *testing.T, width, height uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(p.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height}); err != nil {
		t.Fatal(err)
	}
}

func (p *terminalPair) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// await waits until the terminal has been told something.
func (p *terminalPair) await(t *testing.T, what string) {
	t.Helper()
	for range 500 {
		if strings.Contains(p.text(), what) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%q was not written: %q", what, p.text())
}

func (p *terminalPair) modes(t *testing.T) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

// Whatever ends top, the terminal is what it was: its modes, its screen, its cursor.
func TestTopGivesTheTerminalBackHoweverItEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *terminalPair, c *exec.Cmd) error{
		"q":       func(p *terminalPair, _ *exec.Cmd) error { _, err := p.master.WriteString("xq"); return err },
		"^C":      func(p *terminalPair, _ *exec.Cmd) error { _, err := p.master.WriteString("\x03"); return err },
		"SIGTERM": func(_ *terminalPair, c *exec.Cmd) error { return c.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(_ *terminalPair, c *exec.Cmd) error { return c.Process.Signal(syscall.SIGHUP) },
		"SIGKILL": func(_ *terminalPair, c *exec.Cmd) error { return c.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			work := t.TempDir()
			place, p := newPlace(t, work), newTerminal(t)
			if err := os.Mkdir(place.root, 0o700); err != nil {
				t.Fatal(err)
			}
			before := p.modes(t)
			c := exec.Command(place.program, "--root", place.root, "top", "--interval", "100ms")
			c.Env, c.Stdin, c.Stdout, c.Stderr = place.env, p.slave, p.slave, p.slave
			c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			p.await(t, "\x1b[?1049h\x1b[?25l")
			p.await(t, "0 containers, by cpu")
			if p.modes(t) == before {
				t.Error("the keys are still the terminal's")
			}
			if err := end(p, c); err != nil {
				t.Fatal(err)
			}
			err := c.Wait()
			p.await(t, "\x1b[?25h\x1b[?1049l")
			if text := p.text(); !strings.HasSuffix(text, "\x1b[?25h\x1b[?1049l") || strings.Count(text, "\x1b[?1049l") != 1 {
				t.Errorf("the screen was not left, or not at the end: %q", text)
			}
			for range 100 { // the guard may be at it
				if p.modes(t) == before {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			if now := p.modes(t); now != before {
				t.Errorf("modes: %+v, were %+v", now, before)
			}
			if name != "SIGKILL" && err != nil {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// A key sorts anew at once, and a window's new size is seen long before the next look.
func TestTopObeysKeysAndTheWindow(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	place, p := newPlace(t, work), newTerminal(t)
	if err := os.Mkdir(place.root, 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(place.program, "--root", place.root, "top", "--interval", "1h")
	c.Env, c.Stdin, c.Stdout, c.Stderr = place.env, p.slave, p.slave, p.slave
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p.await(t, "by cpu")
	p.master.WriteString("m")
	p.await(t, "by memory")
	p.resize(t, 15, 3)
	p.await(t, "  0 con\x1b[K") // of "15:04:05  0 containers"
	p.master.WriteString("q")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}
