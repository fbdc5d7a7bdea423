package netdev

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// place is a network namespace that a sleeping process keeps.
type place struct {
	*testing.T
	*Socket
	pid int
}

func newPlace(t *testing.T) *place {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip is missing")
	}
	c := exec.Command("sleep", "60")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	started := make(chan error)
	ended := make(chan bool)
	go func() { // Pdeathsig is the thread's that starts it
		runtime.LockOSThread()
		started <- c.Start()
		<-ended
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait(); close(ended) })
	p := &place{T: t, pid: c.Process.Pid}
	p.Socket = p.socket()
	t.Cleanup(p.Socket.Close)
	return p
}

// socket makes a route socket there, on a thread that ends with it.
func (p *place) socket() (s *Socket) {
	p.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread isn't used again
		fd, err := unix.Open("/proc/"+strconv.Itoa(p.pid)+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			unix.Close(fd)
		}
		if err == nil {
			s, err = Open()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		p.Fatal(err)
	}
	return s
}

// ip runs ip(8) there, once for each line.
func (p *place) ip(lines ...string) (out string) {
	p.Helper()
	for _, line := range lines {
		c := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(p.pid), "-n", "ip"}, strings.Fields(line)...)...)
		said, err := c.CombinedOutput()
		if err != nil {
			p.Fatalf("ip %s: %v: %s", line, err, said)
		}
		out = string(said)
	}
	return out
}

// shown is what is compared of a device before and after.
type shown struct {
	Name      string `json:"ifname"`
	MTU       int    `json:"mtu"`
	MAC       string `json:"address"`
	Flags     []string
	Master    string
	Addresses []address `json:"addr_info"`
}

type address struct {
	Family, Local, Label, Scope string
	PrefixLen                   int
	Broadcast                   string
	Deprecated                  bool
	NoPrefixRoute               bool
}

func (p *place) show(name string) *shown {
	p.Helper()
	var list []*shown
	if err := json.Unmarshal([]byte(p.ip("-j addr show dev "+name)), &list); err != nil {
		p.Fatal(err)
	}
	s := list[0]
	s.Addresses = slices.DeleteFunc(s.Addresses, func(a address) bool {
		return a.Scope == "link"
	})
	return s
}

func (p *place) names() (list []string) {
	p.Helper()
	for line := range strings.Lines(p.ip("-br link")) {
		name, _, _ := strings.Cut(strings.Fields(line)[0], "@")
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// a host has a device with all that is to be kept, and its peer.
func newHost(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.ip("link set lo up", "link add lan0 type veth peer name far0",
		"link set lan0 mtu 1400 address 02:00:00:00:00:17 alias the-lan", "link set far0 up", "link set lan0 up",
		"addr add 10.9.8.7/24 brd + dev lan0 label lan0:web", "addr add 10.9.8.8/24 dev lan0", "addr add 10.7.0.1/16 dev lan0 noprefixroute",
		"addr add 169.254.3.3/16 scope link dev lan0", "addr add 10.6.0.1/16 dev lan0 valid_lft 3000 preferred_lft 2000",
		"addr add fd00:1::7/64 dev lan0 nodad", "addr add fd00:1::8/64 dev lan0 nodad preferred_lft 0",
		"route add 192.0.2.0/24 dev lan0", "route add default via 10.9.8.1", "route add 198.51.100.0/24 via 192.0.2.9 metric 7",
		"-6 route add default via fd00:1::1")
	return p
}

func (p *place) find(there *place, name, as string) *Device {
	p.Helper()
	d, err := Find(p.Socket, there.Socket, name, as)
	if err != nil {
		p.Fatalf("%s as %s: %v", name, as, err)
	}
	return d
}

func (p *place) move(there *place, name, as string) *Device {
	p.Helper()
	d := p.find(there, name, as)
	if err := d.Move(p.Socket, there.Socket, there.pid); err != nil {
		p.Fatalf("%s as %s: %v", name, as, err)
	}
	return d
}

// ND-01, ND-04, ND-05.
func TestADeviceKeepsItsAttributesAndPermanentGlobalAddresses(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	before := host.show("lan0")
	host.ip("link set lan0 up")
	host.move(box, "lan0", "web0")
	after := box.show("web0")
	if !slices.Contains(after.Flags, "UP") {
		t.Errorf("not up: %v", after.Flags)
	}
	want := *before
	want.Name, want.Flags = "web0", after.Flags
	want.Addresses = slices.Clone(before.Addresses)
	want.Addresses = slices.DeleteFunc(want.Addresses, func(a address) bool {
		return a.Local == "10.6.0.1" // not permanent
	})
	for i := range want.Addresses {
		a := &want.Addresses[i]
		a.Label = strings.Replace(a.Label, "lan0", "web0", 1)
	}
	if diff := cmp.Diff(&want, after); diff != "" {
		t.Errorf("the device has changed (-before +after):\n%s", diff)
	}
	if got := host.names(); slices.Contains(got, "lan0") {
		t.Errorf("the host still has %v", got)
	}
	if link := box.ip("link show dev web0"); !strings.Contains(link, "alias the-lan") {
		t.Errorf("the alias is gone: %s", link)
	}
}

// ND-05.
func TestADeviceThatWasDownIsUpAfterwards(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	host.ip("link set lan0 down")
	host.move(box, "lan0", "lan0")
	if s := box.show("lan0"); !slices.Contains(s.Flags, "UP") {
		t.Errorf("not up: %v", s.Flags)
	}
}

// T-11 of the checklist: as if it had never been tried.
func TestADeviceThatComesBackIsWhatItWas(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"up", "down"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			host, box := newHost(t), newPlace(t)
			host.ip("link add br0 type bridge", "link set br0 up", "link set far0 master br0", "link set lan0 "+state)
			look := func() []any {
				six := strings.Split(strings.ReplaceAll(host.ip("-6 route"), "linkdown ", ""), "\n")
				slices.Sort(six) // those of the link are in the order of their making
				return []any{host.show("lan0"), host.show("far0"), host.names(), host.ip("route"), six}
			}
			before := look()
			lan, far := host.move(box, "lan0", "web0"), host.move(box, "far0", "x%d")
			for _, d := range []*Device{far, lan} {
				if err := d.Return(host.Socket, box.Socket, host.pid); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(before, look()); diff != "" {
				t.Errorf("not as before (-before +after):\n%s", diff)
			}
			if got := box.names(); !slices.Equal(got, []string{"lo"}) {
				t.Errorf("the container has %v", got)
			}
		})
	}
}

// ND-03, D-33: also where the device's own name is taken as well.
func TestATemplateGetsTheFirstNumberThatIsFree(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	box.ip("link add eth0 type veth peer name lan0")
	host.move(box, "lan0", "eth%d")
	host.move(box, "far0", "eth%d")
	if got, want := box.names(), []string{"eth0", "eth1", "eth2", "lan0", "lo"}; !slices.Equal(got, want) {
		t.Errorf("the container has %v, want %v", got, want)
	}
	if mac := box.show("eth1").MAC; mac != "02:00:00:00:00:17" {
		t.Errorf("eth1 is %s", mac)
	}
}

// ND-02.
func TestANameThatIsTakenIsFoundBeforeTheMove(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	box.ip("link add web0 type veth peer name web1")
	if _, err := Find(host.Socket, box.Socket, "lan0", "web0"); err != unix.EEXIST {
		t.Errorf("got %v", err)
	}
}

// Somebody takes the name after it was looked for: the kernel has moved the
// device by the time that it finds out, and it comes back all the same.
func TestADeviceThatWasMovedAndNotRenamedComesBack(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	before := host.show("lan0")
	box.ip("link add other0 type veth peer name other1")
	d := host.find(box, "lan0", "web0")
	box.ip("link set other0 name web0")
	if err := d.Move(host.Socket, box.Socket, box.pid); err != unix.EEXIST {
		t.Fatalf("got %v", err)
	}
	if err := d.Return(host.Socket, box.Socket, host.pid); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, host.show("lan0")); diff != "" {
		t.Errorf("not as before (-before +after):\n%s", diff)
	}
}

func TestANumberThatIsTakenIsReplacedAndTheDeviceStillFound(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	index := host.find(box, "lan0", "lan0").Index
	for i := 0; i <= index; i += 2 { // until the container has that number as well
		box.ip("link add a" + strconv.Itoa(i) + " type veth peer name b" + strconv.Itoa(i))
	}
	if d := host.move(box, "lan0", "web0"); d.There == index {
		t.Errorf("number %d, which is taken", index)
	}
	box.show("web0")
}

// ND-07.
func TestWhatCannotBeMovedIsAnError(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	if _, err := Find(host.Socket, box.Socket, "nosuch0", "nosuch0"); err != unix.ENODEV {
		t.Errorf("a device that isn't there: %v", err)
	}
	d := host.find(box, "lo", "web0")
	if err := d.Move(host.Socket, box.Socket, box.pid); err != unix.EINVAL {
		t.Errorf("the loopback device: %v", err)
	}
	if err := d.Return(host.Socket, box.Socket, host.pid); err != nil || !slices.Contains(host.names(), "lo") {
		t.Errorf("taking back what was never moved: %v", err)
	}
}

// The number is another's where the namespace's path leads somewhere else by now.
func TestAStrangersDeviceIsNotTakenBack(t *testing.T) {
	t.Parallel()
	host, box := newHost(t), newPlace(t)
	d := host.find(box, "lan0", "lan0")
	for i := 0; i <= d.There; i += 2 {
		box.ip("link add a" + strconv.Itoa(i) + " type veth peer name b" + strconv.Itoa(i))
	}
	before := box.names()
	if err := d.Return(host.Socket, box.Socket, host.pid); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, box.names()); diff != "" {
		t.Error(diff)
	}
}

func TestMessagesThatAreCutOffAreReadAsFarAsTheyGo(t *testing.T) {
	whole := newMessage(unix.RTM_NEWADDR, 0, nil).number(unix.IFA_FLAGS, 5).text(unix.IFA_LABEL, "a")[unix.SizeofNlMsghdr:]
	for n := range len(whole) {
		want := 0
		for _, end := range [...]int{8, 14} {
			if n >= end {
				want++
			}
		}
		if got := len(attributes(whole[:n], 0)); got != want {
			t.Errorf("%d bytes: %d attributes, want %d", n, got, want)
		}
	}
	if got := attributes(whole, 0); len(got) != 2 || string(got[1].Value) != "a\x00" {
		t.Errorf("got %v", got)
	}
}
