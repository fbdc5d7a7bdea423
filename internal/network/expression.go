package network

import (
	"bytes"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A family is what differs between the two.
type family struct {
	name                string
	protocol            byte // NFPROTO_…
	kind                nftables.SetDatatype
	registers           uint32 // of 32 bits, that an address takes
	source, destination uint32 // where they stand in the header
	loopback            netip.Prefix
	subnet              func(*leases) netip.Prefix
	has                 func(Port) bool
}

// families are both. They are made when asked for: nothing is done at start.
func families() [2]*family { return [...]*family{family4(), family6()} }

func family4() *family {
	return &family{
		name: "4", protocol: unix.NFPROTO_IPV4, kind: nftables.TypeIPAddr, registers: 1, source: 12, destination: 16,
		loopback: netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8),
		subnet:   func(l *leases) netip.Prefix { return l.subnet }, has: Port.in4,
	}
}

func family6() *family {
	return &family{
		name: "6", protocol: unix.NFPROTO_IPV6, kind: nftables.TypeIP6Addr, registers: 4, source: 8, destination: 24,
		loopback: netip.PrefixFrom(netip.AddrFrom16([16]byte{15: 1}), 128),
		subnet:   func(l *leases) netip.Prefix { return l.subnet6 }, has: Port.in6,
	}
}

// is asks for a packet of the family.
func (f *family) is() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: unix.NFT_REG_1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: []byte{f.protocol}},
	}
}

// load loads an address of the header.
func (f *family) load(offset, register uint32) []expr.Any {
	return []expr.Any{&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4 * f.registers}}
}

// in asks for an address of the header in a subnet.
func (f *family) in(offset uint32, subnet netip.Prefix) []expr.Any {
	address := subnet.Masked().Addr().AsSlice()
	all := append(f.is(), f.load(offset, unix.NFT_REG_1)...)
	return append(all,
		&expr.Bitwise{SourceRegister: unix.NFT_REG_1, DestRegister: unix.NFT_REG_1, Len: 4 * f.registers,
			Mask: net.CIDRMask(subnet.Bits(), subnet.Addr().BitLen()), Xor: make([]byte, len(address))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: address})
}

// translate looks the key in the first registers up, and, if the map has it,
// sends the packet to the address and port that it leads to.
func (f *family) translate(m *nftables.Set) []expr.Any {
	return []expr.Any{
		&expr.Lookup{SourceRegister: unix.NFT_REG32_00, DestRegister: unix.NFT_REG32_00, IsDestRegSet: true, SetName: m.Name, SetID: m.ID},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(f.protocol), RegAddrMin: unix.NFT_REG32_00, RegProtoMin: unix.NFT_REG32_00 + f.registers},
	}
}

// port loads the protocol and the destination's port.
func port(register uint32) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register},
		&expr.Payload{DestRegister: register + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
	}
}

// from, to and notTo ask for a packet that comes in, or goes out, by a device.
func from(device string) []expr.Any  { return by(expr.MetaKeyIIFNAME, expr.CmpOpEq, device) }
func to(device string) []expr.Any    { return by(expr.MetaKeyOIFNAME, expr.CmpOpEq, device) }
func notTo(device string) []expr.Any { return by(expr.MetaKeyOIFNAME, expr.CmpOpNeq, device) }

func by(key expr.MetaKey, op expr.CmpOp, device string) []expr.Any {
	name := append([]byte(device), bytes.Repeat([]byte{0}, unix.IFNAMSIZ-len(device))...)
	return []expr.Any{&expr.Meta{Key: key, Register: unix.NFT_REG_1}, &expr.Cmp{Op: op, Register: unix.NFT_REG_1, Data: name}}
}

// toHost asks for a packet to one of the host's own addresses.
func toHost() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: unix.NFT_REG_1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: unix.NFT_REG_1, Data: binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)},
	}
}

// translated asks for a packet of a connection whose destination was changed.
func translated() []expr.Any {
	const dnat = 1 << 5 // IPS_DST_NAT (nf_conntrack_common.h)
	return anyOf(expr.CtKeySTATUS, dnat)
}

// anyOf asks for any of the bits of what is known of the packet's connection.
func anyOf(key expr.CtKey, bits uint32) []expr.Any {
	return []expr.Any{
		&expr.Ct{Key: key, Register: unix.NFT_REG_1},
		&expr.Bitwise{SourceRegister: unix.NFT_REG_1, DestRegister: unix.NFT_REG_1, Len: 4, Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: unix.NFT_REG_1, Data: make([]byte, 4)},
	}
}

func accept() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }
func drop() []expr.Any   { return []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}} }
