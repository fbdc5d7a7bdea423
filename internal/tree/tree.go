// Package tree makes detached mount trees in the parent, for the mounts that a
// container's first process can't make itself: id-mapped ones, a tmpfs that
// begins with what it covers, binds of sources that the container's root can't
// reach, and device nodes for a user namespace.
//
// Its law: a tree is finished before anybody else can see it. All attributes
// are set while it hangs nowhere; the stage gets its descriptor and moves it to
// its place. Nothing is mounted in the host's namespace at any time, so a crash
// leaves nothing behind: the kernel frees a tree with its last descriptor.
package tree

import (
	"errors"
	"os"
	"strconv"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// IDs is what a container's user namespace maps, as far as it is known.
type IDs struct {
	UserNamespace bool
	UID, GID      []specs.LinuxIDMapping // the container's mappings
	File          string                 // path of the namespace: that of the spec, or /proc/PID/ns/user; "" to make one that maps the same
}

// Made is a tree for one of spec.mounts, or of the devices.
type Made struct {
	Index int // which one
	FD    int // the tree, close-on-exec
}

// Need lists the mounts whose trees the parent must make.
func Need(s *specs.Spec, f *rootfs.Facts, ids *IDs) (mounts []int) {
	for i := range s.Mounts {
		m := &s.Mounts[i]
		mapped, _ := rootfs.Idmap(m)
		switch {
		case mapped, rootfs.IsCopyUp(m):
			mounts = append(mounts, i)
		case ids.UserNamespace && rootfs.IsBind(m) && unix.Geteuid() == 0 && !Reachable(rootfs.Source(m, f.Bundle), ids):
			mounts = append(mounts, i)
		}
	}
	return mounts
}

// Make makes the tree of s.mounts[i]; covered is the directory that a tmpfs
// with tmpcopyup begins with, -1 if there is none.
func Make(s *specs.Spec, f *rootfs.Facts, ids *IDs, i, covered int) (Made, error) {
	m := &s.Mounts[i]
	fd, err := make1(m, f, ids, covered)
	if err != nil {
		return Made{}, rootfs.Fault{Path: "mounts[" + strconv.Itoa(i) + "]", Text: err.Error(), Err: err}
	}
	return Made{i, fd}, nil
}

func make1(m *specs.Mount, f *rootfs.Facts, ids *IDs, covered int) (int, error) {
	if rootfs.IsCopyUp(m) {
		return CopyUp(m, covered)
	}
	mapped, whole := rootfs.Idmap(m)
	namespace := -1
	if mapped {
		var err error
		if namespace, err = namespaceOf(m, ids, f.Bundle); err != nil {
			return -1, err
		}
		defer unix.Close(namespace)
	}
	return Bind(m, f.Bundle, namespace, whole)
}

// Bind clones a source's tree and sets its attributes and, unless namespace is
// -1, its mapping of ids, which is that of a user namespace (mount_setattr(2),
// Linux 5.12): of the top mount, or of the whole tree.
func Bind(m *specs.Mount, bundle string, namespace int, whole bool) (fd int, err error) {
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	if rootfs.IsTree(m) {
		flags |= unix.AT_RECURSIVE
	}
	fd, err = unix.OpenTree(unix.AT_FDCWD, rootfs.Source(m, bundle), flags)
	if err != nil {
		return -1, &callError{"open_tree " + strconv.Quote(m.Source) + ": " + err.Error(), err}
	}
	below, top := rootfs.Attributes(m)
	if err := errors.Join(set(fd, unix.AT_RECURSIVE, below), set(fd, 0, top)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	if namespace < 0 {
		return fd, nil
	}
	reach := uint(0)
	if whole {
		reach = unix.AT_RECURSIVE
	}
	a := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(namespace)}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|reach, &a); err != nil {
		unix.Close(fd)
		return -1, &callError{"id-mapped mount of " + strconv.Quote(m.Source) + ": " + err.Error() + idmapHint(err), err}
	}
	return fd, nil
}

// callError is a call's failure in words.
type callError struct {
	text string
	err  error
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.err }

func idmapHint(err error) string {
	switch err {
	case unix.EINVAL:
		return ": its file system can't be id-mapped, or is so already"
	case unix.EPERM:
		return ": it needs the rights of root where the file system was mounted"
	}
	return ""
}

func set(fd int, reach uint, a rootfs.Attr) error {
	if a.None() {
		return nil
	}
	attr := unix.MountAttr{Attr_set: a.Set, Attr_clr: a.Clear}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|reach, &attr); err != nil {
		return errors.New("mount_setattr: " + err.Error())
	}
	return nil
}

// namespaceOf opens the user namespace whose mapping a mount takes: its own, or
// the container's (MT-15).
func namespaceOf(m *specs.Mount, ids *IDs, dir string) (int, error) {
	if len(m.UIDMappings) > 0 {
		return UserNamespace(m.UIDMappings, m.GIDMappings, dir)
	}
	if ids.File == "" {
		return UserNamespace(ids.UID, ids.GID, dir)
	}
	fd, err := unix.Open(ids.File, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: ids.File, Err: err}
	}
	return fd, nil
}
