package early

import "unsafe"

// The log of a detached container is written by a process of this program that
// Go never begins in: it lives as long as the container, and so holds no more
// than some pages. lifecycle starts it (log.go there), with these descriptors:
const (
	logOut     = iota // what the container says on standard output, or its terminal's master
	logErr            // and on standard error; closed where there is a terminal
	logFile           // the log, for appending
	logDir            // its directory
	logProcess        // a pidfd of the container's process
	logStatus         // a file that gets the process's exit status
)

// LogVerb is the word behind which the writer's four arguments stand: "pipes" or
// "terminal"; how many bytes a file of the log may have, 0 for no limit; how many
// files there may be; and the log's name in its directory.
const LogVerb = "log-writer"

// keeper writes a log. Every line has the form that engines' tools read:
//
//	2026-11-25T03:44:29.123456789Z stdout F a whole line
//	2026-11-25T03:44:29.123456789Z stderr P a part of one: the rest follows
type keeper struct {
	streams  [2]stream
	process  int32 // a pidfd; -1 when nothing more is to be learnt of it
	ended    bool  // the process has
	terminal bool
	shut     bool // nobody has the terminal open: we look again a little later
	most     int  // bytes that a file may have, if there is a limit
	files    int
	file     uintptr
	size     int // of the file
	now      timespec
	heads    [2]head // of whole lines and of parts
	batch    batch
	lost     int     // lines that could not be written
	why      uintptr // an errno
	polled   [3]pollfd
	hidden   fileName    // of a new file: a dot, and the log's name
	names    [2]fileName // of two files that are as old as their numbers say
	note     [256]byte
}

// stream is one that the container writes to.
type stream struct {
	fd     int32    // -1 after its end
	used   int      // bytes of buffer that aren't in the log yet
	since  timespec // when the first of them came
	buffer [16 << 10]byte
}

type fileName [288]byte

type pollfd struct {
	fd              int32
	events, revents int16
}

const (
	pollIn  = 1
	pollHup = 16

	eIO    = ^uintptr(5 - 1)
	eAGAIN = ^uintptr(11 - 1)
)

var log keeper

// WriteLog writes a log to its end, and ends the program: the way to it where a
// program begins with Go. Its arguments are the writer's, with a NUL behind each.
//
//go:nosplit
func WriteLog(mode, most, files, name *byte) { log.run(mode, most, files, name) }

//go:nosplit
func (k *keeper) run(mode, most, files, name text) {
	k.terminal, k.most, k.files = is(mode, "terminal"), number(most), number(files)
	k.hidden[0] = '.'
	for i := 1; *name != 0 && i < len(k.hidden)-8; i++ {
		k.hidden[i] = *name
		name = skip(name, 1)
	}
	k.streams[0].fd, k.streams[1].fd, k.file, k.process = logOut, logErr, logFile, logProcess
	if k.terminal {
		k.streams[1].fd = -1
	}
	if !failed(syscall(sysFstat, k.file, uintptr(unsafe.Pointer(&status)), 0, 0, 0)) {
		k.size = size(&status)
	}
	settle()
	for k.streams[0].fd >= 0 || k.streams[1].fd >= 0 || k.process >= 0 {
		k.turn()
	}
	exit()
}

// settle leaves all that is the caller's, and heeds no signal that means others,
// or that would end what the container has to say with a file's size.
//
//go:nosplit
func settle() {
	const setName, hangUp, interrupt, quit, terminate, fileSize = 15, 1, 2, 3, 15, 25
	ignored := struct{ handler, flags, restorer, mask uintptr }{handler: 1}
	for signal := uintptr(hangUp); signal <= fileSize; signal++ {
		switch signal {
		case hangUp, interrupt, quit, terminate, fileSize:
			syscall(sysRtSigaction, signal, uintptr(unsafe.Pointer(&ignored)), 0, 8, 0)
		}
	}
	syscall(sysPrctl, setName, name("minirt-log\x00"), 0, 0, 0)
	syscall(sysChdir, name("/\x00"), 0, 0, 0, 0)
	syscall(sysUmask, 0, 0, 0, 0, 0)
}

// turn waits until something has happened, and writes what there is to write.
//
//go:nosplit
func (k *keeper) turn() {
	if !k.await() {
		return
	}
	k.tick()
	for i := range k.streams {
		if k.polled[i].revents != 0 {
			k.read(i)
		} else if k.streams[i].used > 0 && k.isOld(&k.streams[i]) {
			k.part(i)
		}
	}
	if k.polled[2].revents != 0 {
		k.look(k.polled[2].revents)
	} else if k.ended && k.streams[0].fd < 0 && k.streams[1].fd < 0 { // nobody reaps it
		k.process = -1
	}
}

// await polls all that there is.
//
//go:nosplit
func (k *keeper) await() bool {
	const moment, later, never = 200_000_000, 100_000_000, 10
	open, limit := false, timespec{}
	for i := range k.streams {
		s := &k.streams[i]
		k.polled[i] = pollfd{s.fd, pollIn, 0}
		open = open || s.fd >= 0
		if s.used > 0 {
			limit.nanoseconds = moment
		}
	}
	k.polled[2] = pollfd{k.process, pollIn, 0}
	if k.ended {
		k.polled[2].events = 0 // it is a zombie: that it is reaped comes without being asked for
		if !open {
			limit.seconds = never
		}
	}
	if k.shut {
		k.polled[0].fd, limit.nanoseconds, k.shut = -1, later, false
	}
	patience := uintptr(unsafe.Pointer(&limit))
	if limit.seconds == 0 && limit.nanoseconds == 0 {
		patience = 0
	}
	return !failed(syscall(sysPpoll, uintptr(unsafe.Pointer(&k.polled[0])), uintptr(len(k.polled)), patience, 0, 0))
}

// isOld tells whether a part of a line has waited for its rest long enough.
//
//go:nosplit
func (k *keeper) isOld(s *stream) bool {
	return (k.now.seconds-s.since.seconds)*1_000_000_000+k.now.nanoseconds-s.since.nanoseconds >= 190_000_000
}

// read takes what a stream says.
//
//go:nosplit
func (k *keeper) read(i int) {
	s := &k.streams[i]
	n := syscall(sysRead, uintptr(s.fd), uintptr(unsafe.Pointer(&s.buffer[s.used])), uintptr(len(s.buffer)-s.used), 0, 0)
	switch {
	case n == eINTR || n == eAGAIN:
	case n == 0 || failed(n):
		k.part(i)
		if k.terminal && n == eIO && !k.ended {
			k.shut = true
			return
		}
		closeFD(uintptr(s.fd))
		if s.fd = -1; k.streams[1-i].fd < 0 { // the log is complete, and its lock may tell so
			k.tellLost()
			closeFD(k.file)
		}
	default:
		if s.used == 0 {
			s.since = k.now
		}
		s.used += int(n)
		k.cut(i, s.used-int(n))
	}
}

// look learns how the process has ended, which the kernel tells once it is reaped
// (PIDFD_INFO_EXIT, Linux 6.15).
//
//go:nosplit
func (k *keeper) look(revents int16) {
	const getInfo, exited = 0xc058ff0b, 8
	info := struct {
		mask, cgroup uint64
		ids          [11]uint32
		code         int32
		rest         [6]uint32
	}{mask: exited}
	k.ended = true
	result := syscall(sysIoctl, uintptr(k.process), getInfo, uintptr(unsafe.Pointer(&info)), 0, 0)
	if result == 0 && info.mask&exited == 0 && revents&pollHup == 0 {
		return
	}
	if result == 0 && info.mask&exited != 0 {
		code := int(info.code) >> 8 & 0xff
		if signal := int(info.code) & 0x7f; signal != 0 {
			code = 128 + signal
		}
		end := put(putNumber(&k.note[0], code), "\n")
		syscall(sysWrite, logStatus, address(&k.note[0]), address(end)-address(&k.note[0]), 0, 0)
	}
	closeFD(uintptr(k.process))
	k.process = -1
}

// number reads decimal digits.
//
//go:nosplit
func number(digits text) (n int) {
	for ; *digits >= '0' && *digits <= '9'; digits = skip(digits, 1) {
		n = n*10 + int(*digits-'0')
	}
	return n
}
