package lifecycle

import (
	"encoding/binary"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// SyncTerminal comes with the descriptor of a new terminal's master: prove
// that it is one.
const SyncTerminal SyncKind = 'c'

// multiplexer is the file of a devpts that makes a new terminal each time that
// it is opened (pts(4)).
const multiplexer = "dev/pts/ptmx"

// terminal gives the process a terminal of the container's own devpts (PR-01,
// DV-09). root is the descriptor of the container's root, and bind, where it
// isn't nil, puts the terminal on /dev/console. The other end is got from the
// master's descriptor and never by a name (SEC-19), once the parent has proven
// that this is a terminal's master of a devpts: a plan can't compare.
func (c *compiler) terminal(root any, bind func(pty plan.Register)) {
	p := c.spec.Process
	if p == nil || !p.Terminal {
		return
	}
	const (
		readWrite = unix.O_RDWR | unix.O_NOCTTY | unix.O_CLOEXEC
		resolve   = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS
	)
	c.At("process.terminal")
	c.Syncs = append(c.Syncs, SyncTerminal)
	message, master := c.carrier(SyncTerminal)
	pty := c.register("pty")
	c.Do(plan.Openat2, root, multiplexer, c.How(readWrite, 0, resolve), plan.HowSize).To(master)
	c.Do(plan.Sendmsg, c.host.Files.Sync, message, unix.MSG_NOSIGNAL)
	c.Do(plan.Read, c.host.Files.Sync, c.byteIn, 1).Set(plan.ZeroFails)
	c.Do(plan.Ioctl, master, unix.TIOCSPTLCK, c.Words(0))
	c.Do(plan.Ioctl, master, unix.TIOCGPTPEER, readWrite).To(pty)
	c.Do(plan.Close, master)
	if size := p.ConsoleSize; size != nil {
		c.At("process.consoleSize")
		winsize := binary.LittleEndian.AppendUint16(nil, uint16(size.Height))
		winsize = binary.LittleEndian.AppendUint16(winsize, uint16(size.Width))
		c.Do(plan.Ioctl, pty, unix.TIOCSWINSZ, c.Bytes(append(winsize, make([]byte, 4)...)))
		c.At("process.terminal")
	}
	// The group is the devpts's own option's. The descriptors that the caller
	// gave are never given away (SEC-26). On a devpts of the host's an id may be
	// unmapped, and the terminal is used without being owned.
	c.Do(plan.Fchown, pty, int(p.User.UID), -1).Tolerate(unix.EPERM)
	if bind != nil {
		bind(pty)
	}
	for fd := range 3 {
		c.Do(plan.Dup3, pty, fd, 0)
	}
	c.Do(plan.Close, pty)
}

// control makes the terminal the one that controls the process's session. The
// process leads it: a session dies with the process that leads it.
func (c *compiler) control() {
	if p := c.spec.Process; p != nil && p.Terminal {
		c.At("process.terminal")
		c.Do(plan.Ioctl, 0, unix.TIOCSCTTY, 0)
	}
}

// carrier puts into the plan a message of one byte, struct msghdr and all that
// it points to, and gives the register of the descriptor that it will carry.
func (c *compiler) carrier(kind SyncKind) (message plan.Cell, fd plan.Register) {
	const header, rights, iovec, control = 56, 16 + 4, 16, 24
	le := binary.LittleEndian
	rest := le.AppendUint64(make([]byte, 0, control), rights)
	rest = le.AppendUint32(rest, unix.SOL_SOCKET)
	rest = le.AppendUint32(rest, unix.SCM_RIGHTS)
	cmsg := c.Buffer("message.control", append(rest, make([]byte, control-len(rest))...))
	vector := c.Buffer("message.iov", le.AppendUint64(make([]byte, 8, iovec), 1))
	c.Point(vector, 0, c.String(string(rune(kind))))
	b := make([]byte, header)
	le.PutUint64(b[24:], 1) // msg_iovlen
	le.PutUint64(b[40:], control)
	message = c.Buffer("message", b)
	c.Point(message, 16, vector)
	c.Point(message, 32, cmsg)
	return message, c.Within(cmsg, 16, "message.fd")
}
