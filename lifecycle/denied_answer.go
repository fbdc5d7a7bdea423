package lifecycle

import (
	"runtime"

	"github.com/minirt/minirt/internal/listener"
	"github.com/minirt/minirt/internal/seccomp"
	"golang.org/x/sys/unix"
)

// answer does to a thread what the profile says of its call, and notes it.
func (t *tracer) answer(n *listener.Notification) {
	if t.ofStage(n) {
		listener.Continue(t.listener, n.ID)
		return
	}
	p, known := lookAt(n.Thread)
	if known && !listener.Valid(t.listener, n.ID) {
		return
	}
	value, _ := t.filter.Filter.Run(n.Call)
	t.note(n, value, &p)
	switch value & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ERRNO:
		listener.Answer(t.listener, n.ID, 0, unix.Errno(value&unix.SECCOMP_RET_DATA))
		return
	case unix.SECCOMP_RET_TRAP:
		if p.handles(unix.SIGSYS) && t.signal(n, unix.SIGSYS) {
			listener.Answer(t.listener, n.ID, untouched(&n.Call), 0)
			return
		}
	}
	t.end(n, &p)
}

// ofStage tells whether it is the stage that says how far it has come, or waits
// to go on, which a profile must not hinder: without a listener the filter would
// be loaded later.
func (t *tracer) ofStage(n *listener.Notification) bool {
	if n.Thread != t.main || n.Call.Arch != seccomp.Audit(t.filter.Architectures[0]) {
		return false
	}
	for i := range t.stages {
		c := &t.stages[i]
		if c.left > 0 && n.Call.Number == uint32(c.number) && n.Call.Args[0] == uint64(c.fd) && n.Call.Args[2] == uint64(c.size) {
			c.left--
			return true
		}
	}
	return false
}

// untouched is what the register of the result holds after a trapped call: what
// it held before (signal(7) and seccomp(2), SECCOMP_RET_TRAP).
func untouched(c *seccomp.Call) int64 {
	if runtime.GOARCH == "amd64" {
		return int64(c.Number)
	}
	return int64(c.Args[0])
}

// end ends a process as SECCOMP_RET_KILL_PROCESS does: by SIGSYS, which whoever
// waits for it sees. A process that handles, ignores or blocks it, and the first
// of a pid namespace, which it doesn't reach, gets SIGKILL instead. The call
// fails, for a thread that may be seen to wait until the signal has come.
func (t *tracer) end(n *listener.Notification, p *caller) {
	if p.pid == t.main {
		t.ended.Store(true)
	}
	signal := unix.SIGSYS
	if p.init || p.touches(unix.SIGSYS) {
		signal = unix.SIGKILL
	}
	if !t.signal(n, signal) {
		return // it doesn't wait any more; or it does so for ever, rather than go on
	}
	listener.Answer(t.listener, n.ID, 0, unix.ENOSYS)
}

// signal sends a signal to the thread that waits, and to no other that may have
// got its number: its pidfd is opened while it waits.
func (t *tracer) signal(n *listener.Notification, signal unix.Signal) bool {
	const pidfdThread = unix.O_EXCL // PIDFD_THREAD, Linux 6.9
	fd, err := unix.PidfdOpen(n.Thread, pidfdThread)
	if err == unix.EINVAL {
		if p, ok := lookAt(n.Thread); ok {
			fd, err = unix.PidfdOpen(p.pid, 0)
		}
	}
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return listener.Valid(t.listener, n.ID) && unix.PidfdSendSignal(fd, signal, nil, 0) == nil
}
