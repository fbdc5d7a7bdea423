package early

import "unsafe"

const removeDir = 0x200 // AT_REMOVEDIR

// files are those of a container's directory (lifecycle, type dir).
const files = "gate\x00report\x00config.json\x00words\x00shortcut\x00.state.json\x00state.json\x00\x00"

// delete removes a container whose process is gone, and ends the program:
// lifecycle.Delete without its patience and its words.
//
//go:nosplit
func (l *line) delete() {
	d, ok := l.open(false)
	if !ok {
		return
	}
	if gone(d.next()) {
		d.next() // the freezer's file
		if d.removeCgroups() && l.remove(&d) {
			exit()
		}
	}
	d.close()
}

// gone tells whether no process that lives has the number. A zombie that has it
// is the container's, or has it after the container's.
//
//go:nosplit
func gone(number text) bool {
	pid := uintptr(0)
	for ; number != nil && *number >= '0' && *number <= '9'; number = skip(number, 1) {
		pid = pid*10 + uintptr(*number-'0')
	}
	fd := syscall(sysPidfdOpen, pid, 0, 0, 0, 0)
	if failed(fd) {
		return fd == eSRCH
	}
	var now timespec
	ended := poll(fd, 1, &now) // POLLIN
	closeFD(fd)
	return ended
}

// removeCgroups removes what the lines name: "=" a directory of the container's
// own, in which nobody may be left, "-" one above it, which may be others' by now.
// Another mark stands for what is Go's to remove.
//
//go:nosplit
func (d *directory) removeCgroups() bool {
	for path := d.next(); path != nil; path = d.next() {
		if *path != '=' && *path != '-' {
			return false
		}
		result := syscall(sysUnlinkat, atFDCWD, address(skip(path, 1)), removeDir, 0, 0)
		if *path == '=' && result != 0 && result != eNOENT {
			return false
		}
	}
	return true
}

// remove takes the directory away, as lifecycle's does: state.json last. Of a
// directory that somebody has removed, the name may be another's by now.
//
//go:nosplit
func (l *line) remove(d *directory) bool {
	if failed(syscall(sysFstat, d.fd, uintptr(unsafe.Pointer(&status)), 0, 0, 0)) || status.nlink == 0 {
		return false
	}
	for p := unsafe.StringData(files); *p != 0; p = skip(p, 1) {
		syscall(sysUnlinkat, d.fd, address(p), 0, 0, 0)
		for *p != 0 {
			p = skip(p, 1)
		}
	}
	result := syscall(sysUnlinkat, d.root, address(l.id), removeDir, 0, 0)
	return result == 0 || result == eNOENT
}
