package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// patience is how long one command may take; what lasts longer is killed.
const patience = 20 * time.Second

var environment = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "HOME=/"}

// spawn runs a command to its end and returns the wall time from before the
// fork until after the wait. Its stderr is a file: a pipe would be held open by
// the container that a create leaves behind.
func (h *host) spawn(args []string, env ...string) (time.Duration, error) {
	if err := h.log.Truncate(0); err != nil {
		return 0, err
	}
	attr := &syscall.ProcAttr{
		Env:   append(environment[:len(environment):len(environment)], env...),
		Files: []uintptr{h.null.Fd(), h.null.Fd(), h.log.Fd()},
	}
	began := time.Now()
	pid, err := syscall.ForkExec(args[0], args, attr)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", args[0], err)
	}
	var late atomic.Bool
	alarm := time.AfterFunc(patience, func() { late.Store(true); syscall.Kill(pid, syscall.SIGKILL) })
	status, err := wait(pid)
	took := time.Since(began)
	alarm.Stop()
	switch {
	case err != nil:
		return took, err
	case late.Load():
		return took, fmt.Errorf("%s: not done after %v", strings.Join(args, " "), patience)
	case status != 0:
		return took, fmt.Errorf("%s: exit status %d: %s", strings.Join(args, " "), status, h.complaint())
	}
	return took, nil
}

// complaint is what the last command said on stderr.
func (h *host) complaint() string {
	b, _ := os.ReadFile(h.log.Name())
	return strings.TrimSpace(string(b))
}

func wait(pid int) (int, error) {
	for {
		var ws syscall.WaitStatus
		_, err := syscall.Wait4(pid, &ws, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, err
		case ws.Signaled():
			return 128 + int(ws.Signal()), nil
		default:
			return ws.ExitStatus(), nil
		}
	}
}

// reap waits until no child is left: the containers' processes become the
// driver's when their runtime leaves.
func reap() time.Duration {
	began := time.Now()
	for {
		var ws syscall.WaitStatus
		if _, err := syscall.Wait4(-1, &ws, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return time.Since(began)
		}
	}
}

// reapDead collects the children that have ended, and waits for none.
func reapDead() {
	for {
		var ws syscall.WaitStatus
		if pid, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil); pid <= 0 && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

// rusage is the CPU time of all processes reaped so far (getrusage(2), RUSAGE_CHILDREN).
func rusage(who int) time.Duration {
	var ru syscall.Rusage
	if err := syscall.Getrusage(who, &ru); err != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// meter reads two clocks of CPU time: the processes' own, and the cgroup's less
// the driver's.
type meter struct {
	h             *host
	children, all time.Duration
}

func (h *host) meter() meter {
	return meter{h, rusage(syscall.RUSAGE_CHILDREN), h.cpuacct() - rusage(syscall.RUSAGE_SELF)}
}

func (m meter) read() (children, all time.Duration) {
	n := m.h.meter()
	return n.children - m.children, n.all - m.all
}
