package lifecycle

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// Proc names a process for ever: its number, which the kernel uses again, and
// what tells it from a later process with the same number.
type Proc struct {
	PID   int    `json:"pid"`
	Birth uint64 `json:"birth"` // the inode of its pidfd (Linux 6.9), else its start time in clock ticks (proc(5), stat, field 22); 0 unknown
}

// errGone says that a process has ended.
const errGone = text("process already finished")

// procOf names the living process with number pid.
func procOf(pid int) Proc {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return Proc{PID: pid}
	}
	defer unix.Close(fd)
	return Proc{pid, birth(fd, pid)}
}

// open gives a pidfd of the process, or errGone if it has ended: also if it
// is a zombie, or its number belongs to another process by now.
func (p Proc) open() (pidfd int, err error) {
	if p.PID <= 0 {
		return -1, errGone
	}
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err == unix.ESRCH || err == unix.EINVAL { // EINVAL: now a thread of another process
		return -1, errGone
	}
	if err != nil {
		return -1, because("pidfd of process "+strconv.Itoa(p.PID), err)
	}
	now := birth(fd, p.PID)
	if ended(fd, 0) || p.Birth != 0 && now != 0 && p.Birth != now {
		unix.Close(fd)
		return -1, errGone
	}
	return fd, nil
}

// alive tells whether the process has not ended.
func (p Proc) alive() bool {
	fd, err := p.open()
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

// ended waits up to timeout milliseconds, for ever if it is negative, for the
// end of the pidfd's process. A zombie has ended.
func ended(pidfd, timeout int) bool { return readable(pidfd, timeout) }

// readable waits up to timeout milliseconds, for ever if it is negative, until
// something can be read from a descriptor, or its end.
func readable(fd, timeout int) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p, timeout)
		if err != unix.EINTR {
			return n > 0
		}
	}
}

// pidfsMagic is the type of the file system that gives each process an inode
// of its own, never used again while the system is up (linux/magic.h, 6.9).
const pidfsMagic = 0x50494446

func birth(pidfd, pid int) uint64 {
	var fs unix.Statfs_t
	if unix.Fstatfs(pidfd, &fs) == nil && fs.Type == pidfsMagic {
		var st unix.Stat_t
		if unix.Fstat(pidfd, &st) == nil {
			return st.Ino
		}
	}
	return startTime(pid)
}

// exiting tells whether a process is on its way out, though it has not ended
// yet: pid 1 of a namespace waits for all others there (proc(5), stat, field 9).
func exiting(pid int) bool {
	const pfExiting = 0x4 // PF_EXITING (linux/sched.h)
	b, err := readFile("/proc/"+strconv.Itoa(pid)+"/stat", 4096)
	if err != nil {
		return false
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 7 {
		return false
	}
	flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
	return err == nil && flags&pfExiting != 0
}

// startTime is 0 where /proc shows nothing of the process, as with hidepid.
func startTime(pid int) uint64 {
	b, err := readFile("/proc/"+strconv.Itoa(pid)+"/stat", 4096)
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 20 {
		return 0
	}
	n, err := strconv.ParseUint(string(fields[19]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
