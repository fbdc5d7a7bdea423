package network

import (
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// flows are what the kernel remembers of UDP to some ports of the host. It looks
// a port up for the first packet alone, and goes on like that while there are
// packets: to nobody, if there was no container yet; or to one that is gone, and
// whose address may be another's.
type flows []Port

// forget makes the kernel look the ports up again. An error is none: what isn't
// forgotten ends by itself, half a minute after its last packet.
func (f flows) forget() {
	if !slices.ContainsFunc(f, func(p Port) bool { return p.Protocol == "udp" }) {
		return
	}
	for _, family := range [...]netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, f)
	}
}

// MatchConntrackFlow tells whether a flow is one of these (netlink.CustomConntrackFilter).
func (f flows) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	to := flow.Forward.DstPort
	return flow.Forward.Protocol == unix.IPPROTO_UDP && slices.ContainsFunc(f, func(p Port) bool {
		return p.Protocol == "udp" && p.Host <= to && to-p.Host < p.Count
	})
}
