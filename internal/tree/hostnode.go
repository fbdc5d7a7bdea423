package tree

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// HostNode clones the mount of one node of the host's, which must have that
// type (unix.S_IFCHR or S_IFBLK) and number.
func HostNode(path string, kind uint32, number uint64) (fd int, err error) {
	fd, err = unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && (st.Mode&unix.S_IFMT != kind || uint64(st.Rdev) != number) {
		err = errors.New(strconv.Quote(path) + " has become another device")
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
