package bundles

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxConfig bounds config.json: 16 MiB is hundreds of times the largest that engines write.
const maxConfig = 16 << 20

// readConfig reads config.json in the directory dirfd. O_NONBLOCK keeps the
// open of a FIFO from waiting for a writer, and fstat tells what was opened.
func readConfig(dirfd int) ([]byte, error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(dirfd, "config.json", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		if err == unix.ENXIO { // a socket, or a device that isn't there
			return nil, errors.New("not a regular file")
		}
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, errors.New("not a regular file")
	}
	return readAll(fd, st.Size)
}

// readAll reads fd to its end. The size is only a hint: the file may grow while
// it is read, and files of procfs say 0.
func readAll(fd int, size int64) ([]byte, error) {
	if size > maxConfig {
		return nil, tooLarge()
	}
	buf := make([]byte, 0, max(size, 511)+1) // one byte more, so that a single read can see the end
	for {
		n, err := retry(func() (int, error) { return unix.Read(fd, buf[len(buf):cap(buf)]) })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return buf, nil
		}
		buf = buf[:len(buf)+n]
		if len(buf) > maxConfig {
			return nil, tooLarge()
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

func tooLarge() error {
	return errors.New("larger than " + strconv.Itoa(maxConfig>>20) + " MiB")
}

// retry makes a system call again while a signal interrupts it: Go's own
// preemption signals do, on file systems that can be interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}
