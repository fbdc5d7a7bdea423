package netdev

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Socket is a route socket: it speaks to the network namespace that it was
// made in, whoever holds it.
type Socket struct {
	fd  int
	seq uint32
}

// Open makes a socket of the caller's own network namespace.
func Open() (*Socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	return &Socket{fd: fd}, nil
}

// Adopt takes a descriptor of a route socket, which Close closes.
func Adopt(fd int) *Socket { return &Socket{fd: fd} }

// Close may be called twice, and on nil.
func (s *Socket) Close() {
	if s != nil && s.fd >= 0 {
		unix.Close(s.fd)
		s.fd = -1
	}
}

// message is a request: its header, which ask completes, a structure, attributes.
type message []byte

func newMessage(kind, flags uint16, structure []byte) message {
	m := make(message, unix.SizeofNlMsghdr, 128)
	binary.NativeEndian.PutUint16(m[4:], kind)
	binary.NativeEndian.PutUint16(m[6:], flags|unix.NLM_F_REQUEST)
	return append(m, structure...)
}

// attribute appends a struct rtattr, padded to four bytes (rtnetlink(7)).
func (m message) attribute(kind uint16, value []byte) message {
	m = binary.NativeEndian.AppendUint16(m, uint16(unix.SizeofRtAttr+len(value)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = append(m, value...)
	for len(m)%unix.RTA_ALIGNTO != 0 {
		m = append(m, 0)
	}
	return m
}

func (m message) number(kind uint16, n int) message {
	return m.attribute(kind, binary.NativeEndian.AppendUint32(nil, uint32(n)))
}

func (m message) text(kind uint16, s string) message {
	return m.attribute(kind, append([]byte(s), 0))
}

// ask sends a request and gives its answers, up to the kernel's acknowledgement.
// It is sent without an address: the kernel then asks for the rights of who
// sends it, and not for those of who made the socket (netlink(7)).
func (s *Socket) ask(m message) (answers []syscall.NetlinkMessage, err error) {
	s.seq++
	binary.NativeEndian.PutUint32(m, uint32(len(m)))
	binary.NativeEndian.PutUint32(m[8:], s.seq)
	if _, err := unix.Write(s.fd, m); err != nil {
		return nil, err
	}
	b := make([]byte, 1<<16)
	for {
		n, from, err := unix.Recvfrom(s.fd, b, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if a, ok := from.(*unix.SockaddrNetlink); !ok || a.Pid != 0 { // somebody of that namespace, and not the kernel
			continue
		}
		messages, err := syscall.ParseNetlinkMessage(append([]byte(nil), b[:n]...))
		if err != nil {
			return nil, err
		}
		for _, a := range messages {
			switch {
			case a.Header.Seq != s.seq:
			case a.Header.Type == unix.NLMSG_DONE, a.Header.Type == unix.NLMSG_ERROR:
				return answers, result(a.Data)
			default:
				answers = append(answers, a)
			}
		}
	}
}

// result reads the negative errno of an acknowledgement.
func result(b []byte) error {
	if len(b) < 4 {
		return unix.EBADMSG
	}
	if n := -int32(binary.NativeEndian.Uint32(b)); n != 0 {
		return unix.Errno(n)
	}
	return nil
}

// dump asks for a whole table, again while it changes under the kernel's hand.
func (s *Socket) dump(kind uint16, structure []byte) ([]syscall.NetlinkMessage, error) {
	const tries = 10
	for range tries {
		answers, err := s.ask(newMessage(kind, unix.NLM_F_DUMP, structure))
		if err != nil || !interrupted(answers) {
			return answers, err
		}
	}
	return nil, unix.EAGAIN
}

func interrupted(answers []syscall.NetlinkMessage) bool {
	for _, a := range answers {
		if a.Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
			return true
		}
	}
	return false
}

// attributes are those behind a structure of that size, in their order. A
// message that is cut off gives those before the cut.
func attributes(b []byte, size int) (list []syscall.NetlinkRouteAttr) {
	for b = b[min(size, len(b)):]; len(b) >= unix.SizeofRtAttr; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			break
		}
		a := syscall.NetlinkRouteAttr{Value: b[unix.SizeofRtAttr:n]}
		a.Attr.Type = binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		list = append(list, a)
		b = b[min((n+unix.RTA_ALIGNTO-1)&^(unix.RTA_ALIGNTO-1), len(b)):]
	}
	return list
}
