package netdev

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// What the kernel drops when a device changes its namespace is kept as it was
// told, and told back: whatever family it is of, and whatever else it says.

// addresses are a device's, as the structures and attributes of RTM_NEWADDR, in
// the order in which they can be told again: of IPv6 the kernel lists the last
// first. Those of IPv6 that aren't permanent come of routers, and will again.
func (s *Socket) addresses(index int) (kept [][]byte, err error) {
	all, err := s.dump(unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg))
	for _, a := range all {
		switch {
		case a.Header.Type != unix.RTM_NEWADDR || len(a.Data) < unix.SizeofIfAddrmsg || int(binary.NativeEndian.Uint32(a.Data[4:])) != index:
		case a.Data[0] != unix.AF_INET6:
			kept = append(kept, a.Data)
		case isPermanent(a.Data):
			kept = append([][]byte{a.Data}, kept...)
		}
	}
	return kept, err
}

// isPublic tells whether an address is one that a device keeps wherever it goes:
// permanent and of global scope (RFC 3549 section 2.3.3.2).
func isPublic(kept []byte) bool { return kept[3] == unix.RT_SCOPE_UNIVERSE && isPermanent(kept) }

func isPermanent(kept []byte) bool {
	flags := uint32(kept[2]) // the low ones; all of them where the attribute is
	for _, f := range attributes(kept, unix.SizeofIfAddrmsg) {
		if f.Attr.Type == unix.IFA_FLAGS && len(f.Value) == 4 {
			flags = binary.NativeEndian.Uint32(f.Value)
		}
	}
	return flags&unix.IFA_F_PERMANENT != 0
}

// address gives a device an address that another, of that old name, had. The
// label of one of IPv4 begins with its device's name.
func (s *Socket) address(kept []byte, index int, old, name string) error {
	head := append([]byte(nil), kept[:unix.SizeofIfAddrmsg]...)
	binary.NativeEndian.PutUint32(head[4:], uint32(index))
	m := newMessage(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, head)
	for _, a := range attributes(kept, unix.SizeofIfAddrmsg) {
		if a.Attr.Type != unix.IFA_LABEL {
			m = m.attribute(a.Attr.Type, a.Value)
		} else if l := relabel(string(a.Value), old, name); l != "" {
			m = m.text(unix.IFA_LABEL, l)
		}
	}
	return s.change(m)
}

// relabel is label with another device's name; "" where it would get too long.
func relabel(label, old, name string) string {
	for len(label) > 0 && label[len(label)-1] == 0 {
		label = label[:len(label)-1]
	}
	if len(label) < len(old) || label[:len(old)] != old {
		return ""
	}
	if label = name + label[len(old):]; len(label) >= unix.IFNAMSIZ {
		return ""
	}
	return label
}

// routes are those by a device that somebody has set, as the structures and
// attributes of RTM_NEWROUTE: those without a gateway first, since a gateway is
// reached by them. Those that follow from an address come back with it.
func (s *Socket) routes(index int) (kept [][]byte, err error) {
	all, err := s.dump(unix.RTM_GETROUTE, make([]byte, unix.SizeofRtMsg))
	var gateways [][]byte
	for _, a := range all {
		if a.Header.Type != unix.RTM_NEWROUTE || len(a.Data) < unix.SizeofRtMsg {
			continue
		}
		by, gateway := 0, false
		for _, r := range attributes(a.Data, unix.SizeofRtMsg) {
			switch r.Attr.Type {
			case unix.RTA_OIF:
				by = int(binary.NativeEndian.Uint32(r.Value))
			case unix.RTA_GATEWAY, unix.RTA_VIA:
				gateway = true
			}
		}
		table, protocol, flags := a.Data[4], a.Data[5], binary.NativeEndian.Uint32(a.Data[8:])
		switch {
		case by != index, table == unix.RT_TABLE_LOCAL, protocol == unix.RTPROT_KERNEL, protocol == unix.RTPROT_RA, flags&unix.RTM_F_CLONED != 0:
		case gateway:
			gateways = append(gateways, a.Data)
		default:
			kept = append(kept, a.Data)
		}
	}
	return append(kept, gateways...), err
}

// route sets a route again.
func (s *Socket) route(kept []byte) error {
	head := append([]byte(nil), kept[:unix.SizeofRtMsg]...)
	binary.NativeEndian.PutUint32(head[8:], binary.NativeEndian.Uint32(head[8:])&unix.RTNH_F_ONLINK) // the others are the kernel's to tell
	m := newMessage(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, head)
	for _, a := range attributes(kept, unix.SizeofRtMsg) {
		if a.Attr.Type != unix.RTA_CACHEINFO {
			m = m.attribute(a.Attr.Type, a.Value)
		}
	}
	if err := s.change(m); err != unix.EEXIST {
		return err
	}
	return nil
}
