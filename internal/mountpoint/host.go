package mountpoint

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// Holder finds the mount point that holds a directory (rootfs.Facts.Holder).
func Holder(root string) (string, error) {
	path, err := realpath(root)
	for err == nil {
		var st unix.Statx_t
		if err = unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_TYPE, &st); err != nil {
			break
		}
		if st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0 || path == "/" { // Linux 5.8
			return path, nil
		}
		if path = path[:strings.LastIndexByte(path, '/')]; path == "" {
			path = "/"
		}
	}
	return "", errors.New("the mount point that holds " + strconv.Quote(root) + ": " + err.Error())
}

// realpath gives a directory's path without links.
func realpath(dir string) (string, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	return os.Readlink(magic(fd))
}

// magic is the path of an open descriptor in procfs.
func magic(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// Full lists where the host's procfs and sysfs are mounted as a whole, but for
// those below root (rootfs.Facts.Full).
func Full(root string) ([]string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return full(string(b), root), nil
}

// full reads mountinfo (proc_pid_mountinfo(5)), the last mount first.
func full(mountinfo, root string) (paths []string) {
	for line := range strings.SplitSeq(mountinfo, "\n") {
		before, after, ok := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if !ok || len(fields) < 5 || fields[3] != "/" {
			continue
		}
		kind, _, _ := strings.Cut(after, " ")
		path := kernel.Unescape(fields[4])
		if kind != "proc" && kind != "sysfs" || strings.HasPrefix(path, root+"/") {
			continue
		}
		paths = append([]string{path}, paths...)
	}
	return paths
}
