package network

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// sysctl reads a file below /proc/sys, of the network namespace that this process is in.
func sysctl(name string) (string, error) {
	b, err := os.ReadFile("/proc/sys/" + name)
	return strings.TrimSpace(string(b)), step(err, "sysctl %s", dotted(name))
}

// setSysctl writes one, if it has another value.
func setSysctl(name, value string) error {
	if have, err := sysctl(name); err != nil || have == value {
		return err
	}
	f, err := os.OpenFile("/proc/sys/"+name, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(value)
		err = errors.Join(err, f.Close())
	}
	return step(err, "set the sysctl %s to %s", dotted(name), value)
}

func dotted(name string) string { return strings.ReplaceAll(name, "/", ".") }

// forward lets the host pass packets on from one device to another. It stays so
// when the last container has gone: meanwhile somebody else may count on it.
func (u *upping) forward() error {
	if err := setSysctl("net/ipv4/ip_forward", "1"); err != nil || !u.Subnet6.IsValid() {
		return err
	}
	const all = "net/ipv6/conf/all/forwarding"
	have, err := sysctl(all)
	if errors.Is(err, unix.ENOENT) {
		return errors.New("the host has no IPv6: leave the subnet of IPv6 out")
	}
	if err != nil || have == "1" {
		return err
	}
	if err := keepRoutes(); err != nil {
		return err
	}
	return setSysctl(all, "1")
}

// keepRoutes makes the host go on to learn its own routes of routers: a device
// that has 1 for accept_ra ceases to when it forwards
// (Documentation/networking/ip-sysctl.rst).
func keepRoutes() error {
	files, err := filepath.Glob("/proc/sys/net/ipv6/conf/*/accept_ra")
	if err != nil {
		return err
	}
	for _, f := range files {
		name := strings.TrimPrefix(f, "/proc/sys/")
		device := filepath.Base(filepath.Dir(f))
		if device == "all" || device == "default" || device == "lo" {
			continue
		}
		if have, err := sysctl(name); err != nil || have != "1" {
			continue // a device that has just gone has no routes
		}
		if err := setSysctl(name, "2"); err != nil {
			return err
		}
	}
	return nil
}

// admit prepares what is needed for ports that are reached by 127.0.0.1: the
// host's packets with that address may go by the bridge. The table's chain
// "guard" keeps containers from doing the same (CVE-2020-8558).
func (u *upping) admit() error {
	if _, local := u.published(); !local {
		return nil
	}
	return setSysctl("net/ipv4/conf/"+u.Name+"/route_localnet", "1")
}
