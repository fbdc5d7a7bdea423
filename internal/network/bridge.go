package network

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// alias marks a bridge as ours, and says whose leases are on it (ip link shows
// it). The kernel has 255 bytes for it.
func alias(store string) string {
	const most = 255
	text := "minirt " + store
	return text[:min(len(text), most)]
}

// owns tells whether a device is the bridge of these leases: finished, which its
// alias says, or half-made, when it has none and only our link-layer address.
func (s *store) owns(link netlink.Link) bool {
	a := link.Attrs()
	half := a.Alias == "" && s.subnet.IsValid() && bytes.Equal(a.HardwareAddr, mac(numbered(s.subnet, 1)))
	return link.Type() == "bridge" && (half || a.Alias == alias(s.path))
}

// findBridge finds the bridge, or makes it. One that somebody else has made is
// refused: minirt would have to trust its addresses, and to guess what may go.
func (u *upping) findBridge() error {
	link, err := u.LinkByName(u.Name)
	if err == nil && u.owns(link) && link.Attrs().Alias == "" { // half-made
		if err = u.LinkDel(link); err == nil {
			err = netlink.LinkNotFoundError{}
		}
	}
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		u.anew = true
		if err = u.newBridge(); err == nil {
			link, err = u.LinkByName(u.Name)
		}
	}
	if err != nil {
		return step(err, "bridge %q", u.Name)
	}
	if !u.owns(link) {
		if other, ours := strings.CutPrefix(link.Attrs().Alias, alias("")); ours {
			return fmt.Errorf("bridge %q: its leases are in %q, not in %q: name another bridge, or take the same state root", u.Name, other, u.path)
		}
		return fmt.Errorf("bridge %q: the host has a device of that name, a %s that is not minirt's: name another", u.Name, link.Type())
	}
	u.bridge = link.Attrs()
	return nil
}

// newBridge makes the bridge, with the first address of each subnet. It is known
// as half-made by its link-layer address until the last act has given it its alias.
func (u *upping) newBridge() (err error) {
	mtu, err := u.checkRoutes()
	if err != nil {
		return err
	}
	switch {
	case u.MTU != 0:
		mtu = u.MTU
	case mtu != 0 && u.Subnet6.IsValid():
		mtu = min(max(mtu, 1280), 65535) // what IPv6 takes (RFC 8200), and a bridge
	case mtu != 0:
		mtu = min(mtu, 65535)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.HardwareAddr = u.Name, mtu, mac(numbered(u.Subnet, 1))
	b := &netlink.Bridge{LinkAttrs: attrs}
	if err := u.LinkAdd(b); err != nil {
		return step(err, "make it")
	}
	if err := u.furnish(b); err != nil {
		return errors.Join(err, u.remove(u.Name))
	}
	return nil
}

func (u *upping) furnish(b *netlink.Bridge) error {
	if u.Subnet6.IsValid() { // a container may not tell the host its routes (CVE-2020-10749)
		if err := setSysctl("net/ipv6/conf/"+u.Name+"/accept_ra", "0"); err != nil {
			return err
		}
	}
	for _, subnet := range u.subnets() {
		if err := u.AddrAdd(b, address(subnet, 1)); err != nil {
			return step(err, "give it the address %s", address(subnet, 1).IPNet)
		}
	}
	if err := u.LinkSetUp(b); err != nil {
		return step(err, "set it up")
	}
	for _, one := range u.list { // somebody has removed the bridge from under them
		if !u.has(one.Device) {
			continue
		}
		if err := u.plug(one.Device, b.Index); err != nil {
			return err
		}
	}
	return step(u.LinkSetAlias(b, alias(u.path)), "mark it as minirt's")
}

// checkRoutes refuses subnets that the host reaches by other devices already,
// and gives the MTU of the device that the default route goes by.
func (u *upping) checkRoutes() (mtu int, err error) {
	var routes []netlink.Route
	for range 10 { // somebody may change them meanwhile
		routes, err = u.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if err != nil {
		return 0, step(err, "the host's routes")
	}
	for _, r := range routes {
		if r.Type != unix.RTN_UNICAST {
			continue
		}
		if isDefault(r.Dst) {
			if link, err := u.LinkByIndex(r.LinkIndex); err == nil && (mtu == 0 || link.Attrs().MTU < mtu) {
				mtu = link.Attrs().MTU
			}
			continue
		}
		for _, subnet := range u.subnets() {
			if overlaps(r.Dst, subnet) {
				by := "several devices"
				if link, err := u.LinkByIndex(r.LinkIndex); err == nil {
					by = fmt.Sprintf("%q", link.Attrs().Name)
				}
				return 0, fmt.Errorf("the subnet %s: the host reaches %s by %s: name another subnet", subnet, r.Dst, by)
			}
		}
	}
	return mtu, nil
}

func isDefault(n *net.IPNet) bool {
	if n == nil {
		return true
	}
	ones, _ := n.Mask.Size()
	return ones == 0
}

// overlaps tells whether two subnets have an address in common.
func overlaps(n *net.IPNet, p netip.Prefix) bool {
	a, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return ok && netip.PrefixFrom(a, ones).Overlaps(p)
}

// clear removes the bridge and its table, unless they are somebody else's.
func (h *host) clear(name string, s *store) error {
	link, err := h.LinkByName(name)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return removeTable(name)
	}
	if err != nil {
		return step(err, "bridge %q", name)
	}
	if !s.owns(link) {
		return nil
	}
	return errors.Join(removeTable(name), h.remove(name))
}
