package listener

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The numbers of the ioctls hold the sizes that the kernel expects (_IOWR).
func TestTheStructsAreAsLargeAsTheKernelsOwn(t *testing.T) {
	t.Parallel()
	size := func(request uintptr) uintptr { return request >> 16 & (1<<14 - 1) }
	if got, want := unsafe.Sizeof(notif{}), size(unix.SECCOMP_IOCTL_NOTIF_RECV); got != want {
		t.Errorf("struct seccomp_notif has %d bytes, not %d", want, got)
	}
	if got, want := unsafe.Sizeof(response{}), size(unix.SECCOMP_IOCTL_NOTIF_SEND); got != want {
		t.Errorf("struct seccomp_notif_resp has %d bytes, not %d", want, got)
	}
}

func TestWhatIsNoListenerIsAnError(t *testing.T) {
	t.Parallel()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	if _, err := Receive(p[0]); err != unix.ENOTTY {
		t.Errorf("Receive: %v", err)
	}
	if Valid(p[0], 0) {
		t.Error("a pipe has a call that waits")
	}
	if err := Answer(p[0], 0, 0, unix.EPERM); err != unix.ENOTTY {
		t.Errorf("Answer: %v", err)
	}
	if err := Continue(p[0], 0); err != unix.ENOTTY {
		t.Errorf("Continue: %v", err)
	}
}
