package tree

import (
	"errors"
	"strconv"
	"strings"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// CopyUp makes a tmpfs with a mount's options that holds what the directory
// covered holds (O_PATH; -1: nothing): files, directories, links and nodes, with
// their owners, permissions, times and extended attributes. What covered leads
// to is walked beneath descriptors, and no link is followed.
func CopyUp(m *specs.Mount, covered int) (fd int, err error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, errors.New("fsopen tmpfs: " + err.Error())
	}
	defer unix.Close(fs)
	data := rootfs.FileSystemData(m)
	if err := configure(fs, m, data); err != nil {
		return -1, err
	}
	fd, err = unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return -1, errors.New("fsmount tmpfs: " + err.Error())
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
			fd = -1
		}
	}()
	if covered >= 0 {
		c := copier{buffer: make([]byte, 1<<16)}
		if err := c.directory(covered, fd, !strings.Contains(","+data, ",mode=")); err != nil {
			return fd, errors.New("tmpcopyup: " + err.Error())
		}
	}
	_, top := rootfs.Attributes(m)
	return fd, set(fd, 0, top) // read-only only now that it is full
}

// configure hands a tmpfs its source and data, one fsconfig(2) each.
func configure(fs int, m *specs.Mount, data string) error {
	source := m.Source
	if source == "" {
		source = "tmpfs"
	}
	if err := unix.FsconfigSetString(fs, "source", source); err != nil {
		return errors.New("fsconfig source " + strconv.Quote(source) + ": " + err.Error())
	}
	for o := range strings.SplitSeq(data, ",") {
		var err error
		key, value, valued := strings.Cut(o, "=")
		switch {
		case o == "":
		case valued:
			err = unix.FsconfigSetString(fs, key, value)
		default:
			err = unix.FsconfigSetFlag(fs, key)
		}
		if err != nil {
			return errors.New("option " + strconv.Quote(o) + ": " + err.Error())
		}
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return errors.New("fsconfig create: " + err.Error())
	}
	return nil
}

type copier struct{ buffer []byte }

// directory fills the directory to, a descriptor, from the directory from, O_PATH.
func (c *copier) directory(from, to int, permissions bool) error {
	dir, err := unix.Openat(from, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	names, err := entries(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.entry(dir, to, name); err != nil {
			return errors.New(strconv.Quote(name) + ": " + err.Error())
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return err
	}
	attributes(dir, to)
	if err := unix.Fchownat(to, ".", int(st.Uid), int(st.Gid), 0); err != nil {
		return err
	}
	if permissions {
		if err := unix.Fchmodat(to, ".", st.Mode&0o7777, 0); err != nil {
			return err
		}
	}
	return times(to, ".", &st)
}

func (c *copier) entry(from, to int, name string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(from, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return c.subdirectory(from, to, name)
	case unix.S_IFREG:
		return c.file(from, to, name)
	case unix.S_IFLNK:
		b := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(from, name, b)
		if err != nil {
			return err
		}
		if err := unix.Symlinkat(string(b[:n]), to, name); err != nil {
			return err
		}
		return c.finish(to, name, &st)
	case unix.S_IFSOCK:
		return nil // nobody listens in the copy
	}
	if err := unix.Mknodat(to, name, st.Mode&unix.S_IFMT|0o600, int(st.Rdev)); err != nil {
		return err
	}
	return c.finish(to, name, &st)
}

func (c *copier) subdirectory(from, to int, name string) error {
	source, err := unix.Openat(from, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	if err := unix.Mkdirat(to, name, 0o700); err != nil {
		return err
	}
	copied, err := unix.Openat(to, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(copied)
	return c.directory(source, copied, true)
}

func (c *copier) file(from, to int, name string) error {
	source, err := unix.Openat(from, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	var st unix.Stat_t
	if err := unix.Fstat(source, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return errors.New("was a file a moment ago")
	}
	copied, err := unix.Openat(to, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(copied)
	for {
		n, err := unix.Read(source, c.buffer)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		for b := c.buffer[:n]; len(b) > 0; {
			w, err := unix.Write(copied, b)
			if err != nil && err != unix.EINTR {
				return err // ENOSPC: the option size is too small
			}
			b = b[max(w, 0):]
		}
	}
	if err := c.finish(to, name, &st); err != nil {
		return err
	}
	attributes(source, copied) // after the chown, which takes file capabilities away
	return times(to, name, &st)
}

// finish gives a copy its owner, permissions and times.
func (c *copier) finish(to int, name string, st *unix.Stat_t) error {
	if err := unix.Fchownat(to, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFLNK { // in a tree that nobody else has: nothing can become a link
		if err := unix.Fchmodat(to, name, st.Mode&0o7777, 0); err != nil {
			return err
		}
	}
	return times(to, name, st)
}

func times(to int, name string, st *unix.Stat_t) error {
	return unix.UtimesNanoAt(to, name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// attributes copies extended attributes, such as file capabilities, as far as
// the tmpfs takes them.
func attributes(from, to int) {
	size, err := unix.Flistxattr(from, nil)
	if err != nil || size == 0 {
		return
	}
	list := make([]byte, size)
	if size, err = unix.Flistxattr(from, list); err != nil {
		return
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list[:size]), "\x00"), "\x00") {
		n, err := unix.Fgetxattr(from, name, nil)
		if err != nil {
			continue
		}
		value := make([]byte, n)
		if n, err = unix.Fgetxattr(from, name, value); err == nil {
			_ = unix.Fsetxattr(to, name, value[:n], 0) // user.* on an older tmpfs: EOPNOTSUPP
		}
	}
}

// entries lists a directory's names.
func entries(dir int) (names []string, err error) {
	b := make([]byte, 8192)
	for {
		n, err := unix.ReadDirent(dir, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(b[:n], -1, names)
	}
}
