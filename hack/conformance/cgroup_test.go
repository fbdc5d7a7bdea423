package conformance

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// paths are the lines of /proc/PID/cgroup: controllers → path.
func paths(text string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(text) {
		if f := strings.SplitN(strings.TrimSpace(line), ":", 3); len(f) == 3 {
			m[f[1]] = f[2]
		}
	}
	return m
}

// CG-01, CG-05
func TestAnAbsoluteCgroupsPathIsBelowTheMountPoint(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.cgroup += "/a/b"
	b.edit(set("linux.cgroupsPath", b.cgroup))
	for controllers, path := range paths(b.see().Cgroup) {
		if path != b.cgroup {
			t.Errorf("%q: %s, want %s", controllers, path, b.cgroup)
		}
	}
	for _, h := range hierarchies() {
		if _, err := os.Stat(h + b.cgroup); err == nil {
			t.Errorf("%s%s is left", h, b.cgroup)
		}
		removeCgroups(h + parent + "/" + b.id)
	}
}

// CG-02
func TestARelativeOrAbsentCgroupsPathHasAPlaceThatTheRuntimeChooses(t *testing.T) {
	for name, e := range map[string]func(cgroup string) edit{
		"relative": func(cgroup string) edit { return set("linux.cgroupsPath", cgroup[1:]) },
		"absent":   func(string) edit { return drop("linux.cgroupsPath") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.edit(e(b.cgroup))
			here := paths(contents("/proc/self/cgroup"))
			for controllers, path := range paths(b.see().Cgroup) {
				if path == here[controllers] || !strings.HasSuffix(path, b.id) {
					t.Errorf("%q: %s, the runtime's is %s", controllers, path, here[controllers])
				}
			}
		})
	}
}

// CG-03, CG-08
func TestTheSameCgroupsPathIsTheSamePlace(t *testing.T) {
	t.Parallel()
	first, second := newBox(t, shell(waiting)), newBox(t, shell(waiting))
	second.edit(set("linux.cgroupsPath", first.cgroup))
	first.create()
	if r := second.call("create", "--bundle", second.dir, second.id); r.status != 0 {
		if !strings.Contains(r.stderr, "cgroup") { // CG-07: a cgroup that is not empty may be refused
			t.Fatal(r)
		}
		first.must("delete", "--force", first.id)
		second.create()
	}
	for controllers, path := range paths(contents(fmt.Sprintf("/proc/%d/cgroup", second.state().Pid))) {
		if path != first.cgroup {
			t.Errorf("%q: %s, want %s", controllers, path, first.cgroup)
		}
	}
	for _, h := range hierarchies() {
		if i, err := os.Stat(h + first.cgroup); err == nil && i.Sys().(*syscall.Stat_t).Uid != 0 {
			t.Errorf("%s belongs to %d", h+first.cgroup, i.Sys().(*syscall.Stat_t).Uid)
		}
	}
}

// controlled is where a controller is mounted, and whether that is version 2,
// which has device programs and a freezer without one; else the test skips.
func (b *box) controlled(controller string) (dir string, v2 bool) {
	b.Helper()
	for line := range strings.Lines(contents("/proc/self/mounts")) {
		f := strings.Fields(line)
		if f[2] == "cgroup" && slices.Contains(strings.Split(f[3], ","), controller) {
			return f[1], false
		}
		if f[2] == "cgroup2" && (f[1] == "/sys/fs/cgroup" || slices.Contains(strings.Fields(contents(f[1]+"/cgroup.controllers")), controller)) {
			return f[1], true
		}
	}
	b.Skipf("no %s controller on this host", controller)
	return "", false
}

// CG-06, LC-17
func TestWithoutResourcesNoLimitIsWritten(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	limits := map[string]string{"memory/memory.limit_in_bytes": "104857600", "pids/pids.max": "77", "cpu/cpu.shares": "333"}
	if _, v2 := b.controlled("memory"); v2 {
		limits = map[string]string{"memory/memory.max": "104857600", "pids/pids.max": "77", "cpu/cpu.weight": "333"}
	}
	file := func(f string) string {
		controller, name, _ := strings.Cut(f, "/")
		dir, v2 := b.controlled(controller)
		if v2 { // the test's parent has the controllers from here
			for _, d := range []string{dir, dir + parent} {
				os.WriteFile(d+"/cgroup.subtree_control", []byte("+"+controller), 0)
			}
		}
		os.Mkdir(dir+b.cgroup, 0o755)
		return dir + b.cgroup + "/" + name
	}
	for f, value := range limits {
		if err := os.WriteFile(file(f), []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		for f, value := range limits {
			same(t, f, strings.TrimSpace(contents(file(f))), value)
		}
	}
	b.create()
	b.start()
	check()
	b.must("delete", "--force", b.id)
	if ours { // runc takes the directory for its own
		check()
	}
}

// CG-07
func TestAFrozenCgroupIsRefused(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	dir, v2 := b.controlled("freezer")
	file, on, off := dir+b.cgroup+"/freezer.state", "FROZEN", "THAWED"
	if v2 {
		file, on, off = dir+b.cgroup+"/cgroup.freeze", "1", "0"
	}
	os.Mkdir(dir+b.cgroup, 0o755)
	if err := os.WriteFile(file, []byte(on), 0); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(file, []byte(off), 0)
	r := b.fails("create", "--bundle", b.dir, b.id)
	if ours && !(strings.Contains(r.stderr, "linux.cgroupsPath") && strings.Contains(r.stderr, "frozen")) {
		t.Error(r)
	}
	b.fails("state", b.id)
}

// tried runs a script that opens or makes devices, and says which worked.
func (b *box) tried(rules string) []string {
	b.Helper()
	caps := []string{"CAP_MKNOD", "CAP_SYSLOG"}
	b.edit(set("linux.resources.devices", raw(rules)), set("process.capabilities", map[string]any{"bounding": caps, "permitted": caps, "effective": caps}),
		set("mounts[1].options", []string{"mode=755"}),                                                    // without nodev
		set("linux.devices", raw(`[{"path":"/dev/log","type":"c","major":1,"minor":11,"fileMode":438}]`)), // the kernel's log
		shell(`try() { n=$1; shift; if "$@" 2>/dev/null >/dev/null; then echo "$n"; fi; }
for n in null zero full random urandom tty; do [ -c /dev/$n ] || echo no $n; done
try null cat /dev/null
try zero busybox head -c 1 /dev/zero
try urandom busybox head -c 1 /dev/urandom
try full sh -c ': </dev/full'
try read sh -c ': </dev/log'
try write sh -c ': >/dev/log'
try mknod-log mknod /dev/log2 c 1 11
try mknod-loop mknod /dev/loop b 7 1`))
	return strings.Fields(b.run())
}

// DC-01, DC-02, DC-03, DC-05, DC-06, DV-08
func TestDeviceRulesHoldInTheirOrder(t *testing.T) {
	usual := []string{"null", "zero", "urandom", "full"}
	for _, c := range []struct {
		name, rules string
		more        []string
	}{
		{"deny all", `[{"allow":false,"access":"rwm"}]`, nil},
		{"deny all, allow one", `[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":11,"access":"rwm"}]`, []string{"read", "write", "mknod-log"}},
		{"allow one, deny all", `[{"allow":true,"type":"c","major":1,"minor":11,"access":"rwm"},{"allow":false}]`, nil},
		{"only to read", `[{"allow":false},{"allow":true,"type":"c","major":1,"minor":11,"access":"rm"}]`, []string{"read", "mknod-log"}},
		{"any minor", `[{"allow":false},{"allow":true,"type":"c","major":1,"access":"rwm"}]`, []string{"read", "write", "mknod-log"}},
		{"any of a type", `[{"allow":false},{"allow":true,"type":"b","access":"m"}]`, []string{"mknod-loop"}},
		{"type a", `[{"allow":false},{"allow":true,"type":"a"}]`, []string{"read", "write", "mknod-log", "mknod-loop"}},
		{"minor 0 is a number", `[{"allow":false},{"allow":true,"type":"b","major":7,"minor":0,"access":"m"}]`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.controlled("devices")
			same(t, "what worked", b.tried(c.rules), append(slices.Clone(usual), c.more...))
		})
	}
}

// MM-01 to MM-06, CU-01 to CU-05, PI-01 to PI-03, on cgroup v1. "" stands for
// whatever the file had: absence is no value.
func TestLimitsAreInForceOnVersion1(t *testing.T) {
	for _, c := range []struct{ rows, name, config, controller, file, want string }{
		{"MM-01", "limit", `{"memory":{"limit":67108864}}`, "memory", "memory.limit_in_bytes", "67108864"},
		{"MM-01", "no limit", `{"memory":{"limit":-1}}`, "memory", "memory.limit_in_bytes", "9223372036854771712"},
		{"MM-01", "reservation", `{"memory":{"reservation":33554432}}`, "memory", "memory.soft_limit_in_bytes", "33554432"},
		{"MM-01", "a reservation of 0", `{"memory":{"reservation":0}}`, "memory", "memory.soft_limit_in_bytes", "0"},
		{"MM-02", "swap", `{"memory":{"limit":67108864,"swap":134217728}}`, "memory", "memory.memsw.limit_in_bytes", "134217728"},
		{"MM-04", "swappiness", `{"memory":{"swappiness":17}}`, "memory", "memory.swappiness", "17"},
		{"MM-04", "swappiness of 0", `{"memory":{"swappiness":0}}`, "memory", "memory.swappiness", "0"},
		{"MM-05", "no OOM killer", `{"memory":{"limit":67108864,"disableOOMKiller":true}}`, "memory", "memory.oom_control", "oom_kill_disable 1"},
		{"MM-05", "an OOM killer", `{"memory":{"disableOOMKiller":false}}`, "memory", "memory.oom_control", "oom_kill_disable 0"},
		{"MM-06", "hierarchical", `{"memory":{"useHierarchy":true}}`, "memory", "memory.use_hierarchy", "1"},
		{"CU-01", "shares", `{"cpu":{"shares":513}}`, "cpu", "cpu.shares", "513"},
		{"CU-01", "quota", `{"cpu":{"quota":25000,"period":50000}}`, "cpu", "cpu.cfs_quota_us", "25000"},
		{"CU-01", "period", `{"cpu":{"quota":25000,"period":50000}}`, "cpu", "cpu.cfs_period_us", "50000"},
		{"CU-01", "no quota", `{"cpu":{"quota":-1}}`, "cpu", "cpu.cfs_quota_us", "-1"},
		{"CU-02", "burst", `{"cpu":{"quota":25000,"period":50000,"burst":20000}}`, "cpu", "cpu.cfs_burst_us", "20000"},
		{"CU-04", "cpus", `{"cpu":{"cpus":"0"}}`, "cpuset", "cpuset.cpus", "0"},
		{"CU-04", "mems", `{"cpu":{"mems":"0"}}`, "cpuset", "cpuset.mems", "0"},
		{"CU-05", "idle", `{"cpu":{"idle":1}}`, "cpu", "cpu.idle", "1"},
		{"CU-05", "not idle", `{"cpu":{"idle":0}}`, "cpu", "cpu.idle", "0"},
		{"PI-01", "pids", `{"pids":{"limit":32}}`, "pids", "pids.max", "32"},
		{"PI-01", "pids without limit", `{"pids":{"limit":-1}}`, "pids", "pids.max", "max"},
		{"PI-03", "pids unsaid", `{"pids":{}}`, "pids", "pids.max", "max"},
	} {
		t.Run(c.rows+" "+c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(waiting), set("linux.resources", raw(c.config)))
			if _, err := os.Stat(b.hierarchy(c.controller) + parent + "/" + c.file); err != nil {
				b.refused("linux.resources")
				t.Skip("this kernel has no ", c.file)
			}
			b.create()
			b.start()
			got, _, _ := strings.Cut(b.limit(c.controller, c.file), "\n")
			same(t, c.file, got, c.want)
		})
	}
}

// CU-03: real-time processes have time only where the parent's cgroup has it.
func TestTheTimeOfRealTimeProcessesIsLimited(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	b.cgroup = parent + "-" + b.id
	b.edit(set("linux.cgroupsPath", b.cgroup), set("linux.resources.cpu", raw(`{"realtimeRuntime":5000,"realtimePeriod":900000}`)))
	if _, err := os.Stat(b.hierarchy("cpu") + "/cpu.rt_runtime_us"); err != nil {
		b.refused("linux.resources.cpu.realtime")
		t.Skip("this kernel has no cpu.rt_runtime_us")
	}
	b.create()
	same(t, "cpu.rt_runtime_us", b.limit("cpu", "cpu.rt_runtime_us"), "5000")
	same(t, "cpu.rt_period_us", b.limit("cpu", "cpu.rt_period_us"), "900000")
}

// MM-03: kernels from 5.16 have no kernel memory limit any more.
func TestKernelMemoryIsLimitedOrRefused(t *testing.T) {
	for _, c := range []struct{ name, file string }{{"kernel", "memory.kmem.limit_in_bytes"}, {"kernelTCP", "memory.kmem.tcp.limit_in_bytes"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(waiting), set("linux.resources.memory."+c.name, 33554432))
			dir := b.hierarchy("memory") + b.cgroup
			os.Mkdir(dir, 0o755)
			if err := os.WriteFile(dir+"/"+c.file, []byte("33554432"), 0); err == nil && strings.TrimSpace(contents(dir+"/"+c.file)) != "33554432" {
				t.Skip("this kernel takes the value and ignores it")
			}
			syscall.Rmdir(dir)
			if r := b.call("create", "--bundle", b.dir, b.id); r.status != 0 {
				b.refused("linux.resources.memory." + c.name)
				return
			}
			same(t, c.file, b.limit("memory", c.file), "33554432")
			b.must("delete", "--force", b.id)
			b.edit(set("linux.resources.memory."+c.name, -1)) // nothing asked for
			b.create()
		})
	}
}

// CU-04
func TestTheProgramRunsOnItsCPUsOnly(t *testing.T) {
	t.Parallel()
	if got := newBox(t, set("linux.resources.cpu.cpus", "0")).see().CPUs; got != 1 {
		t.Errorf("on %d CPUs, want 1", got)
	}
}

// MM-01
func TestAProgramThatTakesMoreThanItsMemoryIsKilled(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(`busybox head -c 60000000 /dev/zero | busybox tail -c 60000000 | busybox wc -c; echo not killed`), set("linux.resources.memory.limit", 20<<20), set("linux.resources.memory.swap", 20<<20))
	if r := b.call("run", "--bundle", b.dir, b.id); strings.Contains(r.stdout, "60000000") {
		t.Error(r)
	}
	b.unknown()
}

// PI-01, PI-02
func TestTheLimitOfProcessesIsRealAndZeroIsOne(t *testing.T) {
	for _, c := range []struct {
		limit int
		want  string
	}{{0, "no"}, {1, "no"}, {5, "yes"}} {
		t.Run(fmt.Sprint(c.limit), func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(`(exec true) 2>/dev/null && echo yes || echo no`), set("linux.resources.pids.limit", c.limit))
			b.controlled("pids")
			r := b.call("run", "--bundle", b.dir, b.id) // ash ends when it can't fork
			if got := strings.TrimSpace(r.stdout); (got == "yes") != (c.want == "yes") || c.want == "no" && r.status == 0 && got == "" {
				t.Error(r)
			}
			b.create()
			b.start()
		})
	}
}

// CG-05: limits without any of the namespaces, too; none of it outlives delete.
func TestDeleteEndsAllProcessesOfTheCgroup(t *testing.T) {
	t.Parallel()
	b := newBox(t, drop(pidNS), shell(`(while :; do sleep 1000; done) & busybox setsid sleep 1000 & echo ready; wait`))
	b.create()
	b.start()
	b.printed("ready")
	b.must("kill", b.id, "KILL")
	b.ends()
	b.until("delete succeeds", func() bool { return b.call("delete", b.id).status == 0 })
	b.unknown()
}
