package network

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestAContainerIsConnectedAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.must(os.WriteFile(filepath.Join(p.bundle, "hosts"), []byte("127.0.0.1 localhost\n"), 0o644))
	p.must(os.WriteFile(filepath.Join(p.bundle, "resolv.conf"), nil, 0o644))
	b := p.bridge(publish("8080:80", "127.0.0.1:9000-9001:90-91/udp", "[fd01::5]:53:5353/udp"), func(b *Bridge) { b.Hosts, b.Resolv, b.Host = "hosts", "resolv.conf", "box" })
	web, db := p.container("web"), p.container("db")
	p.must(Up(web, b))
	p.must(Up(db, p.bridge()))

	want := []string{"lo 127.0.0.1/8", "lo ::1/128", "eth0 10.201.0.2/24", "eth0 fd01:2:3::2/64"}
	if diff := cmp.Diff(want, p.addresses(web)); diff != "" {
		t.Errorf("web's addresses (-want +got):\n%s", diff)
	}
	want[2], want[3] = "eth0 10.201.0.3/24", "eth0 fd01:2:3::3/64"
	if diff := cmp.Diff(want, p.addresses(db)); diff != "" {
		t.Errorf("db's addresses (-want +got):\n%s", diff)
	}
	for name, want := range map[string][]string{
		"ports4":     {"tcp 8080 10.201.0.2:80"},
		"ports6":     {"tcp 8080 [fd01:2:3::2]:80"},
		"addressed4": {"127.0.0.1 udp 9000 10.201.0.2:90", "127.0.0.1 udp 9001 10.201.0.2:91"},
		"addressed6": {"fd01::5 udp 53 [fd01:2:3::2]:5353"},
	} {
		if diff := cmp.Diff(want, p.elements("minirt-mrt0", name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	const hosts = "127.0.0.1 localhost\n10.201.0.2 box web # container web\nfd01:2:3::2 box web # container web\n"
	if diff := cmp.Diff(hosts, p.read("hosts")); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}

	p.must(Down(web, b))
	if diff := cmp.Diff([]string{"lo 127.0.0.1/8", "lo ::1/128"}, p.addresses(web)); diff != "" {
		t.Errorf("web's addresses after Down (-want +got):\n%s", diff)
	}
	if got := p.elements("minirt-mrt0", "ports4"); got != nil {
		t.Errorf("published after Down: %q", got)
	}
	if got := p.read("hosts"); got != "127.0.0.1 localhost\n" {
		t.Errorf("hosts after Down: %q", got)
	}
	p.must(Down(db, p.bridge()))
	p.isEmpty()
}

func (p *place) read(name string) string {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(p.bundle, name))
	p.must(err)
	return string(text)
}

func TestUpAndDownMayBeDoneAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	b := p.bridge(publish("8080:80"))
	web := p.container("web")
	p.must(Up(web, b))
	before := append(p.host(), p.addresses(web)...)
	p.must(Up(web, b))
	if diff := cmp.Diff(before, append(p.host(), p.addresses(web)...)); diff != "" {
		t.Errorf("after a second Up (-first +second):\n%s", diff)
	}
	p.must(Down(web, b))
	p.isEmpty()
	p.must(Down(web, b))
	p.isEmpty()
}

// Whatever step an Up was killed behind: Down takes all back, and so does the
// next container's Up and Down, if the first one's namespace is gone; and a
// second Up is as good as the first.
func TestAnUpThatWasKilledAtAnyStepIsMadeGood(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.must(os.WriteFile(filepath.Join(p.bundle, "hosts"), nil, 0o644))
	b := p.bridge(publish("8080:80"), func(b *Bridge) { b.Hosts = "hosts" })
	steps := len((&upping{}).steps())
	for n := range steps + 1 {
		web := p.container("web")
		p.killed(web, b, n)
		p.must(Down(web, b))
		p.isEmpty()
		if got := p.read("hosts"); got != "" {
			t.Errorf("killed behind %d steps: hosts after Down: %q", n, got)
		}

		p.killed(web, b, n)
		p.must(Up(web, b))
		if got := len(p.addresses(web)); got != 4 {
			t.Errorf("killed behind %d steps: %d addresses after another Up", n, got)
		}
		p.must(Down(web, b))

		p.killed(web, b, n)
		p.end(web)
		p.settle(web)
		db := p.container("db")
		p.must(Up(db, b))
		if got := p.addresses(db)[2]; got != "eth0 10.201.0.2/24" {
			t.Errorf("killed behind %d steps: the next container has the address %s", n, got)
		}
		p.must(Down(db, b))
		p.isEmpty()
	}
}

// killed does the first steps of an Up, and no more.
func (p *place) killed(state *specs.State, b *Bridge, steps int) {
	p.Helper()
	ns, err := Hold(state.Pid)
	p.must(err)
	defer ns.Close()
	s, err := openStore(b.Leases, true)
	p.must(err)
	defer s.close()
	h, err := openHost()
	p.must(err)
	defer h.close()
	u := &upping{host: h, store: s, Bridge: b, ns: ns, state: state}
	for _, do := range u.steps()[:steps] {
		p.must(do())
	}
}

// settle waits until the kernel has removed the devices of a container that has ended.
func (p *place) settle(s *specs.State) {
	p.Helper()
	for range 500 {
		if name, _ := device(s.ID, func(string) bool { return false }); p.missing(name) {
			return
		}
		unix.Nanosleep(&unix.Timespec{Nsec: 10_000_000}, nil)
	}
	p.Fatal("the kernel has not removed the container's devices")
}

func (p *place) missing(name string) bool {
	_, err := p.LinkByName(name)
	return err != nil
}

func TestWhatIsInTheWayIsNamedAndNothingIsMade(t *testing.T) {
	t.Parallel()
	listener := func(p *place) {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		p.must(err)
		p.Cleanup(func() { unix.Close(fd) })
		p.must(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 8080}))
		p.must(unix.Listen(fd, 1))
	}
	veth := func(name string) func(*place) {
		return func(p *place) {
			attrs := netlink.NewLinkAttrs()
			attrs.Name = name
			v := netlink.NewVeth(attrs)
			v.PeerName = "peer"
			p.must(p.LinkAdd(v))
		}
	}
	for name, c := range map[string]struct {
		before func(*place)
		edit   func(*Bridge)
		want   string
	}{
		"a listener":     {listener, publish("8000-8100:1-101"), `publish 8000-8100:1-101/tcp: process PID "network.test" has port 8080 of the host`},
		"a device":       {veth("mrt0"), nil, `bridge "mrt0": the host has a device of that name, a veth that is not minirt's: name another`},
		"an old address": {nil, func(b *Bridge) { b.Subnet = netip.MustParsePrefix("10.0.0.0/31") }, `the subnet 10.0.0.0/31 is none of IPv4 with room for containers, such as 10.177.80.0/22`},
		"two of one":     {nil, publish("80:80", "127.0.0.1:80:81"), `publish 127.0.0.1:80:81/tcp: 80:80/tcp is published too`},
		"::1":            {nil, publish("[::1]:80:80"), `publish [::1]:80:80/tcp: the kernel leads nothing from ::1 elsewhere: publish 127.0.0.1, or another address`},
		"no IPv6":        {nil, func(b *Bridge) { publish("[::]:80:80")(b); b.Subnet6 = netip.Prefix{} }, `publish [::]:80:80/tcp: the network has no subnet of IPv6`},
		"a name":         {nil, func(b *Bridge) { b.Name = "sixteen-letters!" }, `"sixteen-letters!" is no name of a device: 15 letters and digits at most`},
		"no hosts file":  {nil, func(b *Bridge) { b.Hosts = "hosts" }, `change the bundle's file: open BUNDLE/hosts: no such file or directory`},
		"a bundle's link": {func(p *place) { p.must(os.Symlink("/etc/hosts", filepath.Join(p.bundle, "hosts"))) }, func(b *Bridge) { b.Hosts = "hosts" },
			`change the bundle's file: open BUNDLE/hosts: too many levels of symbolic links`},
		"a route": {func(p *place) {
			veth("vpn0")(p)
			link, err := p.LinkByName("vpn0")
			p.must(err)
			p.must(p.LinkSetUp(link))
			p.must(p.AddrAdd(link, address(netip.MustParsePrefix("10.200.0.0/15"), 9)))
		}, nil, `bridge "mrt0": the subnet 10.201.0.0/24: the host reaches 10.200.0.0/15 by "vpn0": name another subnet`},
		"another's bridge": {func(p *place) {
			attrs := netlink.NewLinkAttrs()
			attrs.Name = "mrt0"
			p.must(p.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}))
		}, nil, `bridge "mrt0": the host has a device of that name, a bridge that is not minirt's: name another`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			if c.before != nil {
				c.before(p)
			}
			b := p.bridge()
			if c.edit != nil {
				c.edit(b)
			}
			before := p.host()
			web := p.container("web")
			err := Up(web, b)
			if err == nil {
				t.Fatal("no error")
			}
			got := strings.ReplaceAll(err.Error(), p.bundle, "BUNDLE")
			if _, rest, ok := strings.Cut(got, "process "); ok {
				pid, _, _ := strings.Cut(rest, " ")
				got = strings.ReplaceAll(got, "process "+pid, "process PID")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, p.host()); diff != "" {
				t.Errorf("the host (-before +after):\n%s", diff)
			}
			if got := p.addresses(web); len(got) > 2 {
				t.Errorf("the container has %q", got)
			}
		})
	}
}

func TestADeviceOfTheContainerIsInTheWay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	web := p.container("web")
	p.must(Up(web, p.bridge()))
	before := p.host()
	again := *web
	again.ID = "twin"
	err := Up(&again, p.bridge())
	const want = `make the devices "mrt9cd2cbe76e1a" and, in the container, "eth0": file exists`
	if err == nil || err.Error()[:20] != want[:20] || !strings.HasSuffix(err.Error(), want[35:]) {
		t.Errorf("%v, want %s", err, want)
	}
	if diff := cmp.Diff(before, p.host()); diff != "" {
		t.Errorf("the host (-before +after):\n%s", diff)
	}
}

// Whoever makes a container as soon as its id is free may overtake the poststop
// hook of the one before.
func TestALateDownLeavesTheNextContainerOfThatIDAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	b := p.bridge(publish("8080:80"))
	old, next := p.container("web"), p.container("web")
	p.must(Up(old, b))
	p.end(old)
	p.must(Up(next, b))
	before := append(p.host(), p.addresses(next)...)
	late := *old
	late.Pid, late.Status = 0, specs.StateStopped
	p.must(Down(&late, b))
	if diff := cmp.Diff(before, append(p.host(), p.addresses(next)...)); diff != "" {
		t.Errorf("after the old container's Down (-before +after):\n%s", diff)
	}
	p.end(next)
	p.must(Down(&late, b))
	p.isEmpty()
}

// Two runtimes may have a container of the same name.
func TestAContainerOfTheSameIDIsRefusedAndTheFirstStays(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	first, second := p.container("web"), p.container("web")
	p.must(Up(first, p.bridge()))
	before := append(p.host(), p.addresses(first)...)
	if err := Up(second, p.bridge()); err == nil || !strings.HasPrefix(err.Error(), `there is a container "web" already, of process `) {
		t.Error(err)
	}
	stopped := *second
	stopped.Pid = 0
	p.must(Down(&stopped, p.bridge()))
	if diff := cmp.Diff(before, append(p.host(), p.addresses(first)...)); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}

func TestAPortThatAnotherContainerHasIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	web, db := p.container("web"), p.container("db")
	p.must(Up(web, p.bridge(publish("8080:80"))))
	before := p.host()
	err := Up(db, p.bridge(publish("127.0.0.1:8079-8081:1-3")))
	const want = `publish 127.0.0.1:8079-8081:1-3/tcp: container "web" has published port 8080 of the host`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if diff := cmp.Diff(before, p.host()); diff != "" {
		t.Errorf("the host (-before +after):\n%s", diff)
	}
	p.must(Up(db, p.bridge(publish("8080:80/udp"))))
}

func TestAProcessThatIsNotTheContainersIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	gone := p.container("web")
	p.end(gone)
	for _, c := range []struct {
		pid  int
		want string
	}{
		{0, "the state on standard input names no process: is this hook one of createRuntime?"},
		{gone.Pid, "process "},
		{p.process("web", 0).Pid, "the container has the network namespace of the host"},
	} {
		if err := Up(&specs.State{ID: "web", Pid: c.pid}, p.bridge()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	p.isEmpty()
}

func TestABridgeWithOtherLeasesIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	web, db := p.container("web"), p.container("db")
	p.must(Up(web, p.bridge()))
	before := p.host()
	err := Up(db, p.bridge(func(b *Bridge) { b.Leases = filepath.Join(p.root, "other") }))
	if err == nil || !strings.Contains(err.Error(), `bridge "mrt0": its leases are in "`+p.bridge().Leases+`", not in "`) {
		t.Error(err)
	}
	err = Up(db, p.bridge(func(b *Bridge) { b.Subnet6 = netip.Prefix{} }))
	if want := `bridge "mrt0" has the subnets 10.201.0.0/24 and fd01:2:3::/64, not 10.201.0.0/24: name another bridge, or the same subnets`; err == nil || err.Error() != want {
		t.Error(err)
	}
	if diff := cmp.Diff(before, p.host()); diff != "" {
		t.Errorf("the host (-before +after):\n%s", diff)
	}
}

// Somebody flushes the rules, or removes the bridge: the next Up mends it.
func TestTheNextUpMendsWhatIsMissing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	web, db := p.container("web"), p.container("db")
	p.must(Up(web, p.bridge(publish("8080:80"))))
	c := &nftables.Conn{}
	c.FlushRuleset()
	p.must(c.Flush())
	br, err := p.LinkByName("mrt0")
	p.must(err)
	p.must(p.LinkDel(br))
	p.must(Up(db, p.bridge()))
	if diff := cmp.Diff([]string{"tcp 8080 10.201.0.2:80"}, p.elements("minirt-mrt0", "ports4")); diff != "" {
		t.Errorf("ports4 (-want +got):\n%s", diff)
	}
	br, err = p.LinkByName("mrt0")
	p.must(err)
	name, _ := device("web", func(string) bool { return false })
	link, err := p.LinkByName(name)
	p.must(err)
	if link.Attrs().MasterIndex != br.Attrs().Index {
		t.Error("web's device is not in the new bridge")
	}

	c.FlushRuleset()
	p.must(c.Flush())
	cache := p.container("cache")
	p.must(Up(cache, p.bridge()))
	if diff := cmp.Diff([]string{"tcp 8080 10.201.0.2:80"}, p.elements("minirt-mrt0", "ports4")); diff != "" {
		t.Errorf("ports4 after another flush (-want +got):\n%s", diff)
	}
	c.FlushRuleset()
	p.must(c.Flush())
	for _, s := range []*specs.State{web, db, cache} {
		p.must(Down(s, p.bridge()))
	}
	p.isEmpty()
}

func TestASubnetThatIsFullIsSaidToBe(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	small := func(b *Bridge) { b.Subnet, b.Subnet6 = netip.MustParsePrefix("10.201.0.0/30"), netip.Prefix{} }
	web, db := p.container("web"), p.container("db")
	p.must(Up(web, p.bridge(small)))
	if err := Up(db, p.bridge(small)); err == nil || err.Error() != "all addresses of 10.201.0.0/30 are taken" {
		t.Error(err)
	}
	p.end(web) // and gone with the kernel's leave
	p.settle(web)
	p.must(Up(db, p.bridge(small)))
	p.must(Down(web, p.bridge(small)))
	p.must(Down(db, p.bridge(small)))
	p.isEmpty()
}

func TestWhoHasNoRightsIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err     error
		uid     int
		advised bool
	}{
		{unix.EPERM, 0, true},
		{unix.EPERM, 1000, true},
		{unix.EACCES, 1000, true},
		{unix.EACCES, 0, false},
		{unix.EEXIST, 1000, false},
		{nil, 1000, false},
	} {
		got := advice(step(c.err, "make it"), c.uid)
		if advised := got != nil && strings.Contains(got.Error(), "run minirt as root"); advised != c.advised || !errors.Is(got, c.err) {
			t.Errorf("%v for uid %d: %v", c.err, c.uid, got)
		}
	}
}

// A tunnel's MTU is the containers' too.
func TestTheMTUIsThatOfTheDefaultRoute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mtu, asked, want int
		four             bool
	}{{1420, 0, 1420, false}, {1420, 9000, 9000, false}, {1000, 0, 1000, true}, {0, 0, 1500, false}} {
		p := newPlace(t)
		if c.mtu != 0 {
			attrs := netlink.NewLinkAttrs()
			attrs.Name, attrs.MTU = "up0", c.mtu
			v := netlink.NewVeth(attrs)
			v.PeerName = "peer"
			p.must(p.LinkAdd(v))
			p.must(p.LinkSetUp(v))
			p.must(p.AddrAdd(v, address(netip.MustParsePrefix("192.0.2.0/24"), 1)))
			p.must(p.RouteAdd(&netlink.Route{LinkIndex: v.Index, Gw: []byte{192, 0, 2, 9}}))
		}
		b := p.bridge(func(b *Bridge) {
			b.MTU = c.asked
			if c.four {
				b.Subnet6 = netip.Prefix{}
			}
		})
		web := p.container("web")
		p.must(Up(web, b))
		links, err := p.LinkList()
		p.must(err)
		for _, l := range links { // the bridge, and the container's device
			if strings.HasPrefix(l.Attrs().Name, "mrt") && l.Attrs().MTU != c.want {
				t.Errorf("%+v: %s has %d", c, l.Attrs().Name, l.Attrs().MTU)
			}
		}
		p.must(Down(web, b))
	}
}

// What a container costs on a bridge that is there: go test -run - -bench . ./internal/network
func BenchmarkUpAndDown(b *testing.B) {
	for name, ports := range map[string][]string{"plain": nil, "published": {"8080:80"}} {
		b.Run(name, func(b *testing.B) {
			p := newPlace(b)
			first, web, bridge := p.container("first"), p.container("web"), p.bridge(publish(ports...))
			p.must(Up(first, p.bridge()))
			var up, down time.Duration
			for b.Loop() {
				begin := time.Now()
				p.must(Up(web, bridge))
				half := time.Now()
				p.must(Down(web, bridge))
				up, down = up+half.Sub(begin), down+time.Since(half)
			}
			b.ReportMetric(float64(up.Microseconds())/float64(b.N), "µs/up")
			b.ReportMetric(float64(down.Microseconds())/float64(b.N), "µs/down")
			p.must(Down(first, p.bridge()))
		})
	}
}

func TestALongRowOfPortsIsPublished(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	web, db := p.container("web"), p.container("db")
	p.must(Up(web, p.bridge(publish("20000-29999:30000-39999/udp"))))
	for _, name := range []string{"ports4", "ports6"} {
		if got := p.elements("minirt-mrt0", name); len(got) != 10000 {
			t.Errorf("%d elements in %s", len(got), name)
		}
	}
	p.must(Up(db, p.bridge(publish("1-19999:1-19999"))))
	if got := p.elements("minirt-mrt0", "ports4"); len(got) != 29999 {
		t.Errorf("%d elements in ports4", len(got))
	}
	p.must(Down(web, p.bridge()))
	if got := p.elements("minirt-mrt0", "ports6"); len(got) != 19999 {
		t.Errorf("%d elements in ports6", len(got))
	}
	p.must(Down(db, p.bridge()))
	p.isEmpty()
}

func TestAnotherUpReplacesWhatWasPublished(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	web := p.container("web")
	p.must(Up(web, p.bridge(publish("8080:80"))))
	p.must(Up(web, p.bridge(publish("8081:80"))))
	if diff := cmp.Diff([]string{"tcp 8081 10.201.0.2:80"}, p.elements("minirt-mrt0", "ports4")); diff != "" {
		t.Errorf("ports4 (-want +got):\n%s", diff)
	}
}

// The last container's Down removes the directory for whose lock the next one's Up waits.
func TestWhoWaitsForTheLockIsNotLeftWithADirectoryThatIsGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "net:mrt0")
	first, err := openStore(path, true)
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan *store)
	go func() {
		s, err := openStore(path, true)
		if err != nil {
			t.Error(err)
		}
		second <- s
	}()
	time.Sleep(50 * time.Millisecond) // it waits, or else the test proves nothing, and passes
	if err := first.leave(); err != nil {
		t.Error(err)
	}
	first.close()
	s := <-second
	if s == nil {
		return
	}
	defer s.close()
	if err := s.write(); err != nil {
		t.Error(err)
	}
}
