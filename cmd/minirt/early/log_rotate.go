package early

import "unsafe"

// rotate begins a new file: of the log web.log, web.log.1 is the one before, and
// so on. The new one is there before any other moves; where it can't be made, the
// old one grows.
//
//go:nosplit
func (k *keeper) rotate() {
	if failed(syscall(sysFstat, k.file, uintptr(unsafe.Pointer(&status)), 0, 0, 0)) {
		return
	}
	if k.size > size(&status) { // somebody has cut it
		k.size = size(&status)
		return
	}
	k.size = 0
	fresh := k.create()
	if failed(fresh) {
		return
	}
	for i := k.files - 1; i >= 1; i-- {
		k.rename(k.numbered(&k.names[0], i-1), k.numbered(&k.names[1], i))
	}
	if k.rename(k.fresh(), k.numbered(&k.names[1], 0)) {
		closeFD(k.file)
		k.file = fresh
		return
	}
	syscall(sysUnlinkat, logDir, k.fresh(), 0, 0, 0)
	closeFD(fresh)
}

// create makes the new file under another name, with the owner and the
// permissions of the old one, whose status is known, and locks it as lifecycle
// has locked the first.
//
//go:nosplit
func (k *keeper) create() (fd uintptr) {
	const exclusive, lock, dontWait = 0o200, 2, 4
	const flags = oWronly | oAppend | oCreat | exclusive | oNofollow | oCloexec | oNoctty
	fd = syscall(sysOpenat, logDir, k.fresh(), flags, 0o600, 0)
	if failed(fd) { // of a writer that was killed
		syscall(sysUnlinkat, logDir, k.fresh(), 0, 0, 0)
		fd = syscall(sysOpenat, logDir, k.fresh(), flags, 0o600, 0)
	}
	if !failed(fd) {
		syscall(sysFchown, fd, uintptr(status.uid), uintptr(status.gid), 0, 0)
		syscall(sysFchmod, fd, uintptr(status.mode&0o777), 0, 0, 0)
		syscall(sysFlock, fd, lock|dontWait, 0, 0, 0)
	}
	return fd
}

//go:nosplit
func (k *keeper) rename(from, to uintptr) bool {
	return !failed(syscall(sysRenameat, logDir, from, logDir, to, 0))
}

// numbered is the name of the file that is i files old.
//
//go:nosplit
func (k *keeper) numbered(b *fileName, i int) uintptr {
	p := &b[0]
	for from := &k.hidden[1]; *from != 0; from = skip(from, 1) {
		*p = *from
		p = skip(p, 1)
	}
	if i > 0 {
		p = putNumber(put(p, "."), i)
	}
	*p = 0
	return address(&b[0])
}

// fresh is the name of the new file, until it takes the log's.
//
//go:nosplit
func (k *keeper) fresh() uintptr { return address(&k.hidden[0]) }
