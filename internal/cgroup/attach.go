package cgroup

import "golang.org/x/sys/unix"

// attach puts a device program in force for a version 2 directory, in place of
// those that are there.
func attach(dir string, code []byte) error {
	fail := func(op string, err error) error { return &PathError{Op: op, Path: dir, Err: err} }
	fd, err := open(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return fail("open", err)
	}
	defer unix.Close(fd)
	prog, err := load(code)
	if err != nil {
		return fail("load the device program of", err)
	}
	defer unix.Close(prog)
	old, err := attached(fd)
	if err != nil {
		return fail("query the device programs of", err)
	}
	defer closeAll(old)

	// One is replaced in one step; of several, all count, so that the new one
	// can be added before the old ones go.
	a := bpfAttach{target: uint32(fd), program: uint32(prog), kind: unix.BPF_CGROUP_DEVICE, flags: unix.BPF_F_ALLOW_MULTI}
	if len(old) == 1 {
		a.flags, a.replaced = unix.BPF_F_ALLOW_MULTI|unix.BPF_F_REPLACE, uint32(old[0])
	}
	if _, err := bpf(unix.BPF_PROG_ATTACH, &a); err != nil {
		return fail("attach a device program to", err)
	}
	if len(old) < 2 {
		return nil
	}
	for _, p := range old {
		a := bpfAttach{target: uint32(fd), program: uint32(p), kind: unix.BPF_CGROUP_DEVICE}
		if _, err := bpf(unix.BPF_PROG_DETACH, &a); err != nil {
			return fail("detach a device program from", err)
		}
	}
	return nil
}

// attached opens the device programs that a directory has of its own.
func attached(dir int) (programs []int, err error) {
	ids, err := query(dir)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		p, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, &bpfID{id: id})
		if err == unix.ENOENT { // gone since
			continue
		}
		if err != nil {
			closeAll(programs)
			return nil, err
		}
		programs = append(programs, p)
	}
	return programs, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
