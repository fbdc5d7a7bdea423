package lifecycle

import (
	"strconv"
	"syscall"

	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/internal/logfile"
	"golang.org/x/sys/unix"
)

// RecordLog is the log of a container, and the process that writes it.
type RecordLog struct {
	Path   string `json:"path"` // absolute; "" if the output goes nowhere
	Writer Proc   `json:"writer"`
}

// LogVerb is the verb by which minirt is the writer of a log (cmd/minirt/early).
const LogVerb = "log-writer"

// startLog starts the writer. It has a session of its own, so that no key of the
// caller's terminal reaches it, and stays in the caller's cgroup.
func (c *creation) startLog() error {
	l, mode := &c.log, "pipes"
	if !l.on {
		return nil
	}
	if c.outlets.wanted {
		mode, l.sources[0] = "terminal", c.outlets.master
		c.outlets.master = -1
	}
	if l.sources[0] < 0 {
		return nil
	}
	program := c.options.Log.Program
	if program == "" {
		program = "/proc/self/exe"
	}
	size, files := c.options.Log.limits()
	name := l.name
	if l.path == "" {
		size = "0"
	}
	pid, err := syscall.ForkExec(program, []string{"minirt", LogVerb, mode, size, files, name}, &syscall.ProcAttr{
		Env:   []string{},
		Files: []uintptr{uintptr(l.sources[0]), uintptr(l.sources[1]), uintptr(l.file), uintptr(l.dir), uintptr(c.pidfd), uintptr(l.status)},
		Sys:   &syscall.SysProcAttr{Setsid: true, PidFD: &l.pidfd},
	})
	if err != nil {
		return because("start the writer of the log: "+program, err)
	}
	l.writer = Proc{pid, birth(l.pidfd, pid)}
	c.Log = RecordLog{l.path, l.writer}
	return nil
}

// endLog ends the writer of a container that comes to nothing. What it said in
// its time stays; an empty log that wasn't there before doesn't.
func (c *creation) endLog() error {
	l := &c.log
	defer l.close()
	l.closeTheirs()
	if l.writer.PID > 0 {
		if l.pidfd < 0 || !ended(l.pidfd, 1000) {
			unix.Kill(l.writer.PID, unix.SIGKILL)
		}
		wait(l.writer.PID)
	}
	var st unix.Stat_t
	if l.fresh && unix.Fstatat(l.dir, l.name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Size == 0 {
		unix.Unlinkat(l.dir, l.name, 0)
	}
	return nil
}

// finishLog waits until the log has all that a container has said which has
// ended: then its writer gives up its lock. Who has the container's output open
// for longer isn't waited for.
func (c *container) finishLog() (finished bool) {
	const patience, pause = 2000, 5 // milliseconds
	if c.Log.Path == "" {
		return true
	}
	for waited := 0; waited < patience && c.Log.Writer.alive(); waited += pause {
		if logfile.Complete(c.Log.Path) {
			return true
		}
		unix.Poll(nil, pause)
	}
	return !c.Log.Writer.alive()
}

// leaveLog ends the writer of a container that has ended and is being deleted.
func (c *container) leaveLog() {
	if c.Log.Writer.PID == 0 || !c.finishLog() {
		return
	}
	if pidfd, err := c.Log.Writer.open(); err == nil { // it still wants to know how the process has ended
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
		ended(pidfd, -1)
		unix.Close(pidfd)
	}
}

// keptStatus is the exit status that the log's writer has learnt of.
func (c *container) keptStatus() (status int, ok bool) {
	const patience, pause = 1000, 5 // milliseconds
	for waited := 0; ; waited += pause {
		b, err := readFileAt(c.fd, exitFile, 64)
		if err != nil {
			return 0, false
		}
		if n := len(b); n > 0 && b[n-1] == '\n' {
			status, err = strconv.Atoi(string(b[:n-1]))
			return status, err == nil
		}
		if waited >= patience || !c.Log.Writer.alive() {
			return 0, false
		}
		unix.Poll(nil, pause)
	}
}

func (l *RecordLog) appendJSON(b []byte) []byte {
	b = json.AppendString(append(b, `{"path":`...), l.Path)
	return append(l.Writer.appendJSON(append(b, `,"writer":`...)), '}')
}
