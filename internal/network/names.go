package network

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The files that a bundle lends its containers as /etc/hosts and
// /etc/resolv.conf are bound into them, so they are changed in place, never
// replaced. The first has a line for each container and each of its addresses,
// with a mark at the end; all other lines are left alone.

// Names are those files, and what is to stand in them.
type Names struct {
	Hosts  string // a file like hosts(5) in the bundle that is to have the container's name, or ""
	Resolv string // a file like resolv.conf(5) in the bundle that is to have the name servers, or ""
	Host   string // the container's host name, or ""
}

// Write writes down what a container is called, and whom it may ask for other
// names: resolv, or, if that is empty, whom the host asks.
func (n Names) Write(state *specs.State, addresses []netip.Addr, resolv string) error {
	if n.Resolv != "" {
		if resolv == "" {
			resolv = resolvers()
		}
		if err := change(state.Bundle, n.Resolv, func(string) string { return resolv }); err != nil {
			return err
		}
	}
	if n.Hosts == "" {
		return nil
	}
	names := state.ID
	if n.Host != "" && n.Host != state.ID {
		names = n.Host + " " + state.ID
	}
	lines := ""
	for _, a := range addresses {
		lines += a.String() + " " + names + mark(state.ID)
	}
	return change(state.Bundle, n.Hosts, func(old string) string { return without(old, state.ID) + lines })
}

// Forget takes a container's lines away. A bundle that is gone has none.
func (n Names) Forget(state *specs.State) error {
	if n.Hosts == "" {
		return nil
	}
	err := change(state.Bundle, n.Hosts, func(old string) string { return without(old, state.ID) })
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

func mark(id string) string { return " # container " + id + "\n" }

// without is a text less the lines of a container.
func without(text, id string) string {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, mark(id)) {
			rest.WriteString(line)
		}
	}
	return rest.String()
}

// change changes a file of a bundle in place, with nobody else at it.
func change(bundle, name string, edit func(old string) string) (err error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(bundle, name)
	}
	defer func() { err = step(err, "change the bundle's file") }()
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return err
	}
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text := edit(string(old))
	if text == string(old) {
		return nil
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

// resolvers is the host's resolv.conf(5), less the name servers that can't be
// reached from a container: those of loopback addresses, and those by a device of
// the host's. Where that is all, systemd-resolved's own list stands in for its stub.
func resolvers() string {
	var first string
	for _, name := range [...]string{"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"} {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		cleaned, found := reachable(string(text))
		if found {
			return cleaned
		}
		if first == "" {
			first = cleaned
		}
	}
	return first
}

// reachable is a resolv.conf(5) less the name servers that a container can't
// reach, and tells whether there are others.
func reachable(text string) (cleaned string, found bool) {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == "nameserver" {
			if !usable(f[1]) {
				continue
			}
			found = true
		}
		rest.WriteString(strings.TrimSuffix(line, "\n") + "\n")
	}
	return rest.String(), found
}

// usable tells whether a container can ask a name server.
func usable(server string) bool {
	a, err := netip.ParseAddr(server)
	return err == nil && !a.IsLoopback() && !a.IsUnspecified() && a.Zone() == ""
}
