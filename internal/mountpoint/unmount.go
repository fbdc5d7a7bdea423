package mountpoint

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Before notes what lies on places in the root before a container without a
// mount namespace mounts on them (rootfs.Unmounts): one string each, "ID PATH",
// ID being the id of the mount that the place is on now, or will be on once it
// is made: that of the nearest directory that exists.
func Before(root string, places []string) ([]string, error) {
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var lines []string
	for _, path := range places {
		id, _, err := mountAt(fd, path)
		for above := path; err == unix.ENOENT && above != ""; {
			above = above[:max(strings.LastIndexByte(above, '/'), 0)]
			id, _, err = mountAt(fd, above)
		}
		if err == nil {
			lines = append(lines, strconv.FormatUint(id, 10)+" "+path)
		}
	}
	return lines, nil
}

// Unmount unmounts what has been mounted on places since Before. The places
// are resolved inside the root; what was mounted there before stays.
func Unmount(root string, before []string) error {
	if len(before) == 0 {
		return nil
	}
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var errs []error
	for _, line := range before {
		id, path, _ := strings.Cut(line, " ")
		was, err := strconv.ParseUint(id, 10, 64)
		if err == nil {
			err = unmount(fd, path, was)
		}
		if err != nil {
			errs = append(errs, errors.New("unmount "+strconv.Quote(path)+" in the root file system: "+err.Error()))
		}
	}
	return errors.Join(errs...)
}

// unmount takes mounts off a place until the one that was there shows.
func unmount(root int, path string, was uint64) error {
	for {
		id, top, err := mountAt(root, path)
		if err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP {
			return nil
		}
		if err != nil || id == was || !top {
			return err
		}
		fd, err := inside(root, path)
		if err != nil {
			return err
		}
		err = unix.Unmount(magic(fd), unix.MNT_DETACH)
		unix.Close(fd)
		if err != nil {
			return err
		}
	}
}

// mountAt gives the id of the mount that a place is on, and whether it is its root.
func mountAt(root int, path string) (id uint64, top bool, err error) {
	fd, err := inside(root, path)
	if err != nil {
		return 0, false, err
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil { // Linux 5.8
		return 0, false, err
	}
	return st.Mnt_id, st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}

// inside opens a path inside the root. The kernel answers EAGAIN if something
// was renamed or mounted anywhere while it followed a link with ".." (openat2(2)).
func inside(root int, path string) (fd int, err error) {
	if path == "" {
		path = "."
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for range 128 {
		if fd, err = unix.Openat2(root, path, &how); err != unix.EAGAIN {
			break
		}
	}
	return fd, err
}
