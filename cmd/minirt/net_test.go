package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A netPlace is a host for one test: a network namespace that its thread is in,
// with a state root. Whatever the test starts is in that namespace too.
type netPlace struct {
	*testing.T
	*place
	dir     string
	busybox string
}

// newNetPlace puts the test's thread into a network namespace of its own, for
// ever: the thread ends with the test. Nothing here may run in the machine's own.
func newNetPlace(t *testing.T) *netPlace {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("takes root's rights")
	}
	for _, program := range []string{"ip", "nsenter"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("takes the program ", program)
		}
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("takes the program busybox")
	}
	runtime.LockOSThread()
	before := networkOf(t)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skip("no network namespace: ", err)
	}
	if networkOf(t) == before {
		t.Fatal("the test would change the machine's own network")
	}
	dir := t.TempDir()
	p := &netPlace{t, newPlace(t, dir), dir, busybox}
	t.Cleanup(func() { p.clear(t) })
	p.run("ip", "link", "set", "lo", "up")
	if out, err := p.try("ip", "link", "add", "probe", "type", "bridge"); err != nil {
		t.Skip("no bridges: ", out)
	}
	p.run("ip", "link", "del", "probe")
	return p
}

func networkOf(t *testing.T) string {
	t.Helper()
	name, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// run runs a program and gives what it says; its failure is the test's.
func (p *netPlace) run(args ...string) string {
	p.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.Fatalf("%q: %v: %s", args, err, out)
	}
	return out
}

// try runs a program. Its output is a file: a container may keep it open.
func (p *netPlace) try(args ...string) (string, error) {
	p.Helper()
	out, err := os.CreateTemp(p.dir, "output")
	if err != nil {
		p.Fatal(err)
	}
	defer out.Close()
	c := p.command(args...)
	c.Stdout, c.Stderr = out, out
	err = c.Run()
	text, _ := os.ReadFile(out.Name())
	return string(text), err
}

// command is a program in the place, or minirt with its state root.
func (p *netPlace) command(args ...string) *exec.Cmd {
	if args[0] == "minirt" {
		args = append([]string{p.program, "--root", p.root}, args[1:]...)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Dir, c.Env = p.dir, p.env
	return c
}

// web makes a bundle of an HTTP server that serves the file "page".
func (p *netPlace) web(name string, flags ...string) {
	p.Helper()
	p.run(slices.Concat([]string{"minirt", "deploy", "--net", "bridge"}, flags, []string{name, p.busybox, "httpd", "-f", "-p", "80", "-h", "/"})...)
	if err := os.WriteFile(filepath.Join(p.dir, name, "rootfs/page"), []byte("from "+name+"\n"), 0o644); err != nil {
		p.Fatal(err)
	}
}

// fetch gets a page of a server, where it may be a moment until it listens.
// prefix are words that put the client elsewhere.
func (p *netPlace) fetch(prefix []string, at string) string {
	p.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		out, err := p.tryFetch(prefix, at, "3")
		if err == nil {
			return out
		}
		if time.Now().After(end) {
			return fmt.Sprint(err, ": ", out)
		}
	}
}

func (p *netPlace) tryFetch(prefix []string, at, seconds string) (string, error) {
	p.Helper()
	return p.try(append(slices.Clone(prefix), p.busybox, "timeout", seconds, p.busybox, "wget", "-q", "-O", "-", "http://"+at+"/page")...)
}

// left is what there is in the place that could be ours.
func (p *netPlace) left() (all []string) {
	p.Helper()
	for l := range strings.Lines(p.run("ip", "-o", "link")) {
		if name := strings.Fields(l)[1]; name != "lo:" {
			all = append(all, "device "+name)
		}
	}
	tables, err := (&nftables.Conn{}).ListTables()
	if err != nil {
		p.Fatal(err)
	}
	for _, t := range tables {
		all = append(all, "table "+t.Name)
	}
	entries, _ := os.ReadDir(p.root)
	for _, e := range entries {
		all = append(all, "state "+e.Name())
	}
	return all
}

func (p *netPlace) isEmpty() {
	p.Helper()
	if got := p.left(); got != nil {
		p.Errorf("left: %q", got)
	}
}

// ids are ids of containers that no other test has: their cgroups' names are made of them.
func (p *netPlace) ids(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%d", filepath.Base(p.cgroup), i))
	}
	return all
}

// atOnce starts a minirt for each of several containers, and waits for all.
func (p *netPlace) atOnce(ids []string, args ...string) {
	p.Helper()
	var all []*exec.Cmd
	for _, id := range ids {
		c := p.command(slices.Concat([]string{"minirt"}, args, []string{id})...)
		log, err := os.Create(filepath.Join(p.dir, "log-"+id))
		if err != nil {
			p.Fatal(err)
		}
		defer log.Close()
		c.Stdout, c.Stderr = log, log
		if err := c.Start(); err != nil {
			p.Fatal(err)
		}
		all = append(all, c)
	}
	for i, c := range all {
		if err := c.Wait(); err != nil {
			text, _ := os.ReadFile(filepath.Join(p.dir, "log-"+ids[i]))
			p.Errorf("%q: %v: %s", args, err, text)
		}
	}
}

func TestTwentyContainersAtOnceReachEachOtherAndLeaveNothing(t *testing.T) {
	t.Parallel()
	p := newNetPlace(t)
	p.web("web")
	ids := p.ids(20)
	p.atOnce(ids, "create", "--bundle", "web")
	p.atOnce(ids, "start")

	addresses := map[string]bool{}
	leases, err := os.ReadFile(filepath.Join(p.root, "net:minirt0/leases"))
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(leases)) {
		if f := strings.Fields(l); slices.Contains(ids, f[1]) {
			addresses["10.177.80."+f[0]] = true
			addresses["[fd6d:696e:6972::"+hexOf(t, f[0])+"]"] = true
		}
	}
	if len(addresses) != 40 {
		t.Errorf("%d addresses: %s", len(addresses), leases)
	}
	p.serve(p.self(), "10.177.80.1:80", func(net.Conn) string { return "from web\n" })
	script := "for a in 10.177.80.1 " + strings.Join(slices.Collect(maps.Keys(addresses)), " ") +
		"; do BUSYBOX timeout 5 BUSYBOX wget -q -O - http://$a/page || echo not $a; done"
	for _, id := range ids {
		if got := p.run("minirt", "exec", id, p.busybox, "sh", "-c", strings.ReplaceAll(script, "BUSYBOX", p.busybox)); got != strings.Repeat("from web\n", 41) {
			t.Errorf("%s reached %q", id, got)
		}
		if got := p.run("minirt", "exec", id, p.busybox, "grep", "-c", " web "+id+" #", "/etc/hosts"); got != "2\n" {
			t.Errorf("%s has %q lines in /etc/hosts", id, got)
		}
	}
	p.atOnce(ids, "delete", "--force")
	p.isEmpty()
	hosts, _ := os.ReadFile(filepath.Join(p.dir, "web/hosts"))
	if diff := cmp.Diff(ownHosts, string(hosts)); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
}

func hexOf(t *testing.T, decimal string) string {
	t.Helper()
	n, err := strconv.Atoi(decimal)
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(int64(n), 16)
}

// outside makes another machine: a namespace with a device that is joined to
// one of the place's. It gives the number of a process in it, and the words that
// put a program there.
func (p *netPlace) outside() (pid string, there []string) {
	p.Helper()
	c := exec.Command("sleep", "100")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if err := c.Start(); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { c.Process.Kill(); c.Wait() })
	pid = strconv.Itoa(c.Process.Pid)
	there = []string{"nsenter", "--net=/proc/" + pid + "/ns/net"}
	p.run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan0", "netns", pid)
	for _, words := range [][]string{
		{"ip", "addr", "add", "192.0.2.1/24", "dev", "lan0"},
		{"ip", "addr", "add", "2001:db8::1/64", "dev", "lan0", "nodad"},
		{"ip", "link", "set", "lan0", "up"},
		append(there, "ip", "addr", "add", "192.0.2.9/24", "dev", "lan0"),
		append(there, "ip", "addr", "add", "2001:db8::9/64", "dev", "lan0", "nodad"),
		append(there, "ip", "link", "set", "lan0", "up"),
		append(there, "ip", "route", "add", "10.177.80.0/22", "via", "192.0.2.1"),
	} {
		p.run(words...)
	}
	return pid, there
}

func TestAPublishedPortLeadsToTheContainer(t *testing.T) {
	t.Parallel()
	p := newNetPlace(t)
	_, there := p.outside()
	p.web("web", "-p", "8080:80", "-p", "192.0.2.1:8081:80", "-p", "[2001:db8::1]:8082:80")
	p.web("other")
	ids := p.ids(2)
	web, other := ids[0], ids[1]
	p.run("minirt", "create", "--bundle", "web", web)
	p.run("minirt", "start", web)
	p.run("minirt", "create", "--bundle", "other", other)
	p.run("minirt", "start", other)
	in := func(id string) []string { return []string{"minirt", "exec", id} }
	for _, c := range []struct {
		what, at string
		prefix   []string
	}{
		{"from outside", "192.0.2.1:8080", there},
		{"from outside, by IPv6", "[2001:db8::1]:8080", there},
		{"from outside, at an address", "192.0.2.1:8081", there},
		{"from outside, at an address of IPv6", "[2001:db8::1]:8082", there},
		{"from the host", "192.0.2.1:8080", nil},
		{"from the host, by loopback", "127.0.0.1:8080", nil},
		{"from the host, by IPv6", "[2001:db8::1]:8080", nil},
		{"from the host, at the bridge's address", "10.177.80.1:8080", nil},
		{"from another container", "192.0.2.1:8080", in(other)},
		{"from another container, at the bridge's address", "10.177.80.1:8080", in(other)},
		{"from another container, by IPv6", "[2001:db8::1]:8082", in(other)},
		{"from the container itself", "192.0.2.1:8080", in(web)},
		{"from the container itself, by IPv6", "[2001:db8::1]:8080", in(web)},
	} {
		if got := p.fetch(c.prefix, c.at); got != "from web\n" {
			t.Errorf("%s (%s): %q", c.what, c.at, got)
		}
	}
	for _, c := range []struct {
		what, at string
		prefix   []string
	}{
		{"a port that is not published", "192.0.2.1:80", there},
		{"a port of another address", "10.177.80.1:8081", nil},
		{"the container's own address from outside", "10.177.80.2:80", there},
		{"::1", "[::1]:8080", nil},
	} {
		if out, err := p.tryFetch(c.prefix, c.at, "1"); err == nil {
			t.Errorf("%s is reached: %s", c.what, out)
		}
	}
	p.run("minirt", "delete", "--force", web)
	if out, err := p.tryFetch(nil, "127.0.0.1:8080", "1"); err == nil {
		t.Errorf("the port leads somewhere after delete: %s", out)
	}
	p.run("minirt", "delete", "--force", other)
	p.run("ip", "link", "del", "lan0")
	p.isEmpty()
}

// at does something in the network namespace of a process, as opening a socket there.
func (p *netPlace) at(pid string, do func() error) {
	p.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // the thread ends with the function
		ns, err := unix.Open("/proc/"+pid+"/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(ns, unix.CLONE_NEWNET)
			unix.Close(ns)
		}
		if err == nil {
			err = do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		p.Fatal(err)
	}
}

// echo answers datagrams to port 53 of a container with its name.
func (p *netPlace) echo(id string) {
	p.Helper()
	var c net.PacketConn
	p.at(p.pid(id), func() (err error) {
		c, err = net.ListenPacket("udp4", ":53")
		return err
	})
	p.Cleanup(func() { c.Close() })
	go func() {
		for {
			_, from, err := c.ReadFrom(make([]byte, 100))
			if err != nil {
				return
			}
			c.WriteTo([]byte(id), from)
		}
	}()
}

// serve serves a page in the network namespace of a process, or here.
func (p *netPlace) serve(pid, at string, page func(net.Conn) string) {
	p.Helper()
	var l net.Listener
	p.at(pid, func() (err error) {
		l, err = net.Listen("tcp", at)
		return err
	})
	p.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(5 * time.Second))
			c.Read(make([]byte, 4096))
			io.WriteString(c, "HTTP/1.0 200 OK\r\n\r\n"+page(c))
			c.Close()
		}
	}()
}

// self is the number of the test's thread, whose network namespace is the place.
func (p *netPlace) self() string { return strconv.Itoa(unix.Gettid()) }

// pid is the number of a container's process.
func (p *netPlace) pid(id string) string {
	p.Helper()
	var s struct{ Pid int }
	if err := json.Unmarshal([]byte(p.run("minirt", "state", id)), &s); err != nil {
		p.Fatal(err)
	}
	return strconv.Itoa(s.Pid)
}

// A client that goes on asking from the same port is led to the container that
// is there now, and not to where its first datagram went.
func TestAPublishedPortOfUDPLeadsToTheContainerThatIsThere(t *testing.T) {
	t.Parallel()
	p := newNetPlace(t)
	p.web("web", "-p", "5353:53/udp")
	p.web("other")
	ids := p.ids(4)
	p.run("minirt", "create", "--bundle", "other", ids[3]) // so that there is always a table, and the kernel remembers flows
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 300_000})
	ask := func() string {
		for range 3 {
			unix.Sendto(socket, []byte("who"), 0, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 5353})
			b := make([]byte, 1000)
			if n, _, err := unix.Recvfrom(socket, b, 0); err == nil {
				return string(b[:n])
			}
		}
		return ""
	}
	if got := ask(); got != "" {
		t.Errorf("nobody said %q", got)
	}
	for _, id := range ids[:2] {
		p.run("minirt", "create", "--bundle", "web", id)
		p.echo(id)
		if got := ask(); got != id {
			t.Errorf("the answer is %q, want that of %s", got, id)
		}
		p.run("minirt", "delete", "--force", id)
	}
	p.run("minirt", "create", "--bundle", "other", ids[2]) // with the address that the last had
	p.echo(ids[2])
	if got := ask(); got != "" {
		t.Errorf("%q is from a container that has published nothing", got)
	}
	p.run("minirt", "delete", "--force", ids[2])
	p.run("minirt", "delete", "--force", ids[3])
	p.isEmpty()
}

// The world sees the host's address; and what listens on the host's loopback
// device is none of a container's business, though packets with such addresses
// go by the bridge (CVE-2020-8558).
func TestAContainerReachesTheWorldButNotTheHostsLoopback(t *testing.T) {
	t.Parallel()
	p := newNetPlace(t)
	outside, _ := p.outside()
	p.web("web", "-p", "8080:80")
	id := p.ids(1)[0]
	p.run("minirt", "create", "--bundle", "web", id)
	inside := []string{"nsenter", "--net=/proc/" + p.pid(id) + "/ns/net"}

	p.serve(p.self(), "127.0.0.1:7000", func(net.Conn) string { return "secret\n" })
	if got := p.fetch(nil, "127.0.0.1:7000"); got != "secret\n" {
		t.Fatal(got)
	}
	for _, words := range [][]string{
		{"ip", "addr", "del", "127.0.0.1/8", "dev", "lo"},
		{"ip", "route", "add", "127.0.0.0/8", "via", "10.177.80.1"},
		{"sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/eth0/route_localnet; ip rule add pref 32765 to 127.0.0.0/8 lookup main"},
	} {
		p.run(append(inside, words...)...)
	}
	if out, err := p.tryFetch(inside, "127.0.0.1:7000", "1"); err == nil {
		t.Errorf("the container reads what is the host's: %s", out)
	}
	if route := p.run(append(inside, "ip", "route", "get", "127.0.0.1")...); !strings.Contains(route, "via 10.177.80.1 dev eth0") {
		t.Errorf("the test tests nothing: %s", route)
	}

	client := func(c net.Conn) string {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		return host
	}
	p.serve(outside, "192.0.2.9:7000", client)
	p.serve(outside, "[2001:db8::9]:7000", client)
	for at, want := range map[string]string{"192.0.2.9:7000": "192.0.2.1", "[2001:db8::9]:7000": "2001:db8::1"} {
		if got := p.fetch(inside, at); got != want {
			t.Errorf("%s is asked by %q, want %s", at, got, want)
		}
	}
	p.run("minirt", "delete", "--force", id)
}

// Wherever create is killed: delete --force leaves nothing, though the hook may
// still be at work, or only begin.
func TestDeleteClearsWhatAKilledCreateHasLeft(t *testing.T) {
	t.Parallel()
	p := newNetPlace(t)
	lock := func() (unlock func()) {
		dir := filepath.Join(p.root, "net:minirt0")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		d, err := os.Open(dir)
		if err == nil {
			err = unix.Flock(int(d.Fd()), unix.LOCK_EX)
		}
		if err != nil {
			t.Fatal(err)
		}
		return func() { d.Close() }
	}
	waiting := func(name string) specs.Hook {
		file := filepath.Join(p.dir, name)
		return specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", "PATH=/usr/bin:/bin; touch " + file + ".begun; while [ ! -e " + file + " ]; do sleep 0.02; done"}}
	}
	for i, c := range []struct {
		what        string
		begin       func() (end func())
		first, last bool // a hook that waits, before ours or behind it
	}{
		{"before the hook", func() func() { return func() {} }, true, false},
		{"behind the hook", func() func() { return func() {} }, false, true},
		{"while the hook waits for its turn", lock, false, false},
	} {
		name := "bundle" + strconv.Itoa(i)
		id := p.ids(3)[i]
		p.web(name, "-p", "8080:80")
		p.rewrite(name, func(s *specs.Spec) {
			if c.first {
				s.Hooks.CreateRuntime = append([]specs.Hook{waiting(name + ".go")}, s.Hooks.CreateRuntime...)
			}
			if c.last {
				s.Hooks.CreateRuntime = append(s.Hooks.CreateRuntime, waiting(name+".go"))
			}
		})
		end := c.begin()
		create := p.command("minirt", "create", "--bundle", name, id)
		if err := create.Start(); err != nil {
			t.Fatal(err)
		}
		for range 200 {
			_, err := os.Stat(filepath.Join(p.dir, name+".go.begun"))
			if err == nil || !c.first && !c.last && p.waitsForLock(filepath.Join(p.root, "net:minirt0")) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		create.Process.Kill()
		create.Wait()
		remove := p.command("minirt", "delete", "--force", id)
		if err := remove.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		end()
		if err := remove.Wait(); err != nil {
			t.Errorf("killed %s: %v", c.what, err)
		}
		os.WriteFile(filepath.Join(p.dir, name+".go"), nil, 0o600)
		for range 100 { // the hook may come last, and find that there is nothing to do
			if p.left() == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if got := p.left(); got != nil {
			t.Errorf("killed %s: left: %q", c.what, got)
		}
		hosts, _ := os.ReadFile(filepath.Join(p.dir, name, "hosts"))
		if diff := cmp.Diff(ownHosts, string(hosts)); diff != "" {
			t.Errorf("killed %s: hosts (-want +got):\n%s", c.what, diff)
		}
	}
}

// waitsForLock tells whether somebody waits for the lock of a directory (proc_locks(5)).
func (p *netPlace) waitsForLock(dir string) bool {
	p.Helper()
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return false
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		p.Fatal(err)
	}
	for l := range strings.Lines(string(locks)) {
		if strings.Contains(l, "-> FLOCK") && strings.Contains(l, ":"+strconv.FormatUint(st.Ino, 10)+" ") {
			return true
		}
	}
	return false
}

// rewrite changes a bundle's config.json.
func (p *netPlace) rewrite(bundle string, edit func(*specs.Spec)) {
	p.Helper()
	name := filepath.Join(p.dir, bundle, "config.json")
	text, err := os.ReadFile(name)
	if err != nil {
		p.Fatal(err)
	}
	var s specs.Spec
	if err := json.Unmarshal(text, &s); err != nil {
		p.Fatal(err)
	}
	edit(&s)
	if text, err = json.Marshal(&s); err == nil {
		err = os.WriteFile(name, text, 0o644)
	}
	if err != nil {
		p.Fatal(err)
	}
}
