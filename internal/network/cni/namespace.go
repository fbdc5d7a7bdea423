package cni

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A namespace is the network namespace of a container, held by a descriptor.
type namespace struct{ *os.File }

// openNamespace opens a network namespace that isn't the host's own: plugins
// would take the host's devices for the container's.
func openNamespace(path string) (*namespace, error) {
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, bare(err)
	}
	if err := checkNamespace(int(f.Fd())); err != nil {
		f.Close()
		return nil, err
	}
	return &namespace{f}, nil
}

func checkNamespace(fd int) error {
	kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE)
	if err != nil || kind != unix.CLONE_NEWNET {
		return errors.New("not a network namespace")
	}
	var st, own unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if err := unix.Stat("/proc/thread-self/ns/net", &own); err != nil {
		return err
	}
	if st.Dev == own.Dev && st.Ino == own.Ino {
		return errors.New("it is the host's own: add {\"type\": \"network\"} to linux.namespaces, or take this hook out")
	}
	return nil
}

// keep mounts a namespace on a file beside the record, as ip-netns(8) does, so
// that it lives until letGo.
func (r *records) keep(id string, ns *namespace) (path string, err error) {
	path = r.file(id, ".netns")
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", bare(err)
	}
	defer f.Close()
	tree, err := unix.OpenTree(int(ns.Fd()), "", unix.AT_EMPTY_PATH|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return "", err
	}
	defer unix.Close(tree)
	return path, unix.MoveMount(tree, "", int(f.Fd()), "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

// kept is the path of a container's namespace; "" if it isn't kept, which CNI
// allows for DEL.
func (r *records) kept(id string) string {
	path := r.file(id, ".netns")
	f, err := openNamespace(path)
	if err != nil {
		return ""
	}
	f.Close()
	return path
}

// letGo undoes keep.
func (r *records) letGo(id string) error {
	path := r.file(id, ".netns")
	err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil && err != unix.EINVAL && err != unix.ENOENT { // EINVAL: nothing is mounted there
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, unix.ENOENT) {
		return bare(err)
	}
	return nil
}
