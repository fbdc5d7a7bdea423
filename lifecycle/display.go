package lifecycle

import (
	"time"

	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// Display is a terminal that a verb draws on, until it is closed, or until a
// signal or kill -9 ends minirt: on each of these ways the terminal is given back
// with what was on it before (screen.keep).
type Display struct {
	screen
	keys int // descriptor that keys are read from
	wake int // eventfd that counts signals
}

// The sequences of ANSI terminals that are used here (ECMA-48, and xterm's 1049
// for the alternate screen).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
)

// End is what Key gives for a signal that ends minirt, and for a terminal that has gone.
const End = -1

// OpenDisplay takes standard output, if it is a terminal; else it gives nil.
func (r *Runtime) OpenDisplay() (*Display, error) {
	const out, in = 1, 0
	if _, err := unix.IoctlGetTermios(out, unix.TCGETS); err != nil {
		return nil, nil
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, because("eventfd", err)
	}
	d := &Display{screen: screen{fd: out, leave: leaveScreen}, keys: out, wake: wake}
	if _, err := unix.IoctlGetTermios(in, unix.TCGETS); err == nil {
		d.keys = in
	}
	for _, s := range [...]unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM} {
		stage.Wake(s, wake)
	}
	d.seize(r.Root)
	d.Write(enterScreen)
	return d, nil
}

// Close gives the terminal back. Signals are counted on, and do nothing more.
func (d *Display) Close() { d.restore() }

// Write writes to the terminal. What it no longer takes is lost.
func (d *Display) Write(text string) { writeAll(d.fd, []byte(text)) }

// Size is the terminal's width and height in characters.
func (d *Display) Size() (width, height int) {
	if w, err := unix.IoctlGetWinsize(d.fd, unix.TIOCGWINSZ); err == nil && w.Col > 0 && w.Row > 0 {
		return int(w.Col), int(w.Row)
	}
	return 80, 24
}

// Key waits for that time for a key, which it gives, or End; 0 if there was none.
func (d *Display) Key(patience time.Duration) int {
	p := [...]unix.PollFd{{Fd: int32(d.wake), Events: unix.POLLIN}, {Fd: int32(d.keys), Events: unix.POLLIN}}
	t := unix.NsecToTimespec(int64(max(patience, 0)))
	if n, err := unix.Ppoll(p[:], &t, nil); n <= 0 || err != nil {
		return 0
	}
	b := make([]byte, 1)
	switch {
	case p[0].Revents != 0:
		return End
	case p[1].Revents == 0:
		return 0
	}
	if n, err := unix.Read(d.keys, b); n != 1 || err != nil && err != unix.EINTR {
		return End
	}
	return int(b[0])
}
