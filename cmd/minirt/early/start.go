package early

import "unsafe"

// start opens the gate of a created container, and ends the program if that
// runs the container's program: lifecycle.Start without its words. If it
// doesn't, the report stays open and unread, for Start to find.
//
//go:nosplit
func (l *line) start() {
	d, ok := l.open(true)
	if !ok {
		return
	}
	d.next() // the process: the gate tells whether it waits
	if thawed(d.next()) {
		if report := d.open("report\x00", 0); !failed(report) && d.openGate() && executed(report) {
			exit()
		}
	}
	d.close()
}

// thawed tells whether a file of the cgroup says that it isn't frozen.
//
//go:nosplit
func thawed(file text) bool {
	if file == nil {
		return false
	}
	if *file == 0 { // there is no such file: nothing can be frozen
		return true
	}
	fd := syscall(sysOpenat, atFDCWD, address(file), oCloexec, 0, 0)
	if failed(fd) {
		return false
	}
	var state [64]byte
	n := syscall(sysRead, fd, address(&state[0]), uintptr(len(state)-1), 0, 0)
	closeFD(fd)
	return !failed(n) && (is(&state[0], "THAWED\n") || is(&state[0], "populated 1\nfrozen 0\n"))
}

// openGate writes to the gate, if somebody reads it. That we read it too saves
// us from SIGPIPE, should he go away meanwhile.
//
//go:nosplit
func (d *directory) openGate() bool {
	gate := d.open("gate\x00", oWronly)
	if failed(gate) {
		return false
	}
	us := d.open("gate\x00", 0)
	ok := !failed(us) && syscall(sysWrite, gate, name("\x01"), 1, 0, 0) == 1
	closeFD(gate)
	closeFD(us)
	return ok
}

// executed waits for the end of the report. One byte tells that the program was
// executed: the report of a failure has more.
//
//go:nosplit
func executed(report uintptr) bool {
	if !poll(report, 0, nil) { // no event is asked for: only POLLHUP wakes us
		return false
	}
	const fionread = 0x541b
	var unread int32
	return syscall(sysIoctl, report, fionread, uintptr(unsafe.Pointer(&unread)), 0, 0) == 0 && unread == 1
}

// poll waits for an event, for ever without a limit.
//
//go:nosplit
func poll(fd uintptr, events int16, limit *timespec) bool {
	p := struct {
		fd              int32
		events, revents int16
	}{int32(fd), events, 0}
	for {
		n := syscall(sysPpoll, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(limit)), 0, 0)
		if n != eINTR {
			return n == 1
		}
	}
}

type timespec struct{ seconds, nanoseconds int64 }
