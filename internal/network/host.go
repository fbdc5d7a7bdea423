package network

import (
	"errors"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A host is the network namespace that this process is in.
type host struct {
	*netlink.Handle
	socket int // for what is asked by ioctl(2)
}

func openHost() (*host, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, step(err, "netlink socket")
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		handle.Close()
		return nil, step(err, "socket")
	}
	return &host{handle, socket}, nil
}

func (h *host) close() {
	h.Close()
	unix.Close(h.socket)
}

// has tells whether there is a device of that name (netdevice(7)): a
// microsecond, where a netlink message takes twenty.
func (h *host) has(name string) bool {
	r, err := unix.NewIfreq(name)
	return err == nil && unix.IoctlIfreq(h.socket, unix.SIOCGIFINDEX, r) == nil
}

// remove removes a device, if there is one of that name. One that leads into a
// namespace takes its other end with it.
func (h *host) remove(name string) error {
	if !h.has(name) {
		return nil
	}
	link, err := h.LinkByName(name)
	if err == nil {
		err = h.LinkDel(link)
	}
	if errors.Is(err, unix.ENODEV) || errors.As(err, new(netlink.LinkNotFoundError)) { // the kernel was faster
		return nil
	}
	return step(err, "remove the device %q", name)
}

// mac is the link-layer address of the device that has an address of IPv4: who
// gets an address that another had is found at once, whatever is remembered.
func mac(a netip.Addr) net.HardwareAddr {
	b := a.As4()
	return append(net.HardwareAddr{0x02, 0x6d}, b[:]...) // locally administered
}

// address is an address with the length of its subnet's prefix, as netlink
// takes it. One of IPv6 is usable at once: the leases see to it that nobody else
// has it.
func address(subnet netip.Prefix, number int) *netlink.Addr {
	a := &netlink.Addr{IPNet: &net.IPNet{IP: numbered(subnet, number).AsSlice(), Mask: net.CIDRMask(subnet.Bits(), subnet.Addr().BitLen())}}
	if subnet.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}
