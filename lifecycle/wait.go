package lifecycle

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrStatusUnknown says that a container has ended, and nobody knows how.
var ErrStatusUnknown = errors.New("exit status unknown")

// An Ending is the end of a container that somebody waits for.
type Ending struct {
	container *container
	pidfd     int // -1 if the process had gone before
}

// Await makes ready to wait for the end of a container: from here on it may be
// deleted, and its number may become another process's. One that is just being
// created is waited for.
func (r *Runtime) Await(id string) (e *Ending, err error) {
	defer wrap("wait", id, &err)
	const pause = 10 // milliseconds
	for {
		c, err := r.load(id)
		if err != nil {
			return nil, err
		}
		if c.Process.PID != 0 || !c.Creator.alive() {
			return &Ending{c, c.Process.hold()}, nil
		}
		c.close()
		unix.Poll(nil, pause)
	}
}

// hold gives a pidfd of the process, also of a zombie; -1 if it has gone.
func (p Proc) hold() int {
	if p.PID <= 0 {
		return -1
	}
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return -1
	}
	if p.Birth != 0 && birth(fd, p.PID) != p.Birth {
		unix.Close(fd)
		return -1
	}
	return fd
}

// Close closes what is open.
func (e *Ending) Close() {
	e.container.close()
	if e.pidfd >= 0 {
		unix.Close(e.pidfd)
	}
}

// Wait waits for the end, and gives the exit status: 128 and the signal's number,
// if a signal ended the process. The kernel tells it since Linux 6.15 to who held
// a pidfd before the process was reaped, and of every zombie; the writer of a log
// keeps it. Else it is ErrStatusUnknown, with the reason. A log is complete by then.
func (e *Ending) Wait() (status int, err error) {
	defer wrap("wait", e.container.ID, &err)
	if e.pidfd >= 0 {
		ended(e.pidfd, -1)
		e.container.finishLog()
		if status, ok := exitStatus(e.pidfd, e.container.Process.PID); ok {
			return status, nil
		}
	}
	if e.container.Log.Writer.PID != 0 {
		if status, ok := e.container.keptStatus(); ok {
			return status, nil
		}
	}
	if e.pidfd >= 0 {
		return 0, because("the kernel does not tell it (it does since Linux 6.15)", ErrStatusUnknown)
	}
	return 0, because("it had ended before, and without --log-driver nobody keeps its status", ErrStatusUnknown)
}

// exitStatus asks how the process of a pidfd, which has ended, did so. The kernel
// tells it as soon as the parent has reaped the process; before that it is a
// zombie, for ever where nobody does.
func exitStatus(pidfd, pid int) (status int, ok bool) {
	const patience = 10_000 // milliseconds
	if ws, ok := reaped(pidfd); ok {
		return statusOf(ws), true
	}
	if ws, ok := zombie(pidfd, pid); ok {
		return statusOf(ws), true
	}
	p := []unix.PollFd{{Fd: int32(pidfd)}} // nothing but that it is reaped, POLLHUP
	for {
		if _, err := unix.Poll(p, patience); err != unix.EINTR {
			break
		}
	}
	ws, ok := reaped(pidfd)
	return statusOf(ws), ok
}

// reaped asks the pidfd (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15).
func reaped(pidfd int) (ws syscall.WaitStatus, ok bool) {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	err := unix.IoctlPidfdInfo(pidfd, &info)
	return syscall.WaitStatus(info.Exit_code), err == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0
}

// zombie reads what procfs tells of a zombie (proc(5), stat, field 52), which is 0
// to those who may not know; the links in ns refuse them.
func zombie(pidfd, pid int) (ws syscall.WaitStatus, ok bool) {
	proc := "/proc/" + strconv.Itoa(pid)
	if _, err := os.Readlink(proc + "/ns/user"); errors.Is(err, unix.EACCES) {
		return 0, false
	}
	b, err := readFile(proc+"/stat", 4096)
	if err != nil || unix.PidfdSendSignal(pidfd, 0, nil, 0) != nil { // another has the number by now
		return 0, false
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 50 || string(fields[0]) != "Z" {
		return 0, false
	}
	code, err := strconv.Atoi(string(fields[49]))
	return syscall.WaitStatus(code), err == nil
}

func statusOf(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}
