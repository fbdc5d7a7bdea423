package network

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/sys/unix"
)

// A lease is what one container has of the bridge.
type lease struct {
	Number int    // of the address in the subnets: the bridge has 1, the first container 2
	ID     string // of the container
	process
	Device string // of the host, that leads to it
	Ports  []Port
}

// leases are all that have something of the bridge, as their file has them: a
// line that names the subnets, and a line for each container.
//
//	10.177.80.0/22 fd6d:696e:6972::/64
//	2 web 812@94710 mrt1f0d2c3b4a59 8080:80/tcp
//	3 db 830@95123 mrt9a8b7c6d5e4f
type leases struct {
	subnet, subnet6 netip.Prefix // none where there is no lease
	list            []lease      // in the order in which they came
}

// text is the leases' file.
func (l *leases) text() string {
	var t strings.Builder
	t.WriteString(l.subnet.String())
	if l.subnet6.IsValid() {
		t.WriteString(" " + l.subnet6.String())
	}
	t.WriteByte('\n')
	for _, one := range l.list {
		t.WriteString(strconv.Itoa(one.Number) + " " + one.ID + " " + one.process.String() + " " + one.Device)
		for _, p := range one.Ports {
			t.WriteString(" " + p.String())
		}
		t.WriteByte('\n')
	}
	return t.String()
}

// parseLeases reads the leases' file.
func parseLeases(text string) (l leases, err error) {
	for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		f := strings.Fields(line)
		if n == 0 {
			err = l.parseSubnets(f)
		} else {
			err = l.parseLease(f)
		}
		if err != nil {
			return leases{}, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return l, nil
}

func (l *leases) parseSubnets(f []string) (err error) {
	if len(f) != 1 && len(f) != 2 {
		return fmt.Errorf("%q are no subnets", strings.Join(f, " "))
	}
	if l.subnet, err = netip.ParsePrefix(f[0]); err == nil && len(f) == 2 {
		l.subnet6, err = netip.ParsePrefix(f[1])
	}
	return err
}

func (l *leases) parseLease(f []string) (err error) {
	if len(f) < 4 {
		return fmt.Errorf("%q is no lease", strings.Join(f, " "))
	}
	one := lease{ID: f[1], Device: f[3]}
	if one.Number, err = strconv.Atoi(f[0]); err != nil {
		return err
	}
	if one.process, err = parseProcess(f[2]); err != nil {
		return err
	}
	for _, text := range f[4:] {
		p, err := ParsePort(text)
		if err != nil {
			return err
		}
		one.Ports = append(one.Ports, p)
	}
	l.list = append(l.list, one)
	return nil
}

// find gives a container's lease, or nil.
func (l *leases) find(id string) *lease {
	for i := range l.list {
		if l.list[i].ID == id {
			return &l.list[i]
		}
	}
	return nil
}

// free is the lowest number that nobody has.
func (l *leases) free() (int, error) {
	taken := map[int]bool{}
	for _, one := range l.list {
		taken[one.Number] = true
	}
	for n := 2; n < size(l.subnet)-1; n++ { // the last is the broadcast address
		if !taken[n] {
			return n, nil
		}
	}
	return 0, fmt.Errorf("all addresses of %s are taken", l.subnet)
}

// checkPorts refuses a port that another container has published.
func (l *leases) checkPorts(id string, ports []Port) error {
	for i, p := range ports {
		for _, q := range ports[:i] {
			if _, clash := p.clash(q); clash {
				return fmt.Errorf("publish %s: %s is published too", p, q)
			}
		}
		for _, one := range l.list {
			for _, q := range one.Ports {
				if n, clash := p.clash(q); clash && one.ID != id {
					return fmt.Errorf("publish %s: container %q has published port %d of the host", p, one.ID, n)
				}
			}
		}
	}
	return nil
}

// published tells whether any container has published a port, and whether any
// of these is reached by 127.0.0.1.
func (l *leases) published() (any, local bool) {
	for _, one := range l.list {
		for _, p := range one.Ports {
			any, local = true, local || p.local()
		}
	}
	return any, local
}

// device is a name for a container's device on the host: by its id, unless one
// that is taken (netdevice(7): at most 15 bytes).
func device(id string, taken func(name string) bool) (string, error) {
	for salt := range 100 {
		sum := fnv.New64a()
		sum.Write([]byte(id))
		sum.Write([]byte{byte(salt)})
		name := fmt.Sprintf("mrt%012x", sum.Sum64()&(1<<48-1))
		if !taken(name) {
			return name, nil
		}
	}
	return "", unix.EEXIST
}

// size is how many addresses a subnet has, or those that a number can reach.
func size(p netip.Prefix) int {
	return 1 << min(p.Addr().BitLen()-p.Bits(), 24)
}

// numbered is the address of a number in a subnet.
func numbered(p netip.Prefix, number int) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	tail := b[len(b)-4:]
	binary.BigEndian.PutUint32(tail, binary.BigEndian.Uint32(tail)|uint32(number))
	a, _ := netip.AddrFromSlice(b)
	return a
}

// checkID refuses the id of a container, another runtime's perhaps, that no
// line of the leases could hold.
func checkID(id string) error {
	if id == "" || strings.ContainsFunc(id, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fmt.Errorf("the state on standard input has the id %q, which is none", id)
	}
	return nil
}
