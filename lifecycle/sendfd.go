package lifecycle

import (
	"encoding/binary"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// sendFD appends the step that sends a descriptor and some words over a unix
// socket (unix(7), SCM_RIGHTS). The message is laid out here; only the
// descriptor's number is not known before the stage runs.
func sendFD(p *plan.Plan, socket any, fd plan.Register, words string) {
	const (
		headerSize  = 56 // struct msghdr
		iovAt       = 16
		controlAt   = 32
		rights      = 20 // CMSG_LEN(4)
		rightsSpace = 24 // CMSG_SPACE(4)
	)
	le := binary.LittleEndian
	iov := p.Buffer("iov", le.AppendUint64(make([]byte, 8, 16), uint64(len(words))))
	p.Point(iov, 0, p.String(words))
	control := le.AppendUint64(make([]byte, 0, rightsSpace), rights)
	control = le.AppendUint32(control, unix.SOL_SOCKET)
	control = le.AppendUint32(control, unix.SCM_RIGHTS)
	message := p.Buffer("rights", append(control, make([]byte, 8)...))

	header := make([]byte, headerSize)
	le.PutUint64(header[iovAt+8:], 1)
	le.PutUint64(header[controlAt+8:], rightsSpace)
	h := p.Buffer("message", header)
	p.Point(h, iovAt, iov)
	p.Point(h, controlAt, message)
	p.Do(plan.Test, fd).To(p.Within(message, 16, "rights.fd"))
	p.Do(plan.Sendmsg, socket, h, 0)
}

// receiveFD receives one descriptor, close-on-exec, with at most len(words) bytes of words.
func receiveFD(socket int, words []byte) (n, fd int, err error) {
	control := make([]byte, unix.CmsgSpace(4))
	n, c, _, _, err := unix.Recvmsg(socket, words, control, unix.MSG_CMSG_CLOEXEC)
	if err != nil || c == 0 {
		return max(n, 0), -1, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:c])
	if err != nil || len(messages) == 0 {
		return n, -1, err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return n, -1, err
	}
	return n, fds[0], nil
}
