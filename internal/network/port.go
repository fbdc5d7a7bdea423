package network

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Port is a port of the host that leads to one of the container, or a row of
// them, each to the one at the same place of the other row.
type Port struct {
	IP        netip.Addr // of the host; none is every one
	Host      uint16     // the first
	Container uint16     // the first
	Count     uint16     // how many
	Protocol  string     // tcp or udp
}

// ParsePort reads [IP:]HOST:CONTAINER[/tcp|/udp]. HOST and CONTAINER are ports
// or rows like 8000-8010, both of the same length; an IP of IPv6 stands in
// brackets; the addresses 0.0.0.0 and [::] mean all of one family.
func ParsePort(text string) (p Port, err error) {
	fault := func(why string) (Port, error) {
		return Port{}, fmt.Errorf("%q is no published port: %s", text, why)
	}
	rest, protocol, given := strings.Cut(text, "/")
	if p.Protocol = protocol; !given {
		p.Protocol = "tcp"
	}
	if p.Protocol != "tcp" && p.Protocol != "udp" {
		return fault("the protocol is tcp or udp")
	}
	colon := strings.LastIndexByte(rest, ':')
	if colon < 0 {
		return fault("write [IP:]HOST:CONTAINER, such as 8080:80")
	}
	host, inside := rest[:colon], rest[colon+1:]
	if colon = strings.LastIndexByte(host, ':'); colon >= 0 {
		ip := host[:colon]
		if bare, ok := strings.CutPrefix(ip, "["); ok {
			ip = strings.TrimSuffix(bare, "]")
		} else if strings.Contains(ip, ":") {
			return fault("an address of IPv6 stands in brackets")
		}
		if p.IP, err = netip.ParseAddr(ip); err != nil || p.IP.Zone() != "" || p.IP.Is4In6() {
			return fault(strconv.Quote(ip) + " is no address")
		}
		host = host[colon+1:]
	}
	first, count, ok := parseRow(host)
	if !ok {
		return fault(strconv.Quote(host) + " is no port, nor a row like 8000-8010")
	}
	p.Host, p.Count = first, count
	if p.Container, count, ok = parseRow(inside); !ok {
		return fault(strconv.Quote(inside) + " is no port, nor a row like 8000-8010")
	}
	if count != p.Count {
		return fault(fmt.Sprintf("%d ports can't lead to %d", p.Count, count))
	}
	return p, nil
}

// parseRow reads a port, or a row of them.
func parseRow(text string) (first, count uint16, ok bool) {
	from, to, isRow := strings.Cut(text, "-")
	if !isRow {
		to = from
	}
	a, err := strconv.ParseUint(from, 10, 16)
	b, err2 := strconv.ParseUint(to, 10, 16)
	if err != nil || err2 != nil || a == 0 || b < a {
		return 0, 0, false
	}
	return uint16(a), uint16(b - a + 1), true
}

// String is the port as ParsePort reads it.
func (p Port) String() string {
	text := row(p.Host, p.Count) + ":" + row(p.Container, p.Count) + "/" + p.Protocol
	if p.IP.Is6() {
		return "[" + p.IP.String() + "]:" + text
	}
	if p.IP.IsValid() {
		return p.IP.String() + ":" + text
	}
	return text
}

func row(first, count uint16) string {
	if count == 1 {
		return strconv.Itoa(int(first))
	}
	return strconv.Itoa(int(first)) + "-" + strconv.Itoa(int(first)+int(count)-1)
}

// in4 and in6 tell whether the port is one of IPv4's, or of IPv6's.
func (p Port) in4() bool { return !p.IP.IsValid() || p.IP.Is4() }
func (p Port) in6() bool { return !p.IP.IsValid() || p.IP.Is6() }

// anywhere tells whether the port is one of every address of its family.
func (p Port) anywhere() bool { return !p.IP.IsValid() || p.IP.IsUnspecified() }

// local tells whether the port is reached by 127.0.0.1 too.
func (p Port) local() bool { return p.in4() && (p.anywhere() || p.IP.IsLoopback()) }

// clash tells whether two can't be published together, and by which port.
func (p Port) clash(q Port) (port uint16, clash bool) {
	port = max(p.Host, q.Host)
	last := min(int(p.Host)+int(p.Count), int(q.Host)+int(q.Count)) - 1
	same := p.IP == q.IP || p.in4() && q.in4() && (p.anywhere() || q.anywhere()) || p.in6() && q.in6() && (p.anywhere() || q.anywhere())
	return port, p.Protocol == q.Protocol && int(port) <= last && same
}
