package lifecycle

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/minirt/minirt/internal/netdev"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Network devices of the host are moved into the container's network namespace
// while its stage waits (config-linux.md, Network Devices). The stage makes a
// route socket there and sends it, so that nothing else of minirt has to enter
// that namespace. What is moved is brought back by a create that fails, or by
// the delete of one that was killed; later the devices are the kernel's and the
// namespace's owner's affair (ND-06).

// SyncDevices comes with a route socket of the container's network namespace: move the network devices.
const SyncDevices SyncKind = 'n'

// netDevices stops until the devices are moved: before hooks look for them, and
// after the cgroups are joined, whose byte would else be taken for the answer.
func (c *compiler) netDevices() {
	if c.spec.Linux == nil || len(c.spec.Linux.NetDevices) == 0 {
		return
	}
	c.At("linux.netDevices")
	c.Syncs = append(c.Syncs, SyncDevices)
	message, socket := c.carrier(SyncDevices)
	c.Do(plan.Socket, unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE).To(socket)
	c.Do(plan.Sendmsg, c.host.Files.Sync, message, unix.MSG_NOSIGNAL)
	c.Do(plan.Read, c.host.Files.Sync, c.byteIn, 1).Set(plan.ZeroFails)
	c.Do(plan.Close, socket)
}

// refuseNetDevices refuses devices that the caller's network namespace hasn't
// got, and a namespace by path that is this one (ND-07).
func refuseNetDevices(s *specs.Spec) (faults spec.Faults) {
	if len(s.Linux.NetDevices) == 0 {
		return nil
	}
	if path := networkPath(s); path != "" && sameFile(path, "/proc/self/ns/net") {
		faults = append(faults, spec.Fault{Path: "linux.netDevices", Text: quote(path) + " is the runtime's own network namespace: there is nowhere to move them"})
	}
	here, err := netdev.Open()
	if err != nil {
		return append(faults, spec.Fault{Path: "linux.netDevices", Text: "route socket: " + err.Error()})
	}
	defer here.Close()
	for _, name := range netDeviceNames(s) {
		if err := here.Exists(name); err != nil {
			faults = append(faults, spec.Fault{Path: "linux.netDevices." + name, Text: quote(name) + " can't be moved: " + err.Error()})
		}
	}
	return faults
}

// networkPath is the path of the container's network namespace; "" for a new one.
func networkPath(s *specs.Spec) string {
	for _, n := range s.Linux.Namespaces {
		if n.Type == specs.NetworkNamespace {
			return n.Path
		}
	}
	return ""
}

func sameFile(a, b string) bool {
	var x, y unix.Stat_t
	return unix.Stat(a, &x) == nil && unix.Stat(b, &y) == nil && x.Dev == y.Dev && x.Ino == y.Ino
}

// netDeviceNames are the names on the host, in order.
func netDeviceNames(s *specs.Spec) []string {
	names := make([]string, 0, len(s.Linux.NetDevices))
	for name := range s.Linux.NetDevices {
		i := len(names)
		for names = append(names, name); i > 0 && names[i-1] > name; i-- {
			names[i] = names[i-1]
		}
		names[i] = name
	}
	return names
}

// netMoves are a create's moves of network devices.
type netMoves struct {
	here, there *netdev.Socket
	devices     []*netdev.Device
}

// close ends the moves: from here on none is taken back. The socket would keep
// the namespace alive.
func (m *netMoves) close() {
	m.here.Close()
	m.there.Close()
	m.devices = nil
}

// moveNetDevices moves the devices through the stage's route socket.
func (c *creation) moveNetDevices() (err error) {
	m := &c.moves
	m.there, c.outlets.route = netdev.Adopt(c.outlets.route), -1
	if m.here, err = netdev.Open(); err != nil {
		return because("route socket", err)
	}
	for _, name := range netDeviceNames(c.spec) {
		as := cmp.Or(c.spec.Linux.NetDevices[name].Name, name)
		d, err := netdev.Find(m.here, m.there, name, as)
		if err != nil {
			return moveError(name, as, err)
		}
		for slices.ContainsFunc(m.devices, func(other *netdev.Device) bool { return d.There == other.There }) {
			d.There++
		}
		m.devices = append(m.devices, d)
	}
	c.NetNS, c.NetDevices = networkPath(c.spec), recordDevices(m.devices)
	if err := c.record(); err != nil {
		return err
	}
	c.undo.add(m.takeBack)
	for _, d := range m.devices {
		if err := d.Move(m.here, m.there, c.Process.PID); err != nil {
			return moveError(d.Name, d.As, err)
		}
	}
	return nil
}

// moveError words a move that can't be.
func moveError(name, as string, err error) error {
	path := "linux.netDevices." + name
	switch {
	case err == unix.EEXIST:
		return &pathError{path, "move as " + quote(as), text("the container's network namespace has a device of that name")}
	case err == unix.EINVAL:
		return &pathError{path, "move as " + quote(as), text("the kernel keeps devices of this kind in their network namespace, or the device's settings are not valid there")}
	}
	return &pathError{path, "move as " + quote(as), err}
}

// takeBack brings back what has been moved, the last first.
func (m *netMoves) takeBack() (err error) {
	for i := len(m.devices) - 1; i >= 0; i-- {
		d := m.devices[i]
		if e := d.Return(m.here, m.there, unix.Getpid()); e != nil && err == nil {
			err = because("network device "+quote(d.Name), e)
		}
	}
	m.close()
	return err
}

// returnNetDevices brings back what a create that was killed has moved into a
// namespace that lives on without it: one with a path. From one that was the
// container's alone the kernel has brought back or removed them.
func (c *container) returnNetDevices() error {
	if len(c.NetDevices) == 0 || c.Process.PID != 0 || c.NetNS == "" {
		return nil
	}
	there, err := c.routeSocket(c.NetNS)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return because("linux.netDevices: network namespace "+quote(c.NetNS), err)
	}
	here, err := netdev.Open()
	if err != nil {
		there.Close()
		return because("route socket", err)
	}
	m := netMoves{here, there, nil}
	for i := range c.NetDevices {
		m.devices = append(m.devices, c.NetDevices[i].device())
	}
	return m.takeBack()
}

// RecordNetDevice is a network device that is about to be moved (netdev.Device).
type RecordNetDevice struct {
	Name      string   `json:"name"`
	As        string   `json:"as"`
	Index     int      `json:"index"`
	There     int      `json:"there"`
	MAC       string   `json:"mac"` // hexadecimal, like what follows
	Master    int      `json:"master"`
	Up        bool     `json:"up"`
	Addresses []string `json:"addresses,omitempty"`
	Routes    []string `json:"routes,omitempty"`
}

func recordDevices(devices []*netdev.Device) (list []RecordNetDevice) {
	for _, d := range devices {
		list = append(list, RecordNetDevice{d.Name, d.As, d.Index, d.There, hex.EncodeToString([]byte(d.MAC)), d.Master, d.Up, hexadecimal(d.Addresses), hexadecimal(d.Routes)})
	}
	return list
}

func (r *RecordNetDevice) device() *netdev.Device {
	mac, _ := hex.DecodeString(r.MAC)
	return &netdev.Device{Name: r.Name, As: r.As, Index: r.Index, There: r.There, MAC: string(mac), Master: r.Master, Up: r.Up, Addresses: bytesOf(r.Addresses), Routes: bytesOf(r.Routes)}
}

func hexadecimal(list [][]byte) (texts []string) {
	for _, b := range list {
		texts = append(texts, hex.EncodeToString(b))
	}
	return texts
}

func bytesOf(texts []string) (list [][]byte) {
	for _, s := range texts {
		if b, err := hex.DecodeString(s); err == nil {
			list = append(list, b)
		}
	}
	return list
}

func (r *RecordNetDevice) appendJSON(b []byte) []byte {
	b = field(b, `{"name":`, r.Name)
	b = field(b, `,"as":`, r.As)
	b = strconv.AppendInt(append(b, `,"index":`...), int64(r.Index), 10)
	b = strconv.AppendInt(append(b, `,"there":`...), int64(r.There), 10)
	b = field(b, `,"mac":`, r.MAC)
	b = strconv.AppendInt(append(b, `,"master":`...), int64(r.Master), 10)
	b = strconv.AppendBool(append(b, `,"up":`...), r.Up)
	b = appendStrings(append(b, `,"addresses":`...), r.Addresses)
	return append(appendStrings(append(b, `,"routes":`...), r.Routes), '}')
}
