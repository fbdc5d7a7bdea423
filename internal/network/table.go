package network

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// The nftables table of a bridge is made of the leases, whole, in one
// transaction. A container that comes or goes only adds or removes its elements of
// the maps; if it can't, because somebody has flushed or changed the table, it is
// made anew. What is connected already stays connected then: the kernel translates
// by what it remembers. No other table is looked at or touched.
//
//	table inet minirt-minirt0 {
//		map ports4 { proto . port : address . port }
//		map addressed4 { address . proto . port : address . port }
//		map ports6, addressed6 likewise
//
//		chain guard { type filter hook prerouting priority raw
//			iifname minirt0 ip daddr 127.0.0.0/8 drop }
//		chain forward { type filter hook forward priority filter
//			oifname minirt0 iifname minirt0 accept
//			oifname minirt0 ct state established,related accept
//			oifname minirt0 ct status dnat accept
//			oifname minirt0 drop }
//		chain published {
//			dnat ip to ip daddr . meta l4proto . th dport map @addressed4
//			dnat ip to meta l4proto . th dport map @ports4 … }
//		chain incoming { type nat hook prerouting priority dstnat
//			fib daddr type local jump published }
//		chain own { type nat hook output priority dstnat
//			ip6 daddr ::1 accept
//			fib daddr type local jump published }
//		chain outgoing { type nat hook postrouting priority srcnat
//			oifname minirt0 ip saddr 127.0.0.0/8 masquerade
//			oifname minirt0 ip saddr SUBNET ct status dnat masquerade
//			oifname != minirt0 ip saddr SUBNET masquerade … }
//	}
//
// guard keeps containers off what listens on the host's loopback device
// (CVE-2020-8558). forward lets in what was published and what answers, and
// nothing else: not a neighbour of the host's that sends to a container's address
// by way of the host. own leaves ::1 alone: the kernel takes no answer for it from
// another device, and for IPv6 has nothing like route_localnet. So a program that
// tries localhost by IPv6 is refused at once, and goes on to 127.0.0.1.
type table struct {
	*nftables.Conn
	*nftables.Table
	bridge string
}

// newTable begins a transaction.
func newTable(bridge string) (*table, error) {
	const most = 16 << 20 // 65535 ports of both families
	c, err := nftables.New(nftables.WithSockOptions(func(c *netlink.Conn) error { return c.SetWriteBuffer(most) }))
	return &table{c, &nftables.Table{Name: "minirt-" + bridge, Family: nftables.TableFamilyINet}, bridge}, err
}

// removeTable removes the table of a bridge, if there is one.
func removeTable(bridge string) error {
	t, err := newTable(bridge)
	if err == nil {
		t.AddTable(t.Table) // or, without one, it couldn't be removed
		t.DelTable(t.Table)
		err = t.Flush()
	}
	if errors.Is(err, unix.EPROTONOSUPPORT) { // a kernel without nftables
		return nil
	}
	return step(err, "remove the nftables table %q", "minirt-"+bridge)
}

// applyTable makes the table of a bridge what the leases say, whatever it was.
// The kernel takes 8 ms for one that is there.
func applyTable(bridge string, l *leases) error {
	t, err := newTable(bridge)
	if err == nil {
		t.AddTable(t.Table)
		t.DelTable(t.Table)
		err = t.fill(l)
	}
	if err == nil {
		err = t.Flush()
	}
	return step(err, "nftables table %q", "minirt-"+bridge)
}

// reviseTable adds what one container has published to a table that is there, or
// removes it. Where that fails, the whole table is made what the leases say.
func reviseTable(bridge string, l *leases, one *lease, edit func(*nftables.Conn, *nftables.Set, []nftables.SetElement) error) error {
	t, err := newTable(bridge)
	if err == nil {
		err = t.revise(l, one, edit)
	}
	if err != nil {
		return applyTable(bridge, l)
	}
	return nil
}

func (t *table) revise(l *leases, one *lease, edit func(*nftables.Conn, *nftables.Set, []nftables.SetElement) error) error {
	if len(one.Ports) == 0 {
		_, err := t.ListTableOfFamily(t.Name, t.Family)
		return err
	}
	for _, f := range families() {
		ports, addressed := t.maps(f)
		all, some := f.elements(l, one)
		err := errors.Join(
			inParts(all, func(part []nftables.SetElement) error { return edit(t.Conn, ports, part) }),
			inParts(some, func(part []nftables.SetElement) error { return edit(t.Conn, addressed, part) }))
		if err != nil {
			return err
		}
	}
	return t.Flush()
}

// rules makes the table what the leases say.
func (u *upping) rules() (err error) {
	if u.anew {
		err = applyTable(u.Name, &u.leases)
	} else {
		err = reviseTable(u.Name, &u.leases, u.find(u.state.ID), (*nftables.Conn).SetAddElements)
	}
	flows(u.Ports).forget()
	return err
}

func (t *table) fill(l *leases) error {
	t.AddTable(t.Table)
	t.guard()
	t.forward()
	published := t.AddChain(&nftables.Chain{Name: "published", Table: t.Table})
	outgoing := t.hook("outgoing", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, nftables.ChainPriorityNATSource)
	for _, f := range families() {
		if !f.subnet(l).IsValid() {
			continue
		}
		if err := t.publish(published, f, l); err != nil {
			return err
		}
		t.masquerade(outgoing, f, f.subnet(l))
	}
	jump := []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: published.Name}}
	t.rule(t.hook("incoming", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, nftables.ChainPriorityNATDest), toHost(), jump)
	own := t.hook("own", nftables.ChainTypeNAT, nftables.ChainHookOutput, nftables.ChainPriorityNATDest)
	six := family6()
	t.rule(own, six.in(six.destination, six.loopback), accept())
	t.rule(own, toHost(), jump)
	return nil
}

func (t *table) hook(name string, kind nftables.ChainType, at *nftables.ChainHook, priority *nftables.ChainPriority) *nftables.Chain {
	return t.AddChain(&nftables.Chain{Name: name, Table: t.Table, Type: kind, Hooknum: at, Priority: priority})
}

// rule adds a rule of several parts.
func (t *table) rule(c *nftables.Chain, parts ...[]expr.Any) {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	t.AddRule(&nftables.Rule{Table: t.Table, Chain: c, Exprs: all})
}

func (t *table) guard() {
	c := t.hook("guard", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw)
	f := family4()
	t.rule(c, from(t.bridge), f.in(f.destination, f.loopback), drop())
}

func (t *table) forward() {
	c := t.hook("forward", nftables.ChainTypeFilter, nftables.ChainHookForward, nftables.ChainPriorityFilter)
	t.rule(c, to(t.bridge), from(t.bridge), accept())
	t.rule(c, to(t.bridge), anyOf(expr.CtKeySTATE, expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED), accept())
	t.rule(c, to(t.bridge), translated(), accept())
	t.rule(c, to(t.bridge), drop())
}

// maps are those of a family: of ports that are published at every address, and
// of those at one.
func (t *table) maps(f *family) (ports, addressed *nftables.Set) {
	target := nftables.MustConcatSetType(f.kind, nftables.TypeInetService)
	ports = &nftables.Set{Table: t.Table, Name: "ports" + f.name, IsMap: true, Concatenation: true, DataType: target,
		KeyType: nftables.MustConcatSetType(nftables.TypeInetProto, nftables.TypeInetService)}
	addressed = &nftables.Set{Table: t.Table, Name: "addressed" + f.name, IsMap: true, Concatenation: true, DataType: target,
		KeyType: nftables.MustConcatSetType(f.kind, nftables.TypeInetProto, nftables.TypeInetService)}
	return ports, addressed
}

// elements are those of a container in the maps of the family.
func (f *family) elements(l *leases, one *lease) (all, some []nftables.SetElement) {
	if !f.subnet(l).IsValid() {
		return nil, nil
	}
	to := numbered(f.subnet(l), one.Number)
	for _, p := range one.Ports {
		switch {
		case !f.has(p):
		case p.anywhere():
			all = append(all, elements(p, nil, to)...)
		default:
			some = append(some, elements(p, p.IP.AsSlice(), to)...)
		}
	}
	return all, some
}

// publish makes the maps of a family, and the rules that look ports up in them.
func (t *table) publish(c *nftables.Chain, f *family, l *leases) error {
	ports, addressed := t.maps(f)
	var all, some []nftables.SetElement
	for i := range l.list {
		a, s := f.elements(l, &l.list[i])
		all, some = append(all, a...), append(some, s...)
	}
	if err := errors.Join(t.set(ports, all), t.set(addressed, some)); err != nil {
		return err
	}
	register := uint32(unix.NFT_REG32_00)
	t.rule(c, f.is(), f.load(f.destination, register), port(register+f.registers), f.translate(addressed))
	t.rule(c, f.is(), port(register), f.translate(ports))
	return nil
}

// set adds a map with its elements.
func (t *table) set(s *nftables.Set, all []nftables.SetElement) error {
	if err := t.AddSet(s, nil); err != nil {
		return err
	}
	return inParts(all, func(part []nftables.SetElement) error { return t.SetAddElements(s, part) })
}

// inParts does something with as many elements at once as fit the 64 KiB of a message's list.
func inParts(all []nftables.SetElement, do func([]nftables.SetElement) error) error {
	const most = 500
	for part := range slices.Chunk(all, most) {
		if err := do(part); err != nil {
			return err
		}
	}
	return nil
}

// elements are those of a published port: what stands before the protocol in
// the key, and the container's address. In a key, each part has a multiple of 4 bytes.
func elements(p Port, head []byte, to netip.Addr) []nftables.SetElement {
	all := make([]nftables.SetElement, p.Count)
	protocol := byte(unix.IPPROTO_TCP)
	if p.Protocol == "udp" {
		protocol = unix.IPPROTO_UDP
	}
	for i := range all {
		key := append(slices.Clone(head), protocol, 0, 0, 0)
		all[i].Key = append(binary.BigEndian.AppendUint16(key, p.Host+uint16(i)), 0, 0)
		all[i].Val = append(binary.BigEndian.AppendUint16(to.AsSlice(), p.Container+uint16(i)), 0, 0)
	}
	return all
}

// masquerade lets containers speak to the world by the host's address: and the
// host to containers by the bridge's, where its own is one of loopback; and
// containers to each other, where a published port is between them and the
// answer would go past the host.
func (t *table) masquerade(c *nftables.Chain, f *family, subnet netip.Prefix) {
	masquerade := []expr.Any{&expr.Masq{}}
	if f.protocol == unix.NFPROTO_IPV4 {
		t.rule(c, to(t.bridge), f.in(f.source, f.loopback), masquerade)
	}
	t.rule(c, to(t.bridge), f.in(f.source, subnet), translated(), masquerade)
	t.rule(c, notTo(t.bridge), f.in(f.source, subnet), masquerade)
}
