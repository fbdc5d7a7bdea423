// Package listener speaks with the kernel about the calls that a seccomp filter
// leaves to whoever holds its listener (seccomp_unotify(2)). It decides nothing.
package listener

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/internal/seccomp"
)

// A Notification is a call whose thread waits for an answer.
type Notification struct {
	ID     uint64
	Thread int // as the caller's pid namespace numbers it, 0 if it isn't there
	Call   seccomp.Call
}

// notif is struct seccomp_notif of linux/seccomp.h.
type notif struct {
	id           uint64
	pid, flags   uint32
	number, arch uint32
	instruction  uint64
	args         [6]uint64
}

// response is struct seccomp_notif_resp of linux/seccomp.h.
type response struct {
	id    uint64
	value int64
	errno int32 // negative
	flags uint32
}

// Receive takes the next call from the listener fd, and waits for it. ENOENT
// means that its thread has gone, or was interrupted, meanwhile.
func Receive(fd int) (n Notification, err error) {
	var c notif // the kernel wants zeros
	if err := control(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&c)); err != nil {
		return n, err
	}
	return Notification{c.id, int(c.pid), seccomp.Call{Number: c.number, Arch: c.arch, Args: c.args}}, nil
}

// Valid tells whether the thread still waits for the answer to the call: what
// was found out by its number before is then true of it, and not of another.
func Valid(fd int, id uint64) bool {
	return control(fd, unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id)) == nil
}

// Answer lets the call end with value, or with errno if that isn't 0. The thread
// may have gone: ENOENT.
func Answer(fd int, id uint64, value int64, errno unix.Errno) error {
	return control(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response{id: id, value: value, errno: -int32(errno)}))
}

// Continue lets the call be made. No check holds then: what its arguments point
// at may have changed.
func Continue(fd int, id uint64) error {
	return control(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&response{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}))
}

func control(fd int, request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}
