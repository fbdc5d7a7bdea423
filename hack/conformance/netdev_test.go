package conformance

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// A network is a network namespace that the runtime is called in, or that a
// container joins by its path.
type network struct {
	*testing.T
	pid int
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	for _, name := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(name + " is missing")
		}
	}
	c := exec.Command("sleep", "60")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return &network{t, c.Process.Pid}
}

// newHostNetwork has two devices, lan0 and far0, the ends of one cable.
func newHostNetwork(t *testing.T) *network {
	t.Helper()
	n := newNetwork(t)
	n.ip("link add lan0 type veth peer name far0", "link set lan0 mtu 1400 address 02:00:00:00:00:17 alias the-lan",
		"link set far0 up", "link set lan0 up", "addr add 10.9.8.7/24 brd + dev lan0", "addr add fd00:1::7/64 dev lan0 nodad",
		"addr add 169.254.3.3/16 scope link dev lan0", "addr add 10.6.0.1/16 dev lan0 valid_lft 3000 preferred_lft 2000",
		"route add 192.0.2.0/24 via 10.9.8.1")
	for range 100 { // until the kernel has given both ends their own addresses
		if strings.Count(n.ip("-6 route"), "fe80::/64") == 2 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return n
}

func (n *network) path() string        { return "/proc/" + strconv.Itoa(n.pid) + "/ns/net" }
func (n *network) enter() []string     { return []string{"nsenter", "--net=" + n.path()} }
func (n *network) calls(b *box)        { b.prepare = wrapped(n.enter()...) }
func (n *network) of(pid int) *network { return &network{n.T, pid} }

// ip runs ip(8) there, once for each line.
func (n *network) ip(lines ...string) (out string) {
	n.Helper()
	for _, line := range lines {
		args := slices.Concat(n.enter()[1:], []string{"ip"}, strings.Fields(line))
		said, err := exec.Command("nsenter", args...).CombinedOutput()
		if err != nil {
			n.Fatalf("ip %s: %v: %s", line, err, said)
		}
		out = string(said)
	}
	return out
}

// device is what ip(8) tells of one.
type device struct {
	Name      string `json:"ifname"`
	MTU       int    `json:"mtu"`
	MAC       string `json:"address"`
	Flags     []string
	Addresses []struct {
		Family, Local, Scope string
		PrefixLen            int
		Broadcast            string
	} `json:"addr_info"`
}

func (n *network) devices() (list []device) {
	n.Helper()
	if err := json.Unmarshal([]byte(n.ip("-j addr")), &list); err != nil {
		n.Fatal(err)
	}
	return list
}

func (n *network) has(name string) *device {
	n.Helper()
	for _, d := range n.devices() {
		if d.Name == name {
			return &d
		}
	}
	return nil
}

func (d *device) locals(scope string) (list []string) {
	for _, a := range d.Addresses {
		if a.Scope == scope {
			list = append(list, a.Local+"/"+strconv.Itoa(a.PrefixLen))
		}
	}
	return list
}

// whole is all of the namespace that must be the same again.
func (n *network) whole() []any {
	n.Helper()
	six := strings.Split(strings.ReplaceAll(n.ip("-6 route"), "linkdown ", ""), "\n")
	slices.Sort(six) // those of the link are in the order of their making
	return []any{n.devices(), n.ip("route"), six}
}

func netDevice(name, inside string) edit {
	return set("linux.netDevices."+name, specs.LinuxNetDevice{Name: inside})
}

// ND-01, ND-04, ND-05: moved and renamed, with its attributes and its permanent
// global addresses, and set up.
func TestANetworkDeviceIsMovedWithItsAttributesAndAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, inside string
		edit         edit
	}{
		{"under another name", "web0", netDevice("lan0", "web0")},
		{"under its own name", "lan0", netDevice("lan0", "")},
		{"into a user namespace", "web0", all(netDevice("lan0", "web0"), user(oneMore))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			host, b := newHostNetwork(t), newBox(t, shell("sleep 30"), c.edit)
			host.calls(b)
			b.create()
			inside := host.of(b.state().Pid)
			got := inside.has(c.inside)
			if got == nil {
				t.Fatalf("the container has %v", inside.devices())
			}
			if got.MTU != 1400 || got.MAC != "02:00:00:00:00:17" || !slices.Contains(got.Flags, "UP") {
				t.Errorf("got %+v", got)
			}
			if link := inside.ip("link show dev " + c.inside); !strings.Contains(link, "alias the-lan") {
				t.Errorf("the alias is gone: %s", link)
			}
			if diff := cmp.Diff([]string{"10.9.8.7/24", "fd00:1::7/64"}, got.locals("global")); diff != "" {
				t.Errorf("addresses (-want +got):\n%s", diff)
			}
			if slices.Contains(got.locals("link"), "169.254.3.3/16") {
				t.Error("an address of the link's scope came along")
			}
			if host.has("lan0") != nil {
				t.Error("the host has it still")
			}
		})
	}
}

// ND-05: also one that was down.
func TestANetworkDeviceThatWasDownIsUpInTheContainer(t *testing.T) {
	t.Parallel()
	host, b := newHostNetwork(t), newBox(t, shell("sleep 30"), netDevice("lan0", ""))
	host.ip("link set lan0 down")
	host.calls(b)
	b.create()
	if d := host.of(b.state().Pid).has("lan0"); d == nil || !slices.Contains(d.Flags, "UP") {
		t.Errorf("got %+v", d)
	}
}

// ND-01: both ends of a cable, into a namespace that has a path.
func TestNetworkDevicesAreMovedIntoANamespaceWithAPath(t *testing.T) {
	t.Parallel()
	host, other := newHostNetwork(t), newNetwork(t)
	b := newBox(t, shell("sleep 30"), netDevice("lan0", "web0"), netDevice("far0", "web1"), set(netNS+".path", other.path()))
	host.calls(b)
	b.create()
	if other.has("web0") == nil || other.has("web1") == nil {
		t.Errorf("the container has %v", other.devices())
	}
	b.start()
	b.must("kill", b.id, "KILL")
	b.ends()
	b.must("delete", b.id)
	// ND-06: the namespace outlives the container, and keeps what was moved there.
	if other.has("web0") == nil || len(host.devices()) != 1 {
		t.Errorf("after delete the namespace has %v and the host %v", other.devices(), host.devices())
	}
}

// ND-03, D-33: the kernel fills in the number.
func TestATemplateOfANetworkDevicesNameIsFilledByTheKernel(t *testing.T) {
	t.Parallel()
	host, other := newHostNetwork(t), newNetwork(t)
	other.ip("link add eth0 type veth peer name lan0")
	b := newBox(t, shell("sleep 30"), netDevice("lan0", "eth%d"), set(netNS+".path", other.path()))
	host.calls(b)
	b.create()
	if d := other.has("eth1"); d == nil || d.MAC != "02:00:00:00:00:17" {
		t.Errorf("the container has %v", other.devices())
	}
}

// ND-06: nobody cares for the device after create: what the program does with it stays.
func TestANetworkDeviceIsLeftAloneOnceTheContainerIsCreated(t *testing.T) {
	t.Parallel()
	host, b := newHostNetwork(t), newBox(t, shell("sleep 30"), netDevice("lan0", "web0"))
	host.calls(b)
	b.create()
	inside := host.of(b.state().Pid)
	inside.ip("link set web0 down", "addr flush dev web0", "link set web0 name mine0")
	b.start()
	if d := inside.has("mine0"); d == nil || slices.Contains(d.Flags, "UP") || len(d.Addresses) != 0 {
		t.Errorf("got %+v", d)
	}
	if host.has("lan0") != nil {
		t.Error("it is back on the host")
	}
}

// ND-02, T-11, LC-18: an error at any point, and the host is what it was.
func TestACreateThatFailsBringsNetworkDevicesBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows, name string
		edit       edit
		say        []string
	}{
		{"ND-02", "a name that is taken", netDevice("lan0", "web0"), []string{"linux.netDevices.lan0", `"web0"`}},
		{"ND-02", "a name that is taken, of the second", all(netDevice("far0", ""), netDevice("lan0", "web0")), []string{"linux.netDevices.lan0", `"web0"`}},
		{"T-11", "a cwd that is a file", all(netDevice("lan0", "lan%d"), netDevice("far0", ""), set("process.cwd", "/bin/probe")), []string{"process.cwd"}},
		{"T-11", "a program that isn't there", all(netDevice("lan0", ""), args("/nosuch")), []string{"/nosuch"}},
		{"LC-20", "a hook that fails", all(netDevice("lan0", "x0"), set("hooks.createRuntime[+].path", "/bin/false")), []string{"hooks.createRuntime[0]"}},
		{"LC-20", "a hook inside that fails", all(netDevice("lan0", "x0"), set("hooks.createContainer[+].path", "/bin/false")), []string{"hooks.createContainer[0]"}},
	} {
		t.Run(c.rows+" "+c.name, func(t *testing.T) {
			t.Parallel()
			host, other := newHostNetwork(t), newNetwork(t)
			other.ip("link add web0 type veth peer name web1")
			b := newBox(t, c.edit, set(netNS+".path", other.path()))
			host.calls(b)
			before, there := host.whole(), other.whole()
			b.refuses([]string{"create", "--bundle", b.dir, b.id}, c.say...)
			if diff := cmp.Diff(before, host.whole()); diff != "" {
				t.Errorf("the host has changed (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(there, other.whole()); diff != "" {
				t.Errorf("the namespace has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// ND-07: what can be seen to be impossible is refused before anything is made.
func TestNetworkDevicesThatCannotBeMovedAreRefused(t *testing.T) {
	t.Parallel()
	host := newHostNetwork(t)
	for _, c := range []struct {
		name string
		edit edit
		say  []string
	}{
		{"no such device", netDevice("nosuch0", ""), []string{"linux.netDevices", `"nosuch0"`}},
		{"the loopback device", netDevice("lo", "lo1"), []string{"linux.netDevices.lo"}},
		{"no network namespace", all(drop(netNS), netDevice("lan0", "")), []string{"linux.netDevices", "network"}},
		{"the runtime's own namespace", all(set(netNS+".path", host.path()), netDevice("lan0", "")), []string{"linux.netDevices", host.path()}},
		{"a name of 16 letters", netDevice("lan0", "abcdefghijklmnop"), []string{"linux.netDevices.lan0.name", "abcdefghijklmnop"}},
		{"a name with a slash", netDevice("lan0", "a/b"), []string{"linux.netDevices.lan0.name", "a/b"}},
		{"a name with a colon", netDevice("lan0", "a:b"), []string{"linux.netDevices.lan0.name", "a:b"}},
		{"one name for two", all(netDevice("lan0", "x0"), netDevice("far0", "x0")), []string{"linux.netDevices.lan0", `"x0"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, c.edit)
			host.calls(b)
			before := host.whole()
			b.refuses([]string{"create", "--bundle", b.dir, b.id}, c.say...)
			if diff := cmp.Diff(before, host.whole()); diff != "" {
				t.Errorf("the host has changed (-before +after):\n%s", diff)
			}
		})
	}
}

// Run moves devices as create does, and holds no namespace alive by it.
func TestRunMovesNetworkDevicesToo(t *testing.T) {
	t.Parallel()
	host, b := newHostNetwork(t), newBox(t, shell("cat /sys/class/net/web0/mtu; cat /proc/net/dev"), netDevice("lan0", "web0"), set("mounts[+]", specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs"}))
	host.calls(b)
	if out := b.run(); !strings.HasPrefix(out, "1400\n") || !strings.Contains(out, "web0:") {
		t.Errorf("the container saw %q", out)
	}
}

// T-11: also by a minirt that isn't there any more, and that has not brought it back.
func TestDeleteBringsBackWhatAKilledCreateHasMoved(t *testing.T) {
	t.Parallel()
	if !ours {
		t.Skip("other runtimes keep no record of it")
	}
	host, other := newHostNetwork(t), newNetwork(t)
	b := newBox(t, netDevice("lan0", "web0"), set(netNS+".path", other.path()), set("hooks.createRuntime[+]", specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", "kill -9 $PPID"}}))
	host.calls(b)
	before := host.whole()
	b.call("create", "--bundle", b.dir, b.id)
	if other.has("web0") == nil {
		t.Fatal("the device was not moved when the hook ran")
	}
	b.must("delete", "--force", b.id)
	if diff := cmp.Diff(before, host.whole()); diff != "" {
		t.Errorf("the host has changed (-before +after):\n%s", diff)
	}
	b.unknown()
}
