package lifecycle

import (
	"strings"

	"golang.org/x/sys/unix"
)

// readFile reads a file of at most limit bytes.
func readFile(name string, limit int) ([]byte, error) { return readFileAt(unix.AT_FDCWD, name, limit) }

// readFileAt reads a file below the directory dir.
func readFileAt(dir int, name string, limit int) ([]byte, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return readAll(fd, limit)
}

func readAll(fd, limit int) ([]byte, error) {
	b := make([]byte, 0, 4096)
	for {
		n, err := unix.Read(fd, b[len(b):cap(b)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return b, nil
		}
		if b = b[:len(b)+n]; len(b) > limit {
			return nil, unix.EFBIG
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err != nil && err != unix.EINTR {
			return err
		}
		b = b[max(n, 0):]
	}
	return nil
}

// writeTo writes b to an existing file, such as one of procfs, with one write(2).
func writeTo(name string, b string) error {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(b))
	if e := unix.Close(fd); err == nil {
		err = e
	}
	return err
}

// replaceAt writes a file below dir in one piece: readers see the old one or
// the new one, never half of either.
func replaceAt(dir int, name string, mode uint32, b []byte) error {
	i := strings.LastIndexByte(name, '/') + 1
	hidden := name[:i] + "." + name[i:]
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC
	fd, err := unix.Openat(dir, hidden, flags, mode)
	if err == unix.EEXIST { // of a minirt that was killed, or a trap that somebody has put there
		unix.Unlinkat(dir, hidden, 0)
		fd, err = unix.Openat(dir, hidden, flags, mode)
	}
	if err != nil {
		return err
	}
	err = writeAll(fd, b)
	if e := unix.Close(fd); err == nil {
		err = e
	}
	if err == nil {
		err = unix.Renameat(dir, hidden, dir, name)
	}
	if err != nil {
		unix.Unlinkat(dir, hidden, 0)
	}
	return err
}
