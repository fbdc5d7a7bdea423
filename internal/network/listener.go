package network

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// checkListeners refuses a port that a program of the host's has for itself: it
// would be deaf from now on.
func checkListeners(ports []Port) error {
	for _, p := range ports {
		for i := range p.Count {
			n := p.Host + i
			if p.in4() && taken(unix.AF_INET, p, n) || p.in6() && taken(unix.AF_INET6, p, n) {
				return fmt.Errorf("publish %s: %s has port %d of the host", p, owner(p, n), n)
			}
		}
	}
	return nil
}

// taken tells whether somebody listens on a port, by trying to have it.
func taken(family int, p Port, n uint16) bool {
	kind := unix.SOCK_STREAM
	if p.Protocol == "udp" {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil { // a host without the family has no listeners of it
		return false
	}
	defer unix.Close(fd)
	var at unix.Sockaddr
	if family == unix.AF_INET {
		at4 := &unix.SockaddrInet4{Port: int(n)}
		if p.IP.Is4() {
			at4.Addr = p.IP.As4()
		}
		at = at4
	} else {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
		at6 := &unix.SockaddrInet6{Port: int(n)}
		if p.IP.Is6() {
			at6.Addr = p.IP.As16()
		}
		at = at6
	}
	if kind == unix.SOCK_STREAM { // connections that have just ended don't count
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	return unix.Bind(fd, at) == unix.EADDRINUSE
}

// owner names the process that has a port, if it can be found.
func owner(p Port, n uint16) string {
	const unknown = "a program of the host's"
	socket := ""
	for _, name := range [...]string{p.Protocol, p.Protocol + "6"} {
		text, _ := os.ReadFile("/proc/thread-self/net/" + name)
		for line := range strings.Lines(string(text)) { // proc_net_tcp.rst: local address, remote one, state, …, inode
			f := strings.Fields(line)
			if len(f) < 10 || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) || f[3] != "0A" && f[3] != "07" { // TCP_LISTEN, and UDP's TCP_CLOSE
				continue
			}
			socket = "socket:[" + f[9] + "]"
		}
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, f := range files {
		if to, err := os.Readlink(f); err != nil || socket == "" || to != socket {
			continue
		}
		pid := strings.Split(f, "/")[2]
		comm, _ := os.ReadFile("/proc/" + pid + "/comm")
		return "process " + pid + " " + strconv.Quote(strings.TrimSpace(string(comm)))
	}
	return unknown
}
