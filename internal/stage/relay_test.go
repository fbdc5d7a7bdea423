package stage

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWakeCountsSignals(t *testing.T) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	Wake(unix.SIGWINCH, fd)
	for range 3 {
		if err := unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGWINCH); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 5000); err != nil && err != unix.EINTR {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if _, err := unix.Read(fd, b); err != nil {
		t.Fatal("nothing was counted: ", err)
	}
	if n := binary.LittleEndian.Uint64(b); n < 1 || n > 3 {
		t.Errorf("3 signals counted as %d", n)
	}
}
