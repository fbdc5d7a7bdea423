package lifecycle

import (
	"strconv"
	"syscall"

	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// outlets are what leads out of a process to who made it: the master of its
// terminal, which comes from the stage and goes to the caller's console socket
// or, in the foreground, stays here; and its pidfd, which goes to another socket.
type outlets struct {
	console  int       // the caller's console socket, connected; -1 if there is none
	agent    int       // connected to what answers a seccomp filter's calls; -1 if there is none, or it has what it gets
	listener int       // what it gets; -1 until it is taken from the stage
	pidfd    int       // a socket for the pidfd
	route    int       // a route socket of the container's network namespace; -1 unless the stage has sent it
	master   int       // of the terminal; -1 until the stage has sent it
	wanted   bool      // the process has a terminal
	sized    bool      // process.consoleSize tells how large it is (PR-02)
	logged   bool      // what the terminal shows goes to a log, and not to the caller's own
	ready    *notifier // hears from the container that it is ready; nil if nobody wants to know
}

// errNoSocket is a terminal that nobody would have.
const errNoSocket = text("cannot allocate tty if minirt will detach without setting console socket: process.terminal is true, so give --console-socket")

// openOutlets refuses combinations of terminal, detach and console socket that
// can't be, and connects to the sockets.
func openOutlets(p *specs.Process, console, pidfd string, detach bool) (o *outlets, err error) {
	o = &outlets{console: -1, agent: -1, listener: -1, pidfd: -1, route: -1, master: -1}
	if p != nil {
		o.wanted, o.sized = p.Terminal, p.ConsoleSize != nil
	}
	switch {
	case o.wanted && detach && console == "":
		return nil, errNoSocket
	case console != "" && !(o.wanted && detach):
		return nil, text("cannot use console socket if minirt will not detach or allocate tty: leave --console-socket out, or set process.terminal and detach")
	}
	if o.console, err = dial("console socket", console); err != nil {
		return nil, err
	}
	if o.pidfd, err = dial("pidfd socket", pidfd); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

// close gives up what is open.
func (o *outlets) close() {
	if o == nil {
		return
	}
	o.ready.close()
	for _, fd := range [...]*int{&o.console, &o.agent, &o.listener, &o.pidfd, &o.route, &o.master} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
		}
	}
}

// receive gives the stage's next record, 0 bytes at the end. A terminal's master
// that comes before it is adopted, and acknowledged.
func (o *outlets) receive(sync int, b []byte) (n int, err error) {
	if o.listener >= 0 {
		letPass(o.listener, sync)
	}
	for {
		n, fd := take(sync, b)
		if n == 1 && SyncKind(b[0]) == SyncDevices && o.route < 0 {
			o.route = fd
			return n, nil
		}
		if n != 1 || SyncKind(b[0]) != SyncTerminal {
			if fd >= 0 {
				unix.Close(fd)
			}
			return n, nil
		}
		if err := o.adopt(fd); err != nil {
			return 0, err
		}
		if _, err := unix.Write(sync, []byte{1}); err != nil && err != unix.EPIPE { // a stage that has gone has said why
			return 0, err
		}
	}
}

// adopt takes a descriptor for the terminal's master if it is one: of a devpts,
// since everything else could be of the image's making (SEC-19).
func (o *outlets) adopt(fd int) error {
	if fd < 0 || !o.wanted || o.master >= 0 {
		if fd >= 0 {
			unix.Close(fd)
		}
		return &pathError{"process.terminal", multiplexer, text("the stage sends another descriptor than the one that is due")}
	}
	o.master = fd
	if !isMaster(fd) {
		return &pathError{"process.terminal", "/" + multiplexer, text("not the multiplexer of a devpts: config.json must mount a devpts on /dev/pts")}
	}
	if o.console >= 0 {
		return nil
	}
	return o.prepare()
}

// isMaster tells whether a descriptor is the master of a terminal of a devpts.
func isMaster(fd int) bool {
	var st unix.Stat_t
	var fs unix.Statfs_t
	_, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	return err == nil && unix.Fstat(fd, &st) == nil && unix.Fstatfs(fd, &fs) == nil &&
		st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(5, 2) && fs.Type == unix.DEVPTS_SUPER_MAGIC
}

// prepare makes a terminal of the foreground as large as the caller's own,
// unless the config tells its size, and lets it pass newlines as they are.
func (o *outlets) prepare() error {
	t, err := unix.IoctlGetTermios(o.master, unix.TCGETS)
	if err == nil {
		t.Oflag &^= unix.ONLCR
		err = unix.IoctlSetTermios(o.master, unix.TCSETS, t)
	}
	if err == nil {
		err = unix.SetNonblock(o.master, true)
	}
	if err != nil {
		return because("the terminal's master", err)
	}
	if !o.sized && !o.logged {
		s := openScreen()
		s.size(o.master)
		s.close()
	}
	return nil
}

// handOver sends what the caller's sockets are to get.
func (o *outlets) handOver(pidfd int) error {
	if o.console >= 0 {
		n, err := unix.IoctlGetUint32(o.master, unix.TIOCGPTN)
		if err == nil {
			err = give(o.console, o.master, "/dev/pts/"+strconv.Itoa(int(n)))
		}
		if err != nil {
			return because("console socket", err)
		}
	}
	if o.pidfd >= 0 {
		if err := give(o.pidfd, pidfd, "pidfd"); err != nil {
			return because("pidfd socket", err)
		}
		unix.Close(o.pidfd) // nothing more comes
		o.pidfd = -1
	}
	return nil
}

// foreground tells that the process's terminal is the caller's to use.
func (o *outlets) foreground() bool { return o.master >= 0 && o.console < 0 }

// attend copies between the caller and the terminal of the foreground until
// the process, our child, has ended, and all that it wrote is out. Signals are
// passed on to it meanwhile. images is a directory for the guard's image, where
// memfds can't be run.
func (o *outlets) attend(pid, pidfd int, images string) syscall.WaitStatus {
	stage.Relay(pidfd, jobControl...)
	s := openScreen()
	defer s.close()
	s.seize(images)
	defer s.restore()
	p := &pump{screen: s, master: o.master, pidfd: pidfd, in: 0, out: 1, wake: wakeful(), ready: o.ready}
	defer p.close()
	if !o.sized {
		s.size(o.master)
	}
	return p.run(pid)
}
