package conformance

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// SY-01, SY-03
func TestKernelParametersHoldInTheContainerAndOnlyThere(t *testing.T) {
	t.Parallel()
	const files = "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/lo/forwarding /proc/sys/kernel/shmmax /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max /proc/sys/kernel/domainname"
	before := contents("/proc/sys/kernel/shmmax") + contents("/proc/sys/kernel/domainname")
	b := newBox(t, shell(files), set("linux.sysctl", map[string]string{
		"net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "0", "kernel.shmmax": "123456", "kernel.msgmax": "4321", "fs.mqueue.msg_max": "17", "kernel.domainname": "by.sysctl"}))
	r := b.call("run", "--bundle", b.dir, b.id)
	if r.status != 0 && strings.Contains(r.stderr, "domainname") { // some take it from domainname alone
		t.Skip(r)
	}
	if r.stdout != "1\n0\n123456\n4321\n17\nby.sysctl\n" {
		t.Error(r)
	}
	if after := contents("/proc/sys/kernel/shmmax") + contents("/proc/sys/kernel/domainname"); after != before {
		t.Errorf("the host's were %q, are %q", before, after)
	}
}

// PN-01
func TestTheMachineIsThatOfThePersonality(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("the names are amd64's")
	}
	b := newBox(t)
	for domain, want := range map[string]string{"LINUX": "x86_64", "LINUX32": "i686"} {
		if got := b.see(set("linux.personality.domain", domain)).Machine; got != want {
			t.Errorf("%s: machine %q, want %q", domain, got, want)
		}
	}
	if got := b.see(set("linux.personality", raw(`{"domain":"LINUX","flags":[]}`))).Personality; got != 0 {
		t.Errorf("personality %#x", got)
	}
}

// MP-01, MP-02, MP-03: numbers as in linux/mempolicy.h.
func TestTheMemoryPolicyIsThatOfConfig(t *testing.T) {
	for _, c := range []struct {
		config string
		mode   int32
		nodes  uint64
	}{
		{`{"mode":"MPOL_DEFAULT"}`, 0, 0},
		{`{"mode":"MPOL_PREFERRED","nodes":"0"}`, 1, 1},
		{`{"mode":"MPOL_PREFERRED"}`, 4, 0}, // the kernel's way to say local
		{`{"mode":"MPOL_BIND","nodes":"0"}`, 2, 1},
		{`{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]}`, 2 | 1<<15, 1},
		{`{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_NUMA_BALANCING"]}`, 2 | 1<<13, 1},
		{`{"mode":"MPOL_INTERLEAVE","nodes":"0-0","flags":["MPOL_F_RELATIVE_NODES"]}`, 3 | 1<<14, 1},
		{`{"mode":"MPOL_LOCAL"}`, 4, 0},
		{`{"mode":"MPOL_PREFERRED_MANY","nodes":"0"}`, 5, 1},
		{`{"mode":"MPOL_WEIGHTED_INTERLEAVE","nodes":"0"}`, 6, 1},
	} {
		t.Run(c.config, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, set("linux.memoryPolicy", raw(c.config)))
			r := b.call("run", "--bundle", b.dir, b.id)
			if r.status != 0 {
				if !strings.Contains(r.stderr, "invalid argument") && !strings.Contains(r.stderr, "not implemented") {
					t.Fatal(r)
				}
				b.refused("linux.memoryPolicy")
				t.Skip("this kernel has no such policy: ", r.stderr)
			}
			s := b.sight(r.stdout)
			if s.MemoryMode == -1 {
				t.Skip("this kernel tells no memory policy")
			}
			if got, want := fmt.Sprintf("%#x %#x", s.MemoryMode, s.MemoryNodes), fmt.Sprintf("%#x %#x", c.mode, c.nodes); got != want {
				t.Errorf("get_mempolicy: %s, want %s", got, want)
			}
		})
	}
}
