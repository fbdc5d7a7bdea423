package network

import (
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// inside is the name of the container's device.
const inside = "eth0"

// connect makes a pair of devices: one is a port of the bridge, the other is
// born in the container's namespace with its name and link-layer address.
func (u *upping) connect() error {
	one := u.find(u.state.ID)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.Flags = one.Device, u.bridge.MTU, net.FlagUp
	v := netlink.NewVeth(attrs)
	v.PeerName, v.PeerNamespace, v.PeerHardwareAddr = inside, netlink.NsFd(u.ns.fd), mac(numbered(u.Subnet, one.Number))
	if err := u.LinkAdd(v); err != nil {
		return step(err, "make the devices %q and, in the container, %q", one.Device, inside)
	}
	if err := u.plug(one.Device, u.bridge.Index); err != nil {
		return err
	}
	if len(one.Ports) > 0 { // with br_netfilter, what it sends to a port of its own goes out where it came in
		if err := u.LinkSetHairpin(v, true); err != nil {
			return step(err, "let %q send back", one.Device)
		}
	}
	return step(u.LinkSetAlias(v, u.state.ID), "note the container at %q", one.Device)
}

// plug puts a container's device into the bridge.
func (h *host) plug(device string, bridge int) error {
	link := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Name: device}}
	return step(h.LinkSetMasterByIndex(link, bridge), "put %q into the bridge", device)
}

// furnishInside gives the container's devices their addresses and routes.
func (u *upping) furnishInside() error {
	h, err := netlink.NewHandleAt(netns.NsHandle(u.ns.fd), unix.NETLINK_ROUTE)
	if err != nil {
		return step(err, "netlink socket in the container's network namespace")
	}
	defer h.Close()
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1}} // of every network namespace
	if err := h.LinkSetUp(lo); err != nil {
		return step(err, "set lo up")
	}
	eth, err := h.LinkByName(inside)
	if err != nil {
		return step(err, "find %s", inside)
	}
	number := u.find(u.state.ID).Number
	for _, subnet := range u.subnets() {
		a := address(subnet, number)
		if err := h.AddrAdd(eth, a); err != nil {
			return step(err, "give %s the address %q", inside, a.IPNet)
		}
	}
	if err := h.LinkSetUp(eth); err != nil {
		return step(err, "set %s up", inside)
	}
	for _, subnet := range u.subnets() {
		gateway := numbered(subnet, 1)
		if err := h.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Gw: gateway.AsSlice()}); err != nil {
			return step(err, "make the default route by %s", gateway)
		}
	}
	return nil
}
