package cgroup

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The parts of the kernel's union bpf_attr that we need, each with a zeroed
// tail that makes it larger than any kernel's so far: BPF_PROG_QUERY of Linux
// 6.17 to 7.1 writes behind a shorter one (SEC-57). Kernels take a longer one
// if what they don't know is zero. Pointers are pointers here, not numbers, so
// that what they point at is kept, and followed when the stack moves.
type (
	bpfTail [32]uint64

	bpfLoad struct { // BPF_PROG_LOAD
		kind, count   uint32
		code, license unsafe.Pointer
		_             bpfTail
	}
	bpfAttach struct { // BPF_PROG_ATTACH, BPF_PROG_DETACH
		target, program, kind, flags, replaced uint32
		_                                      bpfTail
	}
	bpfQuery struct { // BPF_PROG_QUERY
		target, kind, flags, attachFlags uint32
		ids                              unsafe.Pointer
		count                            uint32
		_                                bpfTail
	}
	bpfID struct { // BPF_PROG_GET_FD_BY_ID
		id uint32
		_  bpfTail
	}
)

// bpf is bpf(2).
func bpf[T bpfLoad | bpfAttach | bpfQuery | bpfID](command uintptr, a *T) (int, error) {
	for {
		r, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(unsafe.Pointer(a)), unsafe.Sizeof(*a))
		switch errno {
		case 0:
			return int(r), nil
		case unix.EINTR, unix.EAGAIN: // a signal interrupted the verifier
		default:
			return -1, errno
		}
	}
}

// load gives a device program to the kernel.
func load(code []byte) (fd int, err error) {
	license := []byte("Apache-2.0\x00")
	return bpf(unix.BPF_PROG_LOAD, &bpfLoad{
		kind: unix.BPF_PROG_TYPE_CGROUP_DEVICE, count: uint32(len(code) / 8),
		code: unsafe.Pointer(unsafe.SliceData(code)), license: unsafe.Pointer(unsafe.SliceData(license)),
	})
}

// query gives the ids of the device programs that a directory has of its own.
func query(dir int) ([]uint32, error) {
	var ids [64]uint32 // the kernel's BPF_CGROUP_MAX_PROGS
	a := bpfQuery{target: uint32(dir), kind: unix.BPF_CGROUP_DEVICE, ids: unsafe.Pointer(&ids), count: uint32(len(ids))}
	if _, err := bpf(unix.BPF_PROG_QUERY, &a); err != nil {
		return nil, err
	}
	return ids[:min(int(a.count), len(ids))], nil
}
