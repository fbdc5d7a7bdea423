package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An upping is an Up at work.
type upping struct {
	*host
	*store
	*Bridge
	ns     *Namespace
	state  *specs.State
	bridge *netlink.LinkAttrs
	anew   bool // what there was of the table may not be what the leases say
}

// steps are what there is to do, in order. Each may have been done before.
func (u *upping) steps() []func() error {
	return []func() error{
		u.again,
		u.sweep,
		u.take,
		u.forward,
		u.findBridge,
		u.connect,
		u.furnishInside,
		u.rules,
		u.admit,
		u.name,
	}
}

func (u *upping) all() error {
	for _, do := range u.steps() {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses what can't be the name of a device (netdevice(7)).
func (b *Bridge) checkName() error {
	if b.Name == "" || len(b.Name) >= unix.IFNAMSIZ || strings.ContainsAny(b.Name, "/: \t\n%") || b.Name == "." || b.Name == ".." {
		return fmt.Errorf("%q is no name of a device: 15 letters and digits at most", b.Name)
	}
	return nil
}

// check refuses what can't be a network.
func (b *Bridge) check() error {
	if err := b.checkName(); err != nil {
		return err
	}
	if !b.Subnet.Addr().Is4() || b.Subnet.Bits() > 30 || b.Subnet.Bits() < 8 {
		return fmt.Errorf("the subnet %s is none of IPv4 with room for containers, such as 10.177.80.0/22", b.Subnet)
	}
	if b.Subnet6.IsValid() && (!b.Subnet6.Addr().Is6() || b.Subnet6.Addr().Is4In6() || 128-b.Subnet6.Bits() < 32-b.Subnet.Bits()) {
		return fmt.Errorf("the subnet %s is none of IPv6 with as much room as %s has", b.Subnet6, b.Subnet)
	}
	if b.MTU != 0 && (b.MTU < 68 || b.MTU > 65535) { // RFC 791
		return fmt.Errorf("an MTU of %d bytes: 68 to 65535 are possible", b.MTU)
	}
	if b.Subnet6.IsValid() && b.MTU != 0 && b.MTU < 1280 { // RFC 8200
		return fmt.Errorf("an MTU of %d bytes: IPv6 takes 1280 at least", b.MTU)
	}
	for _, p := range b.Ports {
		if p.in6() && !p.in4() && !b.Subnet6.IsValid() {
			return fmt.Errorf("publish %s: the network has no subnet of IPv6", p)
		}
		if p.in6() && p.IP.IsLoopback() {
			return fmt.Errorf("publish %s: the kernel leads nothing from ::1 elsewhere: publish 127.0.0.1, or another address", p)
		}
	}
	return nil
}

// subnets are those of either family.
func (b *Bridge) subnets() []netip.Prefix {
	if !b.Subnet6.IsValid() {
		return []netip.Prefix{b.Subnet}
	}
	return []netip.Prefix{b.Subnet, b.Subnet6}
}

// again takes away what an earlier Up has left of this container; its number stays.
func (u *upping) again() error {
	one := u.find(u.state.ID)
	if one == nil {
		return nil
	}
	u.anew = true
	return u.remove(one.Device)
}

// sweep drops the leases of containers that are gone, and refuses another
// subnet than the bridge has.
func (u *upping) sweep() error {
	before := len(u.list)
	u.list = slices.DeleteFunc(u.list, func(one lease) bool { return one.ID != u.state.ID && !u.has(one.Device) })
	u.anew = u.anew || len(u.list) != before
	if len(u.list) == 0 {
		u.subnet, u.subnet6 = u.Subnet.Masked(), u.Subnet6.Masked()
	}
	if u.subnet != u.Subnet.Masked() || u.subnet6 != u.Subnet6.Masked() {
		return fmt.Errorf("bridge %q has the subnets %s, not %s: name another bridge, or the same subnets",
			u.Name, listed(u.subnet, u.subnet6), listed(u.Subnet, u.Subnet6))
	}
	return nil
}

func listed(subnet, subnet6 netip.Prefix) string {
	if !subnet6.IsValid() {
		return subnet.String()
	}
	return subnet.String() + " and " + subnet6.String()
}

// take takes a lease, and writes it down.
func (u *upping) take() error {
	if err := u.checkPorts(u.state.ID, u.Ports); err != nil {
		return err
	}
	one := u.find(u.state.ID)
	if one == nil {
		number, err := u.free()
		if err != nil {
			return err
		}
		u.list = append(u.list, lease{Number: number, ID: u.state.ID})
		one = &u.list[len(u.list)-1]
	}
	if err := checkListeners(u.Ports); err != nil {
		return err
	}
	process, err := processOf(u.state.Pid)
	if err != nil {
		return step(err, "process %d of the container", u.state.Pid)
	}
	name, err := device(u.state.ID, u.has)
	if err != nil {
		return step(err, "a name for the container's device")
	}
	one.process, one.Device, one.Ports = process, name, u.Ports
	return u.write()
}

// name writes down what the container is called.
func (u *upping) name() error {
	var addresses []netip.Addr
	for _, subnet := range u.subnets() {
		addresses = append(addresses, numbered(subnet, u.find(u.state.ID).Number))
	}
	return u.Write(u.state, addresses, "")
}
