// Package netdev moves network devices from one network namespace to another
// and back (config-linux.md, Network Devices; rtnetlink(7)).
//
// Its laws:
//   - It enters no namespace: the socket of the other one is made there by the
//     container's stage, and handed out.
//   - A device is known by its number on either side. The number on the other
//     side is chosen before the move (IFLA_NEW_IFINDEX, Linux 5.13): so
//     whatever has happened to its name, it is found, and can be brought back.
//   - The kernel keeps a device's link-layer address, MTU, alias and so on, and
//     drops its addresses, its routes and its master. The addresses that the
//     specification wants to have kept are told again on the other side; all of
//     it is where the device comes back to.
//
// No library: what minirt asks for is six kinds of messages, libraries enter a
// namespace to open its socket, and this is on the way of create.
package netdev

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Device is one that can be moved, and what is needed to bring it back.
type Device struct {
	Name      string   // here
	As        string   // there: a name, or a template with %d
	Index     int      // here
	There     int      // there
	MAC       string   // its link-layer address, in bytes
	Up        bool     // its state, here
	Master    int      // the bridge or bond that it belongs to, here; 0 for none
	Addresses [][]byte // the data of RTM_NEWADDR
	Routes    [][]byte // the data of RTM_NEWROUTE
}

// Exists tells whether the socket's namespace has a device of that name.
func (s *Socket) Exists(name string) error {
	_, err := s.byName(name)
	return err
}

// Find finds a device that is to be moved into the namespace of there, and
// checks that its name is free (ND-02). It changes nothing.
func Find(here, there *Socket, name, as string) (*Device, error) {
	l, err := here.byName(name)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(as, "%") {
		if err := there.Exists(as); err != unix.ENODEV {
			if err == nil {
				err = unix.EEXIST
			}
			return nil, err
		}
	}
	d := &Device{Name: name, As: as, Index: l.index, MAC: l.mac, Up: l.flags&unix.IFF_UP != 0, Master: l.master}
	if d.There, err = there.freeIndex(l.index); err != nil {
		return nil, err
	}
	if d.Addresses, err = here.addresses(l.index); err != nil {
		return nil, err
	}
	d.Routes, err = here.routes(l.index)
	return d, err
}

// Move moves the device into the network namespace of process pid, which is
// that of there, with its addresses (ND-04), and sets it up (ND-05). It may fail
// half way: Return knows how far it came.
func (d *Device) Move(here, there *Socket, pid int) error {
	template := strings.Contains(d.As, "%")
	as := d.As
	if template { // the kernel may fill a template twice when it comes with a move, and skip a number
		as = "minirt" + strconv.Itoa(d.There)
	}
	if err := here.send(d.Index, pid, d.There, as); err != nil {
		return err
	}
	if template {
		if err := there.rename(d.There, d.As); err != nil {
			return err
		}
	}
	return d.settle(there, d.There, d.Name)
}

// settle tells a device its public addresses again, and sets it up.
func (d *Device) settle(s *Socket, index int, old string) error {
	l, err := s.byIndex(index)
	if err != nil {
		return err
	}
	for _, a := range d.Addresses {
		if !isPublic(a) {
			continue
		}
		if err := s.address(a, index, old, l.name); err != nil {
			return err
		}
	}
	return s.up(index)
}

// Return brings a device back from the namespace of there, if it is in it, to
// that of process pid, which is that of here: with its old name, number,
// addresses, state, master and routes.
func (d *Device) Return(here, there *Socket, pid int) error {
	l, err := there.byIndex(d.There)
	if err == unix.ENODEV || err == nil && l.mac != d.MAC { // of a namespace that took the other's place
		return nil
	}
	if err != nil {
		return err
	}
	if err := there.send(d.There, pid, d.Index, d.Name); err != nil {
		return err
	}
	if d.Master != 0 {
		if err := here.enslave(d.Index, d.Master); err != nil {
			return err
		}
	}
	for _, a := range d.Addresses {
		if err := here.address(a, d.Index, d.Name, d.Name); err != nil {
			return err
		}
	}
	if !d.Up {
		return nil
	}
	if err := here.up(d.Index); err != nil {
		return err
	}
	for _, r := range d.Routes {
		if err := here.route(r); err != nil {
			return err
		}
	}
	return nil
}
