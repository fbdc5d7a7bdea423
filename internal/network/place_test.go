package network

import (
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A place is a host for one test: a network namespace that its thread alone is
// in, and the directory of a bridge's leases.
type place struct {
	testing.TB
	*netlink.Handle
	root   string
	bundle string
}

// newPlace puts the test's thread into a network namespace of its own, for ever:
// the thread ends with the test. Nothing here may ever run in the machine's own.
func newPlace(t testing.TB) *place {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root's rights")
	}
	runtime.LockOSThread()
	before := inode(t)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip("no network namespace: ", err)
	}
	if inode(t) == before {
		t.Fatal("the test would change the machine's own network")
	}
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	p := &place{t, h, t.TempDir(), t.TempDir()}
	p.probe()
	p.must(h.LinkSetUp(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1}}))
	return p
}

// probe skips where the kernel lacks what a network is made of.
func (p *place) probe() {
	p.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "probe"
	br := &netlink.Bridge{LinkAttrs: attrs}
	if err := p.LinkAdd(br); errors.Is(err, unix.EOPNOTSUPP) {
		p.Skip("the kernel has no bridges")
	}
	p.must(p.LinkDel(br))
	if _, err := (&nftables.Conn{}).ListTables(); errors.Is(err, unix.EPROTONOSUPPORT) {
		p.Skip("the kernel has no nftables")
	}
}

func inode(t testing.TB) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// bridge is a network with subnets of either family.
func (p *place) bridge(edit ...func(*Bridge)) *Bridge {
	b := &Bridge{
		Name: "mrt0", Leases: filepath.Join(p.root, "net:mrt0"),
		Subnet: netip.MustParsePrefix("10.201.0.0/24"), Subnet6: netip.MustParsePrefix("fd01:2:3::/64"),
	}
	for _, e := range edit {
		e(b)
	}
	return b
}

func publish(texts ...string) func(*Bridge) {
	return func(b *Bridge) {
		for _, text := range texts {
			p, err := ParsePort(text)
			if err != nil {
				panic(err)
			}
			b.Ports = append(b.Ports, p)
		}
	}
}

// container starts a process in a network namespace of its own.
func (p *place) container(id string) *specs.State {
	p.Helper()
	return p.process(id, unix.CLONE_NEWNET)
}

func (p *place) process(id string, namespaces uintptr) *specs.State {
	p.Helper()
	c := exec.Command("sleep", "100")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: unix.SIGKILL}
	p.must(c.Start())
	p.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return &specs.State{ID: id, Pid: c.Process.Pid, Bundle: p.bundle}
}

// end ends a container, as a crash does: its devices go a little later.
func (p *place) end(s *specs.State) {
	p.Helper()
	p.must(unix.Kill(s.Pid, unix.SIGKILL))
	ns, err := Hold(s.Pid)
	for err == nil {
		ns.Close()
		ns, err = Hold(s.Pid)
	}
}

// addresses are those of a container's devices, but for link-local ones.
func (p *place) addresses(s *specs.State) (all []string) {
	p.Helper()
	ns, err := Hold(s.Pid)
	p.must(err)
	defer ns.Close()
	h, err := netlink.NewHandleAt(netns.NsHandle(ns.fd), unix.NETLINK_ROUTE)
	p.must(err)
	defer h.Close()
	links, err := h.LinkList()
	p.must(err)
	for _, l := range links {
		have, err := h.AddrList(l, netlink.FAMILY_ALL)
		p.must(err)
		for _, a := range have {
			if !a.IP.IsLinkLocalUnicast() {
				all = append(all, l.Attrs().Name+" "+a.IPNet.String())
			}
		}
	}
	return all
}

// host is what there is in the place that could be ours: devices but for lo,
// nftables' tables, and the files below the state root.
func (p *place) host() (all []string) {
	p.Helper()
	links, err := p.LinkList()
	p.must(err)
	for _, l := range links {
		if n := l.Attrs().Name; n != "lo" {
			all = append(all, "device "+n)
		}
	}
	tables, err := (&nftables.Conn{}).ListTables()
	p.must(err)
	for _, t := range tables {
		all = append(all, "table "+t.Name)
	}
	p.must(filepath.WalkDir(p.root, func(path string, _ os.DirEntry, err error) error {
		if path != p.root {
			all = append(all, "file "+strings.TrimPrefix(path, p.root))
		}
		return err
	}))
	slices.Sort(all)
	return all
}

// isEmpty checks that nothing is left.
func (p *place) isEmpty() {
	p.Helper()
	if diff := cmp.Diff([]string(nil), p.host()); diff != "" {
		p.Errorf("left on the host (-want +got):\n%s", diff)
	}
}

// elements are those of a map of the table, as "key leads to value" in hex.
func (p *place) elements(table, name string) (all []string) {
	p.Helper()
	c := &nftables.Conn{}
	t := &nftables.Table{Name: table, Family: nftables.TableFamilyINet}
	s, err := c.GetSetByName(t, name)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	p.must(err)
	elements, err := c.GetSetElements(s)
	p.must(err)
	for _, e := range elements {
		n := len(e.Key) - 4
		ip, _ := netip.AddrFromSlice(e.Val[:len(e.Val)-4])
		head := ""
		if a, ok := netip.AddrFromSlice(e.Key[:max(n-4, 0)]); ok {
			head = a.String() + " "
		}
		all = append(all, head+cmpPort(e.Key[n-4], e.Key[n:])+" "+netip.AddrPortFrom(ip, be(e.Val[len(e.Val)-4:])).String())
	}
	slices.Sort(all)
	return all
}

func be(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }

func cmpPort(protocol byte, port []byte) string {
	name := map[byte]string{unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp"}[protocol]
	return name + " " + netip.AddrPortFrom(netip.IPv4Unspecified(), be(port)).String()[len("0.0.0.0:"):]
}
