package conformance

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// unified is the mount point of version 2; where there is another version, the
// test skips.
func unified(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err != nil {
		t.Skip("this host has not cgroup v2 alone")
	}
	return "/sys/fs/cgroup"
}

// cgroupNS gives the container a cgroup namespace, and cgroups a mount.
var cgroupNS = set("linux.namespaces[+]", map[string]any{"type": "cgroup"})

func cgroups(options ...string) edit {
	return set("mounts[+]", map[string]any{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": append([]string{"nosuid", "noexec", "nodev"}, options...)})
}

// CG-14, UN-01: MM, CU and PI on cgroup version 2.
func TestLimitsAreInForceOnVersion2(t *testing.T) {
	top := unified(t)
	for _, c := range []struct{ rows, name, config, file, want string }{
		{"MM-01", "limit", `{"memory":{"limit":67108864}}`, "memory.max", "67108864"},
		{"MM-01", "no limit", `{"memory":{"limit":-1}}`, "memory.max", "max"},
		{"MM-01", "reservation", `{"memory":{"reservation":33554432}}`, "memory.low", "33554432"},
		{"MM-02", "swap", `{"memory":{"limit":67108864,"swap":134217728}}`, "memory.swap.max", "67108864"},
		{"MM-02", "no swap", `{"memory":{"limit":67108864,"swap":67108864}}`, "memory.swap.max", "0"},
		{"CU-01", "shares", `{"cpu":{"shares":1024}}`, "cpu.weight", "100"},
		{"CU-01", "quota", `{"cpu":{"quota":25000,"period":50000}}`, "cpu.max", "25000 50000"},
		{"CU-01", "no quota", `{"cpu":{"quota":-1}}`, "cpu.max", "max 100000"},
		{"CU-02", "burst", `{"cpu":{"quota":25000,"period":50000,"burst":20000}}`, "cpu.max.burst", "20000"},
		{"CU-04", "cpus", `{"cpu":{"cpus":"0"}}`, "cpuset.cpus", "0"},
		{"CU-05", "idle", `{"cpu":{"idle":1}}`, "cpu.idle", "1"},
		{"PI-01", "pids", `{"pids":{"limit":32}}`, "pids.max", "32"},
		{"PI-02", "no pids", `{"pids":{"limit":0}}`, "pids.max", "0"},
		{"PI-01", "pids without limit", `{"pids":{"limit":-1}}`, "pids.max", "max"},
		{"HG-01", "huge pages", `{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}`, "hugetlb.2MB.rsvd.max", "4194304"},
		{"UN-01", "unified", `{"unified":{"memory.high":"50331648"}}`, "memory.high", "50331648"},
		{"UN-01", "unified over a field", `{"memory":{"limit":67108864},"unified":{"memory.max":"33554432"}}`, "memory.max", "33554432"},
	} {
		t.Run(c.rows+" "+c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(waiting), set("linux.resources", raw(c.config)))
			b.create()
			b.start()
			same(t, c.file, strings.TrimSpace(contents(top+b.cgroup+"/"+c.file)), c.want)
			b.must("delete", "--force", b.id)
			b.unknown()
		})
	}
}

// CG-14, UN-02, UN-03: each is refused by name, and nothing is left.
func TestWhatVersion2HasNotIsRefused(t *testing.T) {
	unified(t)
	for name, c := range map[string]struct{ config, say string }{
		"swappiness":      {`{"memory":{"swappiness":10}}`, "linux.resources.memory.swappiness"},
		"no OOM killer":   {`{"memory":{"disableOOMKiller":true}}`, "linux.resources.memory.disableOOMKiller"},
		"kernel memory":   {`{"memory":{"kernel":1048576}}`, "linux.resources.memory.kernel"},
		"swap alone":      {`{"memory":{"swap":1048576}}`, "linux.resources.memory.swap"},
		"real time":       {`{"cpu":{"realtimeRuntime":1000}}`, "linux.resources.cpu.realtimeRuntime"},
		"network class":   {`{"network":{"classID":7}}`, "linux.resources.network.classID"},
		"no such file":    {`{"unified":{"memory.nosuch":"1"}}`, `memory.nosuch: this kernel has no such limit`},
		"no controller":   {`{"unified":{"nosuch.max":"1"}}`, "no nosuch controller"},
		"a slash":         {`{"unified":{"../memory.max":"1"}}`, "is not the name of a cgroup's file"},
		"too many CPUs":   {`{"cpu":{"cpus":"0-4095"}}`, "cpuset.cpus: "},
		"bad value":       {`{"unified":{"memory.max":"lots"}}`, "memory.max: invalid argument"},
		"no such disk":    {`{"blockIO":{"throttleReadBpsDevice":[{"major":4000,"minor":7,"rate":9}]}}`, "io.max: no such device"},
		"the last of two": {`{"memory":{"limit":67108864},"cpu":{"period":7}}`, "linux.resources.cpu.period"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, set("linux.resources", raw(c.config)))
			b.refused(c.say)
		})
	}
}

// CG-09, CG-10, CG-11, CG-13
func TestTheCgroupIsTheContainersRootsWhereItMayWriteThere(t *testing.T) {
	top := unified(t)
	user := user(oneMore)
	for name, c := range map[string]struct {
		edit edit
		uid  uint32
	}{
		"own namespace, writable":  {all(user, cgroupNS, cgroups()), 100000},
		"own namespace, read-only": {all(user, cgroupNS, cgroups("ro")), 0},
		"no namespace, writable":   {all(user, cgroups()), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(waiting), c.edit)
			b.create()
			for file, want := range map[string]uint32{"": c.uid, "/cgroup.procs": c.uid, "/cgroup.subtree_control": c.uid, "/memory.max": 0, "/cgroup.freeze": 0} {
				var s syscall.Stat_t
				if err := syscall.Stat(top+b.cgroup+file, &s); err != nil {
					t.Fatal(err)
				}
				if s.Uid != want {
					t.Errorf("the owner of %q is %d, want %d", file, s.Uid, want)
				}
			}
			b.must("delete", "--force", b.id)
			b.unknown()
		})
	}
}

// A container that has its part of the tree makes cgroups there, with limits,
// and moves into one: exec still finds its way, and delete leaves nothing.
func TestAContainerMayHaveCgroupsOfItsOwnBelow(t *testing.T) {
	top := unified(t)
	b := newBox(t,
		cgroupNS, cgroups(),
		shell(`cd /sys/fs/cgroup; busybox mkdir in; for p in $(cat cgroup.procs); do echo $p >in/cgroup.procs; done
			echo +pids +memory >cgroup.subtree_control; busybox mkdir -p more/a; echo 17 >more/pids.max
			(sleep 1000) & echo $! >more/a/cgroup.procs; echo ready; wait`))
	b.create()
	b.start()
	b.printed("ready")
	same(t, "pids.max", strings.TrimSpace(contents(top+b.cgroup+"/more/pids.max")), "17")
	same(t, "processes of the cgroup below", strings.Count(contents(top+b.cgroup+"/more/a/cgroup.procs"), "\n"), 1)
	out := b.must("exec", b.id, "cat", "/proc/self/cgroup")
	if !strings.HasPrefix(out, "0::/") {
		t.Errorf("exec is in %q", out)
	}
	b.must("delete", "--force", b.id)
	b.unknown()
}

// nested is a bundle within the bundle, and the runtime with it.
func TestAContainerRunsWithinAContainer(t *testing.T) {
	unified(t)
	caps := []string{}
	for _, c := range []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "MKNOD", "NET_ADMIN", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "SYS_RESOURCE"} {
		caps = append(caps, "CAP_"+c)
	}
	b := newBox(t, cgroupNS, cgroups(),
		set("process.capabilities", map[string]any{"bounding": caps, "permitted": caps, "effective": caps}),
		set("root.readonly", false))
	inner := newBox(t, shell(`cat /proc/self/cgroup; echo limit $(cat /sys/fs/cgroup/memory.max)`),
		cgroupNS, cgroups("ro"), set("linux.cgroupsPath", "/nested/in"), set("linux.resources", raw(`{"memory":{"limit":33554432}}`)))
	b.link(program, "rootfs/bin/runtime")
	if err := os.CopyFS(b.path("rootfs/inner"), os.DirFS(inner.dir)); err != nil {
		t.Fatal(err)
	}
	b.edit(shell(`cd /sys/fs/cgroup && busybox mkdir init && echo $$ >init/cgroup.procs && busybox mkdir -p /run/x && exec runtime --root /run/x/states run --bundle /inner in`))
	r := b.call("run", "--bundle", b.dir, b.id)
	if r.status != 0 || !strings.Contains(r.stdout, "0::/\n") || !strings.Contains(r.stdout, "limit 33554432") {
		t.Error(fmt.Sprint(r))
	}
	b.unknown()
}
