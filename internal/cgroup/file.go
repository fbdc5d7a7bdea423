package cgroup

import (
	"golang.org/x/sys/unix"
)

// open is open(2), close-on-exec, tried again when a signal came in between.
func open(path string, flags int) (int, error) {
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// read gives the content of a file that the kernel writes in one piece, as are
// those of cgroups but for lists of processes: what doesn't fill the buffer is all.
func read(path string) ([]byte, error) {
	return readUntil(path, 1024, func(n, room int) bool { return n < room })
}

// readList gives the content of any file.
func readList(path string) ([]byte, error) {
	return readUntil(path, 4096, func(n, _ int) bool { return n == 0 })
}

func readUntil(path string, size int, last func(n, room int) bool) ([]byte, error) {
	fd, err := open(path, unix.O_RDONLY)
	if err != nil {
		return nil, &PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	buf := make([]byte, 0, size)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, cap(buf))...)[:len(buf)]
		}
		room := cap(buf) - len(buf)
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &PathError{Op: "read", Path: path, Err: err}
		}
		if buf = buf[:len(buf)+n]; last(n, room) {
			return buf, nil
		}
	}
}

// write gives a kernel file one value in one write(2).
func write(path, value string) error {
	fd, err := open(path, unix.O_WRONLY)
	if err != nil {
		return &PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if err := put(fd, value); err != nil {
		return &PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// put is one write(2). The empty value is a newline: zero bytes would never
// reach the kernel's parser.
func put(fd int, value string) error {
	if value == "" {
		value = "\n"
	}
	for {
		_, err := unix.Write(fd, []byte(value))
		if err != unix.EINTR {
			return err
		}
	}
}

// line cuts the first line off b.
func line(b []byte) (first, rest []byte) {
	for i, c := range b {
		if c == '\n' {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// field cuts the first word, ended by sep, off b.
func field(b []byte, sep byte) (first, rest []byte) {
	for i, c := range b {
		if c == sep {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}
