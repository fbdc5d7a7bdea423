package conformance

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/minirt/minirt/hack/conformance/probe/sight"
	"golang.org/x/sys/unix"
)

// RL-01
func TestEveryLimitIsThatOfConfig(t *testing.T) {
	t.Parallel()
	numbers := map[string]int{"CPU": 0, "FSIZE": 1, "DATA": 2, "STACK": 3, "CORE": 4, "RSS": 5, "NPROC": 6, "NOFILE": 7,
		"MEMLOCK": 8, "AS": 9, "LOCKS": 10, "SIGPENDING": 11, "MSGQUEUE": 12, "NICE": 13, "RTPRIO": 14, "RTTIME": 15}
	type limit struct {
		Type string `json:"type"`
		Hard uint64 `json:"hard"`
		Soft uint64 `json:"soft"`
	}
	var limits []limit
	want := map[string]unix.Rlimit{}
	for name, n := range numbers {
		var here unix.Rlimit
		if err := unix.Getrlimit(n, &here); err != nil {
			t.Fatal(err)
		}
		hard := min(here.Max, 1<<40+uint64(n)) // to raise one takes CAP_SYS_RESOURCE
		if here.Max == unix.RLIM_INFINITY && n%2 == 0 {
			hard = unix.RLIM_INFINITY
		}
		want[name] = unix.Rlimit{Cur: hard - min(hard, uint64(n)), Max: hard}
		if hard == unix.RLIM_INFINITY {
			want[name] = unix.Rlimit{Cur: 1 << 40, Max: hard}
		}
		limits = append(limits, limit{"RLIMIT_" + name, want[name].Max, want[name].Cur})
	}
	b := newBox(t, args("/bin/sleep", "1000"), set("process.rlimits", limits))
	b.create()
	b.start()
	pid := b.state().Pid
	for name, n := range numbers {
		var got unix.Rlimit
		if err := unix.Prlimit(pid, n, nil, &got); err != nil {
			t.Fatal(err)
		}
		if got != want[name] {
			t.Errorf("RLIMIT_%s is %d, want %d", name, got, want[name])
		}
	}
}

// RL-01: 2^64-1 in config.json is infinity.
func TestTheLargestLimitIsInfinity(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell("ulimit -f; ulimit -Hf"), set("process.rlimits", raw(`[{"type":"RLIMIT_FSIZE","soft":18446744073709551615,"hard":18446744073709551615}]`)))
	if got := b.run(); got != "unlimited\nunlimited\n" {
		t.Errorf("printed %q", got)
	}
}

// sets reads the five capability sets, in the order of /proc/PID/status.
func sets(s *sight.Sight) string {
	var all []string
	for _, name := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		n, _ := strconv.ParseUint(s.Status[name], 16, 64)
		all = append(all, fmt.Sprintf("%s=%x", name[3:], n))
	}
	return strings.Join(all, " ")
}

// CP-01, CP-03: execve(2) gives root what its bounding set allows; the sets of
// others are the ambient one.
func TestTheCapabilitiesAreThoseOfConfig(t *testing.T) {
	const chown, kill, net = "CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE" // 0x1, 0x20, 0x400
	for _, c := range []struct {
		name   string
		uid    int
		config map[string][]string
		want   string
	}{
		{"root", 0, map[string][]string{"bounding": {chown, kill}, "permitted": {chown, kill}, "effective": {chown, kill}}, "Inh=0 Prm=21 Eff=21 Bnd=21 Amb=0"},
		{"another user", 1000, map[string][]string{"bounding": {chown, kill}, "permitted": {chown, kill}, "effective": {chown, kill}}, "Inh=0 Prm=0 Eff=0 Bnd=21 Amb=0"},
		{"another user, ambient", 1000, map[string][]string{"bounding": {chown, kill, net}, "permitted": {kill, net}, "effective": {kill}, "inheritable": {kill, net}, "ambient": {net}}, "Inh=420 Prm=400 Eff=400 Bnd=421 Amb=400"},
		{"only bounding", 1000, map[string][]string{"bounding": {net}}, "Inh=0 Prm=0 Eff=0 Bnd=400 Amb=0"},
		{"none at all", 1000, map[string][]string{}, "Inh=0 Prm=0 Eff=0 Bnd=0 Amb=0"},
		{"root with none at all", 0, map[string][]string{}, "Inh=0 Prm=0 Eff=0 Bnd=0 Amb=0"},
		{"root, inheritable", 0, map[string][]string{"bounding": {chown}, "permitted": {chown}, "inheritable": {chown}}, "Inh=1 Prm=1 Eff=1 Bnd=1 Amb=0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			same(t, "the sets", sets(newBox(t, set("process.user.uid", c.uid), set("process.capabilities", c.config)).see()), c.want)
		})
	}
}

// CP-01: what the process has when it executes the program.
func TestEffectiveCapabilitiesHoldBeforeTheProgramIsExecuted(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting), set("process.user.uid", 1000), set("process.capabilities", map[string][]string{
		"bounding": {"CAP_KILL", "CAP_CHOWN"}, "permitted": {"CAP_KILL", "CAP_CHOWN"}, "effective": {"CAP_KILL"}}))
	b.create()
	status := contents(fmt.Sprintf("/proc/%d/status", b.state().Pid))
	for _, line := range []string{"CapPrm:\t0000000000000021\n", "CapEff:\t0000000000000020\n", "CapBnd:\t0000000000000021\n"} {
		if !strings.Contains(status, line) {
			t.Errorf("no %q in %s", line, status)
		}
	}
}

// CP-02, CP-04
func TestACapabilityThatCannotBeGrantedIsWarnedOf(t *testing.T) {
	all := []string{"CAP_KILL", "CAP_NOPE"}
	for _, c := range []struct {
		name, say, want string
		config          map[string][]string
	}{
		{"unknown", "CAP_NOPE", "Inh=0 Prm=0 Eff=0 Bnd=20 Amb=0", map[string][]string{"bounding": all, "permitted": all, "effective": all}},
		{"ambient that isn't inheritable", "CAP_KILL", "Inh=0 Prm=0 Eff=0 Bnd=20 Amb=0", map[string][]string{"bounding": {"CAP_KILL"}, "permitted": {"CAP_KILL"}, "ambient": {"CAP_KILL"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, set("process.user.uid", 1000), set("process.capabilities", c.config))
			r := b.call("run", "--bundle", b.dir, b.id)
			if r.status != 0 || !strings.Contains(r.stderr, c.say) {
				t.Fatal(r)
			}
			same(t, "the sets", sets(b.sight(r.stdout)), c.want)
		})
	}
	t.Run("the host has fewer", func(t *testing.T) {
		t.Parallel()
		b := newBox(t, set("process.capabilities", map[string][]string{"bounding": {"CAP_KILL", "CAP_SYS_TIME"}, "permitted": {"CAP_KILL", "CAP_SYS_TIME"}, "effective": {"CAP_KILL", "CAP_SYS_TIME"}}))
		b.prepare = wrapped("setpriv", "--bounding-set", "-sys_time")
		r := b.call("run", "--bundle", b.dir, b.id)
		if r.status != 0 || !strings.Contains(r.stderr, "CAP_SYS_TIME") {
			t.Fatal(r)
		}
		same(t, "the sets", sets(b.sight(r.stdout)), "Inh=0 Prm=20 Eff=20 Bnd=20 Amb=0")
	})
}

// HT-01, HT-02
func TestTheNamesAreThoseOfConfig(t *testing.T) {
	t.Parallel()
	host, _ := os.Hostname()
	b := newBox(t, set("hostname", "here"), set("domainname", "example.org"))
	s := b.see()
	if s.Hostname != "here" || s.Domainname != "example.org" {
		t.Errorf("hostname %q, domainname %q", s.Hostname, s.Domainname)
	}
	domain := strings.TrimSpace(contents("/proc/sys/kernel/domainname"))
	for _, e := range []edit{set("domainname", ""), drop("domainname")} {
		if s := b.see(e, set("hostname", "")); s.Hostname != host || s.Domainname != domain {
			t.Errorf("hostname %q, domainname %q; the host's are %q and %q", s.Hostname, s.Domainname, host, domain)
		}
	}
	path := fmt.Sprintf("/proc/%d/ns/uts", b.other())
	if s := b.see(set("hostname", "joined"), set("domainname", "joined.org"), set(utsNS+".path", path)); s.Hostname != "joined" || s.Domainname != "joined.org" {
		t.Errorf("hostname %q, domainname %q", s.Hostname, s.Domainname)
	}
	if now, _ := os.Hostname(); now != host {
		t.Errorf("the host's name was %q, is %q", host, now)
	}
}
