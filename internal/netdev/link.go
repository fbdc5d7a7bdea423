package netdev

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"
)

// link is what is known of a device in its namespace.
type link struct {
	index  int
	flags  uint32 // IFF_… (netdevice(7))
	name   string
	mac    string
	master int // the bridge or bond that it belongs to; 0 for none
}

func linkHead(index int, flags, change uint32) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], change)
	return b
}

// byName finds a device; ENODEV where there is none.
func (s *Socket) byName(name string) (*link, error) {
	return s.link(newMessage(unix.RTM_GETLINK, 0, linkHead(0, 0, 0)).text(unix.IFLA_IFNAME, name))
}

// byIndex is byName by number.
func (s *Socket) byIndex(index int) (*link, error) {
	return s.link(newMessage(unix.RTM_GETLINK, 0, linkHead(index, 0, 0)))
}

// link sends a request that the kernel answers with one device. The
// acknowledgement is asked for, so that each request has an end.
func (s *Socket) link(m message) (*link, error) {
	binary.NativeEndian.PutUint16(m[6:], binary.NativeEndian.Uint16(m[6:])|unix.NLM_F_ACK)
	answers, err := s.ask(m)
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		if a.Header.Type == unix.RTM_NEWLINK && len(a.Data) >= unix.SizeofIfInfomsg {
			return readLink(a.Data), nil
		}
	}
	return nil, unix.ENODEV
}

func readLink(b []byte) *link {
	l := &link{index: int(binary.NativeEndian.Uint32(b[4:])), flags: binary.NativeEndian.Uint32(b[8:])}
	for _, a := range attributes(b, unix.SizeofIfInfomsg) {
		switch a.Attr.Type {
		case unix.IFLA_IFNAME:
			l.name = strings.TrimRight(string(a.Value), "\x00")
		case unix.IFLA_ADDRESS:
			l.mac = string(a.Value)
		case unix.IFLA_MASTER:
			l.master = int(binary.NativeEndian.Uint32(a.Value))
		}
	}
	return l
}

// change sends a request that only changes something.
func (s *Socket) change(m message) error {
	binary.NativeEndian.PutUint16(m[6:], binary.NativeEndian.Uint16(m[6:])|unix.NLM_F_ACK)
	_, err := s.ask(m)
	return err
}

// freeIndex is index, if no device has it, or else a number above all others.
func (s *Socket) freeIndex(index int) (int, error) {
	if _, err := s.byIndex(index); err == unix.ENODEV {
		return index, nil
	} else if err != nil {
		return 0, err
	}
	all, err := s.dump(unix.RTM_GETLINK, linkHead(0, 0, 0))
	for _, a := range all {
		if len(a.Data) >= unix.SizeofIfInfomsg {
			index = max(index, readLink(a.Data).index+1)
		}
	}
	return index, err
}

// send moves a device into the network namespace of a process, under a name and
// a number there. The kernel does the one after the other: where the name
// turns out to be taken, the device has been moved all the same.
func (s *Socket) send(index, pid, there int, name string) error {
	m := newMessage(unix.RTM_NEWLINK, 0, linkHead(index, 0, 0))
	return s.change(m.number(unix.IFLA_NET_NS_PID, pid).number(unix.IFLA_NEW_IFINDEX, there).text(unix.IFLA_IFNAME, name))
}

// rename gives a device another name, of which %d is a number that the kernel chooses.
func (s *Socket) rename(index int, name string) error {
	return s.change(newMessage(unix.RTM_NEWLINK, 0, linkHead(index, 0, 0)).text(unix.IFLA_IFNAME, name))
}

// up sets a device's state to up.
func (s *Socket) up(index int) error {
	return s.change(newMessage(unix.RTM_NEWLINK, 0, linkHead(index, unix.IFF_UP, unix.IFF_UP)))
}

// enslave puts a device into a bridge or bond.
func (s *Socket) enslave(index, master int) error {
	return s.change(newMessage(unix.RTM_NEWLINK, 0, linkHead(index, 0, 0)).number(unix.IFLA_MASTER, master))
}
