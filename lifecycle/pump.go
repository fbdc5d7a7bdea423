package lifecycle

import (
	"syscall"

	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// pump copies between the caller and the terminal of a process in the
// foreground. The terminal's master never blocks: a program that doesn't read
// what is typed would else keep back what it says.
type pump struct {
	screen *screen
	master int
	pidfd  int    // of the process
	in     int    // what is typed; -1 at its end
	out    int    // where to print; -1 if nobody reads it
	wake   int    // eventfd that counts changes of the screen's size, and of the one who has it
	held   []byte // typed, and not taken by the terminal yet
	last   byte   // of what was typed; 0 before all
	ready  *notifier
	shut   bool // nobody has the terminal's other end open
	typed  [4096]byte
	said   [16384]byte
}

// wakeful gives an eventfd that counts each SIGWINCH and SIGCONT, which never go to the process.
func wakeful() int {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		stage.Wake(unix.SIGWINCH, fd)
		stage.Wake(unix.SIGCONT, fd)
	}
	return fd
}

func (p *pump) close() {
	stage.Wake(unix.SIGWINCH, -1) // before another file gets its number
	unix.Close(p.wake)
}

// run copies until the process has ended. Others whose parent we became are reaped.
func (p *pump) run(pid int) (ws syscall.WaitStatus) {
	for {
		p.turn()
		for {
			ended, err := syscall.Wait4(-1, &ws, syscall.WNOHANG, nil)
			if ended == pid || err != nil && err != syscall.EINTR {
				p.drain()
				return ws
			}
			if ended == 0 {
				break
			}
		}
	}
}

// turn waits until there is something to do, and does it.
func (p *pump) turn() {
	const typing, terminal, resizing, hearing = 0, 1, 2, 4
	f := [...]unix.PollFd{
		{Fd: int32(p.in), Events: unix.POLLIN}, {Fd: int32(p.master), Events: unix.POLLIN},
		{Fd: int32(p.wake), Events: unix.POLLIN}, {Fd: int32(p.pidfd), Events: unix.POLLIN},
		{Fd: -1, Events: unix.POLLIN},
	}
	if p.ready != nil {
		f[hearing].Fd = int32(p.ready.socket)
	}
	timeout := -1
	if len(p.held) > 0 {
		f[typing].Fd, f[terminal].Events = -1, unix.POLLIN|unix.POLLOUT
	}
	if p.shut { // poll(2) would not wait: we look again a little later, as the process may open it again
		f[terminal].Fd, timeout = -1, 50
	}
	n, err := unix.Poll(f[:], timeout)
	p.shut = false
	if n <= 0 || err != nil {
		return
	}
	if f[resizing].Revents != 0 {
		unix.Read(p.wake, p.said[:8])
		p.screen.again()
		p.screen.size(p.master)
	}
	if f[hearing].Revents != 0 {
		p.ready.hear(unix.Getpid())
	}
	if f[typing].Revents != 0 {
		p.listen()
	}
	if r := f[terminal].Revents; r&unix.POLLIN != 0 {
		p.print()
	} else if r&unix.POLLHUP != 0 {
		p.shut, p.held = true, nil
	}
	p.feed()
}

// listen reads what is typed.
func (p *pump) listen() {
	n, err := unix.Read(p.in, p.typed[:])
	switch {
	case n > 0:
		p.held, p.last = p.typed[:n], p.typed[n-1]
	case err != unix.EINTR && err != unix.EAGAIN:
		p.in, p.held = -1, p.ending()
	}
}

// ending is what stands for the end of what is typed: the terminal's own key for
// it, which ends a line that has begun, and the input only at the beginning of one
// (termios(3), VEOF, ICANON).
func (p *pump) ending() []byte {
	t, err := unix.IoctlGetTermios(p.master, unix.TCGETS)
	if err != nil || t.Cc[unix.VEOF] == 0 {
		return nil
	}
	keys := append(p.typed[:0], t.Cc[unix.VEOF])
	if t.Lflag&unix.ICANON != 0 && p.last != 0 && p.last != '\n' {
		keys = append(keys, keys[0])
	}
	return keys
}

// feed gives the terminal what was typed.
func (p *pump) feed() {
	if len(p.held) == 0 {
		return
	}
	n, err := unix.Write(p.master, p.held)
	if err != nil && err != unix.EINTR && err != unix.EAGAIN {
		n = len(p.held) // nobody is there to read it
	}
	p.held = p.held[max(n, 0):]
}

// print copies what the terminal says; n is 0 if it says nothing.
func (p *pump) print() (n int) {
	n, err := unix.Read(p.master, p.said[:])
	for err == unix.EINTR {
		n, err = unix.Read(p.master, p.said[:])
	}
	if err != nil {
		return 0
	}
	for b := p.said[:n]; len(b) > 0 && p.out >= 0; {
		k, err := unix.Write(p.out, b)
		switch err {
		case nil:
			b = b[k:]
		case unix.EINTR:
		case unix.EAGAIN:
			unix.Poll([]unix.PollFd{{Fd: int32(p.out), Events: unix.POLLOUT}}, -1)
		default:
			p.out = -1 // what follows is read all the same: the process must not wait for us
		}
	}
	return n
}

// drain prints what the process has left in the terminal. More than a terminal
// holds comes from others who live on, and isn't waited for.
func (p *pump) drain() {
	const most = 128 << 10
	for sum := 0; sum < most; {
		n := p.print()
		if n == 0 {
			return
		}
		sum += n
	}
}
