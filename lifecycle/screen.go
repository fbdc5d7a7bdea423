package lifecycle

import (
	"encoding/binary"
	"runtime"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// screen is the caller's own terminal, while a process of the foreground has
// the use of it. Nothing that is done to it needs there to be one: without it
// all is copied as it comes.
type screen struct {
	fd    int // -1 if there is none
	own   bool
	modes *unix.Termios // what they were, once they are changed
	raw   unix.Termios  // and what they are then
	leave string        // is written before the screen is given back; "" for nothing
	guard stage.Process
}

// jobControl are the signals of a shell's jobs: ^Z, and the use of a terminal
// from the background. They stop minirt, and "fg" lets it go on; the container,
// which is in a session of its own, goes on all the while.
var jobControl = []unix.Signal{unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU}

// openScreen finds the caller's terminal: the first of descriptors 2, 1 and 0
// that is one, else the one that controls the caller's session.
func openScreen() *screen {
	for _, fd := range [...]int{2, 1, 0} {
		if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
			return &screen{fd: fd}
		}
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		fd = -1
	}
	return &screen{fd: fd, own: fd >= 0}
}

func (s *screen) close() {
	if s.own {
		unix.Close(s.fd)
	}
}

// size gives a terminal the screen's size.
func (s *screen) size(terminal int) {
	w, err := unix.IoctlGetWinsize(s.fd, unix.TIOCGWINSZ)
	if err == nil && w.Row != 0 && w.Col != 0 {
		unix.IoctlSetWinsize(terminal, unix.TIOCSWINSZ, w)
	}
}

// seize makes every key go to the process as it is: also those that would end
// or stop the caller. What is printed is still processed: the process's own
// terminal leaves newlines to the screen.
func (s *screen) seize(images string) {
	modes, err := unix.IoctlGetTermios(s.fd, unix.TCGETS)
	if err != nil {
		return
	}
	raw := *modes
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	s.modes = modes
	s.raw = raw
	s.keep(images)
	s.again()
}

// again makes the changes once more: who has had the screen while we were stopped
// (jobControl) may have taken them back.
func (s *screen) again() {
	if s.modes != nil {
		unix.IoctlSetTermios(s.fd, unix.TCSETS, &s.raw)
	}
}

// restore gives the screen back as it was. What is typed meanwhile stays.
func (s *screen) restore() {
	if s.modes == nil {
		return
	}
	writeAll(s.fd, []byte(s.leave))
	unix.IoctlSetTermios(s.fd, unix.TCSETS, s.modes)
	if s.guard.PID > 0 {
		unix.PidfdSendSignal(s.guard.PIDFD, unix.SIGKILL, nil, 0)
		wait(s.guard.PID)
		unix.Close(s.guard.PIDFD)
	}
	s.modes = nil
}

// keep starts a guard: a stage of a few steps that waits for our end and gives
// the screen back, since after kill -9 nobody else would. Without it, we go on.
func (s *screen) keep(images string) {
	us, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		return
	}
	defer unix.Close(us)
	fd, err := seal(guardPlan(s.modes, s.leave), images)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	s.guard, _ = stage.Start(fd, []string{"minirt", "guard"}, []uintptr{uintptr(s.fd), uintptr(us)}, 0, -1)
}

// guardPlan is what the guard does, with the screen as descriptor 0 and a pidfd
// of ours as descriptor 1. In a session of its own no key reaches it, and it may
// change the modes of a terminal that another group has in the foreground.
func guardPlan(modes *unix.Termios, leave string) *plan.Plan {
	arch, _ := plan.ArchOf(runtime.GOARCH)
	p := plan.New(arch, 1)
	p.At("terminal of the foreground")
	p.Do(plan.Setsid)
	p.Do(plan.Ppoll, p.Buffer("poll", pollFDs(1)), 1, nil, nil, 8)
	if leave != "" {
		p.Do(plan.Write, 0, leave, len(leave))
	}
	p.Do(plan.Ioctl, 0, unix.TCSETS, p.Bytes(termios(modes)))
	p.Do(plan.ExitGroup, 0)
	return p
}

// termios is struct termios as the kernel has it: without the two speeds.
func termios(t *unix.Termios) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(make([]byte, 0, 36), t.Iflag)
	b = le.AppendUint32(b, t.Oflag)
	b = le.AppendUint32(b, t.Cflag)
	b = le.AppendUint32(b, t.Lflag)
	return append(append(b, t.Line), t.Cc[:]...)
}
