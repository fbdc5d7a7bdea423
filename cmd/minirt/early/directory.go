package early

import "unsafe"

// directory is a container's, with the text of its shortcut.
type directory struct {
	root, fd uintptr
	rest     text // what of the shortcut has not been read yet
}

var (
	status   stat
	shortcut [4096]byte
)

const (
	atFDCWD   = ^uintptr(100 - 1)
	oWronly   = 0o1
	oCreat    = 0o100
	oNoctty   = 0o400
	oAppend   = 0o2000
	oNonblock = 0o4000
	oPath     = 0o10000000
	oCloexec  = 0o2000000
)

// open opens the log, as the verb would, and the container's directory, if it
// has a shortcut. The root is held to what lifecycle asks of it (SEC-33).
//
//go:nosplit
func (l *line) open(lock bool) (d directory, ok bool) {
	if l.log != nil {
		const flags = oWronly | oAppend | oCreat | oCloexec | oNoctty | oNonblock
		if fd := syscall(sysOpenat, atFDCWD, address(l.log), flags, 0o644, 0); failed(fd) {
			return d, false
		} else {
			closeFD(fd)
		}
	}
	d.root = syscall(sysOpenat, atFDCWD, address(l.root), oPath|oDirectory|oNofollow|oCloexec, 0, 0)
	if failed(d.root) {
		return d, false
	}
	if failed(syscall(sysFstat, d.root, uintptr(unsafe.Pointer(&status)), 0, 0, 0)) || status.uid != l.euid || status.mode&0o022 != 0 {
		closeFD(d.root)
		return d, false
	}
	d.fd = syscall(sysOpenat, d.root, address(l.id), oDirectory|oNofollow|oCloexec, 0, 0)
	if failed(d.fd) {
		closeFD(d.root)
		return d, false
	}
	if lock && failed(syscall(sysFlock, d.fd, 2, 0, 0, 0)) || !d.readShortcut() { // LOCK_EX
		d.close()
		return d, false
	}
	return d, true
}

//go:nosplit
func (d *directory) close() {
	closeFD(d.fd)
	closeFD(d.root)
}

// readShortcut reads the link. One that doesn't fit is none.
//
//go:nosplit
func (d *directory) readShortcut() bool {
	d.rest = &shortcut[0]
	n := syscall(sysReadlinkat, d.fd, name("shortcut\x00"), address(d.rest), uintptr(len(shortcut)), 0)
	return !failed(n) && n < uintptr(len(shortcut)) && n > 0
}

// next cuts the next line off the shortcut; it is nil behind the last.
//
//go:nosplit
func (d *directory) next() text {
	if *d.rest == 0 {
		return nil
	}
	begin := d.rest
	for *d.rest != '\n' && *d.rest != 0 {
		d.rest = skip(d.rest, 1)
	}
	if *d.rest == '\n' {
		*d.rest = 0
		d.rest = skip(d.rest, 1)
	}
	return begin
}

// open opens a file of the directory.
//
//go:nosplit
func (d *directory) open(file string, flags uintptr) uintptr {
	return syscall(sysOpenat, d.fd, name(file), flags|oNonblock|oCloexec, 0, 0)
}
