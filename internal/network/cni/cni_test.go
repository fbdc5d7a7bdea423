package cni

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// alone runs the rest of a test once more in network and mount namespaces of
// its own, and returns true there: no plugin ever sees those of the host.
func alone(t *testing.T) bool {
	t.Helper()
	var st unix.Stat_t
	check(t, unix.Stat("/proc/self/ns/net", &st))
	if outside := os.Getenv("OUTSIDE"); outside != "" {
		if outside == strconv.FormatUint(st.Ino, 10) {
			t.Fatal("this is the host's network namespace")
		}
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make network namespaces")
	}
	self, err := os.Executable()
	check(t, err)
	c := exec.Command("unshare", "-n", "-m", self, "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), "OUTSIDE="+strconv.FormatUint(st.Ino, 10), "TMPDIR="+t.TempDir())
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("%s", out)
	}
	return false
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// container is a process with a network namespace of its own.
func container(t *testing.T, id string) *specs.State {
	t.Helper()
	c := exec.Command("unshare", "-n", "sh", "-c", "echo; exec sleep 60")
	out, err := c.StdoutPipe()
	check(t, err)
	check(t, c.Start())
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	out.Read(make([]byte, 1))
	return &specs.State{Version: specs.Version, ID: id, Pid: c.Process.Pid, Status: specs.StateCreated}
}

func netns(s *specs.State) string { return fmt.Sprintf("/proc/%d/ns/net", s.Pid) }

// network is a configuration of real plugins, and where they keep their leases.
func network(t *testing.T) (o Options, leases string) {
	t.Helper()
	o = Options{Dir: t.TempDir(), Records: filepath.Join(t.TempDir(), "net:cni")}
	for _, dir := range o.path() {
		if _, err := os.Stat(dir + "/bridge"); err == nil {
			o.Path = []string{dir}
		}
	}
	if o.Path == nil {
		t.Skip("the plugins of CNI are not installed")
	}
	leases = t.TempDir()
	check(t, os.WriteFile(o.Dir+"/10-web.conflist", []byte(`{"cniVersion": "1.0.0", "name": "web", "plugins": [
		{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "dns": {"nameservers": ["10.99.0.1"], "domain": "example"},
		 "ipam": {"type": "host-local", "dataDir": "`+leases+`", "ranges": [[{"subnet": "10.99.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
		{"type": "portmap", "capabilities": {"portMappings": true}}]}`), 0o644))
	run(t, "ip", "link", "set", "lo", "up")
	return o, leases
}

// traces are what a connection leaves on the host's side.
func traces(t *testing.T, o Options, leases string) (list []string) {
	t.Helper()
	for line := range strings.Lines(run(t, "ip", "-o", "link")) {
		if strings.Contains(line, "veth") {
			list = append(list, line)
		}
	}
	if _, err := exec.LookPath("iptables-save"); err == nil {
		for line := range strings.Lines(run(t, "iptables-save", "-t", "nat")) {
			if strings.Contains(line, "10.99.0.") || strings.Contains(line, "web") {
				list = append(list, line)
			}
		}
	}
	names, err := filepath.Glob(leases + "/web/10.99*")
	check(t, err)
	list = append(list, names...)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	check(t, err)
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, o.Records) {
			list = append(list, line)
		}
	}
	if _, err := os.Lstat(o.Records); err == nil {
		list = append(list, o.Records)
	}
	return list
}

func TestAContainerIsConnectedByTheMachinesPluginsAndNothingOfItStays(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	o, leases := network(t)
	o.Ports = []Port{{HostPort: 8080, ContainerPort: 80, Protocol: "tcp"}}
	c := container(t, "web-1")
	os.Unsetenv("PATH") // as in a hook
	r, err := Up(t.Context(), c, netns(c), o)
	os.Setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	check(t, err)
	want := &Result{Addresses: []netip.Addr{netip.MustParseAddr("10.99.0.2")}, Nameservers: []string{"10.99.0.1"}, Search: []string{"example"}}
	if diff := cmp.Diff(want, r, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	served(t, c.Pid)
	if len(traces(t, o, leases)) < 5 {
		t.Errorf("few traces: %q", traces(t, o, leases))
	}
	// The process goes first, and so does the file of the network: as with a poststop hook.
	check(t, unix.Kill(c.Pid, unix.SIGKILL))
	check(t, os.Remove(o.Dir+"/10-web.conflist"))
	check(t, Down(t.Context(), c, o))
	if list := traces(t, o, leases); len(list) > 0 {
		t.Errorf("left: %q", list)
	}
	check(t, Down(t.Context(), c, o))
}

// served has the container serve a page, which is fetched by the published port.
func served(t *testing.T, pid int) {
	t.Helper()
	page := t.TempDir()
	check(t, os.WriteFile(page+"/index.html", []byte("a page"), 0o644))
	if _, err := exec.LookPath("busybox"); err != nil {
		t.Log("no busybox: the published port is not tried")
		return
	}
	c := exec.Command("nsenter", "-t", strconv.Itoa(pid), "-n", "busybox", "httpd", "-f", "-p", "80", "-h", page)
	check(t, c.Start())
	defer func() { c.Process.Kill(); c.Wait() }()
	for wait := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", "10.99.0.1:8080", time.Second)
		if err != nil {
			if time.Now().After(wait) {
				t.Error(err)
				return
			}
			continue
		}
		fmt.Fprint(conn, "GET / HTTP/1.0\r\n\r\n")
		answer, err := io.ReadAll(conn)
		conn.Close()
		if !bytes.HasSuffix(answer, []byte("a page")) {
			t.Errorf("%q, %v", answer, err)
		}
		return
	}
}

func TestTheAddressesOfContainersThatStartAtOnceDiffer(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	o, leases := network(t)
	const n = 6
	var all [n]*specs.State
	for i := range all {
		all[i] = container(t, "c"+strconv.Itoa(i))
	}
	var results [n]*Result
	each := func(do func(i int) error) {
		t.Helper()
		var errs [n]error
		var wait sync.WaitGroup
		for i := range n {
			wait.Go(func() { errs[i] = do(i) })
		}
		wait.Wait()
		check(t, errors.Join(errs[:]...))
	}
	each(func(i int) (err error) { results[i], err = Up(t.Context(), all[i], netns(all[i]), o); return err })
	seen := map[netip.Addr]bool{}
	for _, r := range results {
		seen[r.Addresses[0]] = true
	}
	if len(seen) != n {
		t.Errorf("addresses: %v", seen)
	}
	each(func(i int) error { return Down(t.Context(), all[i], o) })
	if list := traces(t, o, leases); len(list) > 0 {
		t.Errorf("left: %q", list)
	}
}

func TestAContainerThatIsConnectedIsConnectedAnew(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	o, leases := network(t)
	c := container(t, "web")
	for range 2 {
		r, err := Up(t.Context(), c, netns(c), o)
		check(t, err)
		if got := run(t, "nsenter", "-t", strconv.Itoa(c.Pid), "-n", "ip", "-o", "-4", "addr", "show", "eth0"); !strings.Contains(got, r.Addresses[0].String()+"/24") {
			t.Errorf("%v: %s", r.Addresses, got)
		}
	}
	check(t, Down(t.Context(), c, o))
	if list := traces(t, o, leases); len(list) > 0 {
		t.Errorf("left: %q", list)
	}
}

func TestAFailureNamesPluginAndStepAndLeavesNothing(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	o, leases := network(t)
	text, err := os.ReadFile(o.Dir + "/10-web.conflist")
	check(t, err)
	c := container(t, "web")
	for _, test := range []struct{ old, new, want string }{
		{`"portmap"`, `"no-such-plugin"`, `network "web": no plugin "no-such-plugin" in `},
		{`"host-local"`, `"no-such-one"`, `network "web": no plugin "no-such-one" in `},
		{`{"type": "portmap"`, `{"type": "tuning", "sysctl": {"net.ipv4.conf.none.rp_filter": "1"}}, {"type": "portmap"`, `network "web": plugin type="tuning" failed (add): `},
		{`10.99.0.0/24`, `10.99.0.0/32`, `network "web": plugin type="bridge" failed (add): `},
	} {
		check(t, os.WriteFile(o.Dir+"/10-web.conflist", []byte(strings.Replace(string(text), test.old, test.new, 1)), 0o644))
		_, err := Up(t.Context(), c, netns(c), o)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", test.new, err)
		}
		if list := traces(t, o, leases); len(list) > 0 {
			t.Errorf("%s left: %q", test.new, list)
		}
	}
}

// A minirt that is killed in the middle of Up leaves a record, and Down undoes by it.
func TestAnUpThatWasKilledIsUndone(t *testing.T) {
	t.Parallel()
	if !alone(t) {
		return
	}
	o, leases := network(t)
	// A plugin that kills who calls it, behind one that has made all.
	dir := t.TempDir()
	check(t, os.WriteFile(dir+"/portmap", []byte("#!/bin/sh\n[ $CNI_COMMAND = DEL ] || kill -9 $PPID\n"), 0o755))
	o.Path = append([]string{dir}, o.Path...)
	c := container(t, "web")
	self, err := os.Executable()
	check(t, err)
	killed := exec.Command(self, "-test.run=^TestUpForAnother$")
	killed.Env = append(os.Environ(), "NETNS="+netns(c), "DIR="+o.Dir, "RECORDS="+o.Records, "CNI_PATH="+strings.Join(o.Path, ":"))
	if out, err := killed.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("%v: %s", err, out)
	}
	if len(traces(t, o, leases)) < 4 {
		t.Errorf("few traces: %q", traces(t, o, leases))
	}
	check(t, Down(t.Context(), c, o))
	if list := traces(t, o, leases); len(list) > 0 {
		t.Errorf("left: %q", list)
	}
}

// TestUpForAnother is what TestAnUpThatWasKilledIsUndone has killed.
func TestUpForAnother(t *testing.T) {
	if os.Getenv("NETNS") == "" {
		t.Skip("only another test runs it")
	}
	_, err := Up(context.Background(), &specs.State{ID: "web"}, os.Getenv("NETNS"), Options{Dir: os.Getenv("DIR"), Records: os.Getenv("RECORDS")})
	check(t, err)
}

func TestTheHostsOwnNetworkIsNeverConnected(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir(), Records: t.TempDir() + "/records"}
	for path, want := range map[string]string{
		"/proc/self/ns/net": "it is the host's own",
		"/proc/self/ns/uts": "not a network namespace",
		"/proc/self/status": "not a network namespace",
		"/proc/0/ns/net":    "no such file or directory",
	} {
		_, err := Up(t.Context(), &specs.State{ID: "a"}, path, o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Lstat(o.Records); err == nil {
		t.Error("records are left")
	}
}

func TestAnIDThatCNIDoesNotTakeIsRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "a+b", "../x", ".a", "-a", "a/b"} {
		if _, err := Up(t.Context(), &specs.State{ID: id}, "/none", Options{}); err == nil || !strings.Contains(err.Error(), "container") {
			t.Errorf("%q: %v", id, err)
		}
		if err := Down(t.Context(), &specs.State{ID: id}, Options{Records: "/none"}); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}
