package conformance

import (
	"strings"
	"testing"
)

// many is a list of n equal values.
func many(n int, v any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = v
	}
	return list
}

// LC-03, LC-18, BN-06: a configuration with one thing in it that is invalid or
// can't be applied. say is what minirt's error names: the path and the value.
var refusals = []struct {
	rows, name string
	edit       edit
	say        []string
}{
	// bundle.md, config.md
	{"BN-03", "no ociVersion", drop("ociVersion"), []string{"ociVersion"}},
	{"BN-03", "an ociVersion that is no version", set("ociVersion", "banana"), []string{"ociVersion", `"banana"`}},
	{"BN-03", "an ociVersion of two numbers", set("ociVersion", "1.3"), []string{"ociVersion", `"1.3"`}},
	{"BN-03", "an ociVersion with a v", set("ociVersion", "v1.3.0"), []string{"ociVersion", `"v1.3.0"`}},
	{"BN-05", "another major version", set("ociVersion", "2.0.0"), []string{"ociVersion", `"2.0.0"`}},
	{"BN-07", "a number for a string", set("process.cwd", 5), []string{"process.cwd", "number"}},
	{"BN-07", "a string for a list", set("process.args", "/bin/probe"), []string{"process.args", "string"}},
	{"BN-07", "a list for an object", set("linux.resources", []int{}), []string{"linux.resources", "array"}},
	{"BN-07", "2^32 for a uint32", set("process.user.uid", 1<<32), []string{"process.user.uid", "4294967296"}},
	{"BN-07", "-1 for a uint64", set("linux.resources.cpu.shares", -1), []string{"linux.resources.cpu.shares", "-1"}},
	{"BN-07", "a broken number for an integer", set("linux.resources.pids.limit", 1.5), []string{"linux.resources.pids.limit", "1.5"}},
	{"AN-01", "an annotation that is a number", set("annotations.a", 1), []string{"annotations", "number"}},
	{"AN-02", "an annotation without a key", set("annotations", map[string]string{"": "x"}), []string{"annotations"}},
	{"RT-01", "no root", drop("root"), []string{"root"}},
	{"RT-03", "a root that isn't there", set("root.path", "nowhere"), []string{"root.path", "nowhere", "no such file or directory"}},
	{"RT-03", "a root that is a file", set("root.path", "config.json"), []string{"root.path", "config.json", "not a directory"}},
	// config.md, Mounts: what the runtime as a whole must undo
	{"MT-06", "a file system that the kernel lacks", set("mounts[2]", map[string]any{"destination": "/x", "type": "nosuchfs", "source": "x"}), []string{"mounts[2]", "nosuchfs"}},
	{"LC-18", "a bind source that isn't there", set("mounts[2]", map[string]any{"destination": "/x/y", "type": "bind", "source": "/nowhere", "options": []string{"bind"}}), []string{"mounts[2]", "/nowhere"}},
	{"LC-18", "data that the file system doesn't know", set("mounts[2]", map[string]any{"destination": "/x/y", "type": "tmpfs", "source": "t", "options": []string{"nosuch=1"}}), []string{"mounts[2]", "nosuch"}},
	// config.md, Process
	{"PR-03", "an empty cwd", set("process.cwd", ""), []string{"process.cwd", `""`}},
	{"PR-03", "a relative cwd", set("process.cwd", "a/b"), []string{"process.cwd", `"a/b"`}},
	{"PR-03", "no cwd", drop("process.cwd"), []string{"process.cwd"}},
	{"PR-04", "a cwd behind a magic link", set("process.cwd", "/proc/self/fd/7"), []string{"process.cwd"}},
	{"PR-04", "a cwd that is a file", set("process.cwd", "/bin/probe"), []string{"process.cwd", "not a directory"}},
	{"PR-06", "no args", set("process.args", []string{}), []string{"process.args"}},
	{"PR-08", "a user that isn't mapped", all(user(oneMore), set("process.user.uid", 70000)), []string{"process.user"}},
	{"PR-08", "a group that isn't mapped", all(user(oneMore), set("process.user.gid", 70000)), []string{"process.user"}},
	{"PR-09", "an additional group that isn't mapped", all(user(oneMore), set("process.user.additionalGids", []int{70000})), []string{"process.user.additionalGids"}},
	{"PR-16", "no scheduler policy", set("process.scheduler.nice", 1), []string{"process.scheduler.policy"}},
	{"PR-16", "an unknown scheduler policy", set("process.scheduler.policy", "SCHED_FAST"), []string{"process.scheduler.policy", `"SCHED_FAST"`}},
	{"PR-16", "a scheduler policy that the kernel lacks", set("process.scheduler.policy", "SCHED_ISO"), []string{"process.scheduler"}},
	{"PR-16", "an unknown scheduler flag", set("process.scheduler", map[string]any{"policy": "SCHED_OTHER", "flags": []string{"SCHED_FLAG_FAST"}}), []string{"process.scheduler.flags[0]", `"SCHED_FLAG_FAST"`}},
	{"PR-16", "a priority without a real-time policy", set("process.scheduler", map[string]any{"policy": "SCHED_OTHER", "priority": 5}), []string{"process.scheduler"}},
	{"PR-18", "an I/O priority without class", set("process.ioPriority", map[string]any{"priority": 1}), []string{"process.ioPriority.class"}},
	{"PR-18", "an I/O priority without priority", set("process.ioPriority", map[string]any{"class": "IOPRIO_CLASS_BE"}), []string{"process.ioPriority.priority"}},
	{"PR-18", "I/O priority 8", set("process.ioPriority", map[string]any{"class": "IOPRIO_CLASS_BE", "priority": 8}), []string{"process.ioPriority.priority", "8"}},
	{"PR-18", "I/O priority -1", set("process.ioPriority", map[string]any{"class": "IOPRIO_CLASS_BE", "priority": -1}), []string{"process.ioPriority.priority", "-1"}},
	{"PR-18", "an unknown class of I/O priority", set("process.ioPriority", map[string]any{"class": "X", "priority": 1}), []string{"process.ioPriority.class", `"X"`}},
	{"PR-21", "a CPU list without an end", set("process.execCPUAffinity.initial", "0-"), []string{"process.execCPUAffinity.initial", `"0-"`}},
	{"PR-21", "a CPU list of letters", set("process.execCPUAffinity.initial", "a"), []string{"process.execCPUAffinity.initial", `"a"`}},
	{"PR-21", "a CPU list that goes backwards", set("process.execCPUAffinity.final", "3-1"), []string{"process.execCPUAffinity.final", `"3-1"`}},
	{"PR-14", "an oomScoreAdj out of range", set("process.oomScoreAdj", 1001), []string{"process.oomScoreAdj", "1001"}},
	// config.md, Rlimits
	{"RL-02", "an unknown limit", set("process.rlimits", raw(`[{"type":"RLIMIT_BOGUS","soft":1,"hard":1}]`)), []string{"process.rlimits[0].type", `"RLIMIT_BOGUS"`}},
	{"RL-02", "a limit in small letters", set("process.rlimits", raw(`[{"type":"nofile","soft":1,"hard":1}]`)), []string{"process.rlimits[0].type", `"nofile"`}},
	{"RL-03", "a limit given twice", set("process.rlimits", raw(`[{"type":"RLIMIT_CORE","soft":1,"hard":1},{"type":"RLIMIT_CORE","soft":1,"hard":1}]`)), []string{"process.rlimits[1]", "RLIMIT_CORE"}},
	{"RL-04", "a soft limit above the hard one", set("process.rlimits", raw(`[{"type":"RLIMIT_CORE","soft":2,"hard":1}]`)), []string{"process.rlimits[0]", "2"}},
	// config.md, Hostname, Domainname
	{"HT-03", "a hostname without a UTS namespace", drop(utsNS), []string{"hostname", `"box"`}},
	{"HT-03", "a domainname without a UTS namespace", all(drop(utsNS), drop("hostname"), set("domainname", "d")), []string{"domainname", `"d"`}},
	// config.md, Hooks
	{"HK-02", "a relative path of a prestart hook", set("hooks.prestart[+].path", "bin/true"), []string{"hooks.prestart[0].path", `"bin/true"`}},
	{"HK-02", "a relative path of a poststop hook", set("hooks.poststop[+].path", "true"), []string{"hooks.poststop[0].path", `"true"`}},
	{"HK-03", "a hook's timeout of 0", set("hooks.createRuntime[+]", map[string]any{"path": "/bin/true", "timeout": 0}), []string{"hooks.createRuntime[0].timeout", "0"}},
	{"HK-03", "a hook's timeout of -5", set("hooks.startContainer[+]", map[string]any{"path": "/bin/true", "timeout": -5}), []string{"hooks.startContainer[0].timeout", "-5"}},
	// config-linux.md, Namespaces
	{"NS-02", "an unknown namespace", set(oneMore+".type", "foo"), []string{"linux.namespaces[5].type", `"foo"`}},
	{"NS-02", "a namespace by /proc's name", set(oneMore+".type", "net"), []string{"linux.namespaces[5].type", `"net"`}},
	{"NS-05", "a relative path of a namespace", set(netNS+".path", "ns/net"), []string{"linux.namespaces[4].path", `"ns/net"`}},
	{"NS-06", "a namespace of another type", set(netNS+".path", "/proc/self/ns/uts"), []string{"linux.namespaces[4].path", "/proc/self/ns/uts"}},
	{"NS-06", "a namespace that is a file", set(netNS+".path", "/proc/version"), []string{"linux.namespaces[4].path", "/proc/version"}},
	{"NS-06", "a namespace that isn't there", set(netNS+".path", "/nowhere"), []string{"linux.namespaces[4].path", "/nowhere"}},
	{"NS-08", "a namespace listed twice", set(oneMore+".type", "pid"), []string{"linux.namespaces[5]", "pid"}},
	{"NS-08", "a namespace listed twice, once with a path", set(oneMore, map[string]any{"type": "network", "path": "/proc/self/ns/net"}), []string{"linux.namespaces[5]", "network"}},
	// config-linux.md, User namespace mappings
	{"US-03", "a mapping of size 0", all(user(oneMore), set("linux.uidMappings[0].size", 0)), []string{"linux.uidMappings[0]"}},
	{"US-03", "mappings that overlap inside", all(user(oneMore), set("linux.gidMappings[+]", raw(`{"containerID":5,"hostID":900000,"size":1}`))), []string{"linux.gidMappings"}},
	{"US-03", "mappings that overlap on the host", all(user(oneMore), set("linux.uidMappings[+]", raw(`{"containerID":900000,"hostID":100001,"size":1}`))), []string{"linux.uidMappings"}},
	{"US-03", "more than 340 mappings", all(user(oneMore), set("linux.uidMappings", many(341, raw(`{"containerID":0,"hostID":0,"size":1}`)))), []string{"linux.uidMappings"}},
	{"US-04", "mappings without a user namespace", set("linux.uidMappings", raw(`[{"containerID":0,"hostID":0,"size":1}]`)), []string{"linux.uidMappings"}},
	// config-linux.md, Time offsets
	{"TM-02", "an offset of another clock", all(set(oneMore+".type", "time"), set("linux.timeOffsets.realtime.secs", 1)), []string{"linux.timeOffsets", "realtime"}},
	{"TM-02", "an offset of 1e9 nanoseconds", all(set(oneMore+".type", "time"), set("linux.timeOffsets.monotonic.nanosecs", 1000000000)), []string{"linux.timeOffsets.monotonic.nanosecs", "1000000000"}},
	{"TM-03", "offsets without a time namespace", set("linux.timeOffsets.monotonic.secs", 1), []string{"linux.timeOffsets"}},
	{"TM-03", "offsets of a time namespace with a path", all(set(oneMore, map[string]any{"type": "time", "path": "/proc/self/ns/time"}), set("linux.timeOffsets.monotonic.secs", 1)), []string{"linux.timeOffsets"}},
	{"TM-03", "an offset that makes a clock negative", all(set(oneMore+".type", "time"), set("linux.timeOffsets.monotonic.secs", -1<<40)), []string{"linux.timeOffsets"}},
	// config-linux.md, Sysctl
	{"SY-02", "a kernel parameter that isn't there", set("linux.sysctl", map[string]string{"net.no_such_key": "1"}), []string{"linux.sysctl", "net.no_such_key"}},
	{"SY-02", "a value that a kernel parameter doesn't take", set("linux.sysctl", map[string]string{"net.ipv4.ip_forward": "banana"}), []string{"linux.sysctl", "net.ipv4.ip_forward"}},
	{"SY-03", "a kernel parameter of the whole host", set("linux.sysctl", map[string]string{"vm.swappiness": "1"}), []string{"linux.sysctl", "vm.swappiness"}},
	{"SY-03", "a network parameter in the host's namespace", all(drop(netNS), set("linux.sysctl", map[string]string{"net.ipv4.ip_forward": "1"})), []string{"linux.sysctl", "net.ipv4.ip_forward"}},
	{"SY-03", "an IPC parameter in the host's namespace", all(drop(ipcNS), set("linux.sysctl", map[string]string{"kernel.shmmax": "1"})), []string{"linux.sysctl", "kernel.shmmax"}},
	// config-linux.md, Personality, Memory policy
	{"PN-02", "no domain of a personality", set("linux.personality", raw(`{}`)), []string{"linux.personality.domain"}},
	{"PN-02", "an unknown domain of a personality", set("linux.personality.domain", "BSD"), []string{"linux.personality.domain", `"BSD"`}},
	{"PN-03", "flags of a personality", set("linux.personality", raw(`{"domain":"LINUX","flags":["ADDR_NO_RANDOMIZE"]}`)), []string{"linux.personality.flags"}},
	{"MP-01", "no mode of a memory policy", set("linux.memoryPolicy", raw(`{"nodes":"0"}`)), []string{"linux.memoryPolicy.mode"}},
	{"MP-01", "an unknown mode of a memory policy", set("linux.memoryPolicy", raw(`{"mode":"MPOL_ALL","nodes":"0"}`)), []string{"linux.memoryPolicy.mode", `"MPOL_ALL"`}},
	{"MP-02", "nodes of MPOL_DEFAULT", set("linux.memoryPolicy", raw(`{"mode":"MPOL_DEFAULT","nodes":"0"}`)), []string{"linux.memoryPolicy"}},
	{"MP-02", "nodes of MPOL_LOCAL", set("linux.memoryPolicy", raw(`{"mode":"MPOL_LOCAL","nodes":"0"}`)), []string{"linux.memoryPolicy"}},
	{"MP-02", "no nodes of MPOL_BIND", set("linux.memoryPolicy", raw(`{"mode":"MPOL_BIND"}`)), []string{"linux.memoryPolicy"}},
	{"MP-02", "no nodes of MPOL_INTERLEAVE", set("linux.memoryPolicy", raw(`{"mode":"MPOL_INTERLEAVE","nodes":""}`)), []string{"linux.memoryPolicy"}},
	{"MP-02", "no nodes of MPOL_WEIGHTED_INTERLEAVE", set("linux.memoryPolicy", raw(`{"mode":"MPOL_WEIGHTED_INTERLEAVE"}`)), []string{"linux.memoryPolicy"}},
	{"MP-02", "no nodes of MPOL_PREFERRED_MANY", set("linux.memoryPolicy", raw(`{"mode":"MPOL_PREFERRED_MANY"}`)), []string{"linux.memoryPolicy"}},
	{"MP-03", "an unknown flag of a memory policy", set("linux.memoryPolicy", raw(`{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_ALL"]}`)), []string{"linux.memoryPolicy.flags[0]", `"MPOL_F_ALL"`}},
	{"MP-03", "a bad list of nodes", set("linux.memoryPolicy", raw(`{"mode":"MPOL_BIND","nodes":"0-"}`)), []string{"linux.memoryPolicy.nodes", `"0-"`}},
	{"MP-03", "a node that the host lacks", set("linux.memoryPolicy", raw(`{"mode":"MPOL_BIND","nodes":"900"}`)), []string{"linux.memoryPolicy"}},
	// config-linux.md, Control groups
	{"CG-04", "a cgroup above the root", set("linux.cgroupsPath", "/../../escape"), []string{"linux.cgroupsPath", `"/../../escape"`}},
	{"DC-03", "an unknown type in a device rule", set("linux.resources.devices", raw(`[{"allow":true,"type":"x","access":"r"}]`)), []string{"linux.resources.devices[0].type", `"x"`}},
	{"DC-03", "an unknown access in a device rule", set("linux.resources.devices", raw(`[{"allow":true,"type":"c","major":1,"minor":3,"access":"rx"}]`)), []string{"linux.resources.devices[0].access", `"rx"`}},
	{"DC-04", "a device rule without allow", set("linux.resources.devices", raw(`[{"access":"rwm"}]`)), []string{"linux.resources.devices[0].allow"}},
	{"MM-02", "swap below the memory limit", set("linux.resources.memory", raw(`{"limit":67108864,"swap":33554432}`)), []string{"linux.resources.memory.swap", "33554432"}},
	{"MM-04", "swappiness of 101", set("linux.resources.memory.swappiness", 101), []string{"linux.resources.memory.swappiness", "101"}},
	{"CU-02", "a burst above the quota", set("linux.resources.cpu", raw(`{"quota":10000,"period":100000,"burst":20000}`)), []string{"linux.resources.cpu.burst", "20000"}},
	{"CU-04", "CPUs that the host lacks", set("linux.resources.cpu.cpus", "900"), []string{"linux.resources.cpu.cpus", "900"}},
	{"CU-04", "memory nodes that the host lacks", set("linux.resources.cpu.mems", "900"), []string{"linux.resources.cpu.mems", "900"}},
	{"CU-05", "cpu.idle of 2", set("linux.resources.cpu.idle", 2), []string{"linux.resources.cpu.idle", "2"}},
	// config-linux.md, the rest: LSMs, resctrl
	{"PR-12", "an AppArmor profile without AppArmor", set("process.apparmorProfile", "p"), []string{"process.apparmorProfile", `"p"`}},
	{"PR-12", "an SELinux label without SELinux", set("process.selinuxLabel", "l"), []string{"process.selinuxLabel", `"l"`}},
	{"MT-20", "a mount label without SELinux", set("linux.mountLabel", "l"), []string{"linux.mountLabel", `"l"`}},
	{"ND-07", "a network device that isn't there", set("linux.netDevices", raw(`{"nosuchdev0":{}}`)), []string{"linux.netDevices"}},
	{"SC-11", "a seccomp listener that nobody serves", set("linux.seccomp", raw(`{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/nowhere/socket","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}`)), []string{"linux.seccomp.listenerPath"}},
	{"IR-02", "resctrl where there is none", set("linux.intelRdt.closID", "c"), []string{"linux.intelRdt"}},
}

func TestCreateRefusesClosedAndTheSameIDCanBeCreatedAgain(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.rows+" "+r.name, func(t *testing.T) {
			t.Parallel()
			newBox(t, r.edit).refused(r.say...)
		})
	}
}

// LC-18: run refuses as create does. These fail late, in the kernel.
func TestRunRefusesClosed(t *testing.T) {
	for _, name := range []string{
		"a root that is a file", "a file system that the kernel lacks", "data that the file system doesn't know", "a cwd that is a file",
		"a user that isn't mapped", "a scheduler policy that the kernel lacks", "a namespace of another type", "an offset that makes a clock negative",
		"mappings that overlap inside", "a value that a kernel parameter doesn't take", "a node that the host lacks", "CPUs that the host lacks",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range refusals {
				if r.name == name {
					b := newBox(t, r.edit)
					b.refuses([]string{"run", "--bundle", b.dir, b.id}, r.say...)
					return
				}
			}
			t.Error("no refusal has that name")
		})
	}
}

// BN-01, BN-02: documents that are no configuration at all.
func TestCreateRefusesABundleWhoseConfigCannotBeRead(t *testing.T) {
	good := func(b *box) string { return contents(b.path("config.json")) }
	for _, c := range []struct {
		rows, name string
		write      func(*box) string
		say        []string
	}{
		{"BN-02", "truncated", func(b *box) string { return good(b)[:100] }, []string{"config.json:1:"}},
		{"BN-02", "something behind its end", func(b *box) string { return good(b) + "x" }, []string{"config.json:1:"}},
		{"BN-02", "invalid UTF-8", func(b *box) string { return strings.Replace(good(b), "box", "b\xff", 1) }, []string{"UTF-8"}},
		{"BN-02", "a key twice", func(b *box) string { return strings.Replace(good(b), "{", `{"hostname":"a",`, 1) }, []string{"hostname"}},
		{"BN-02", "a list at the top", func(*box) string { return "[]" }, []string{"array"}},
		{"BN-01", "nothing in it", func(*box) string { return "" }, nil},
	} {
		t.Run(c.rows+" "+c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.write(c.write(b))
			b.refused(c.say...)
		})
	}
	t.Run("BN-01 no config.json", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		b.refuses([]string{"create", "--bundle", b.path("rootfs"), b.id}, "config.json", b.path("rootfs"))
	})
	t.Run("BN-01 no bundle", func(t *testing.T) {
		t.Parallel()
		b := newBox(t)
		b.refuses([]string{"create", "--bundle", b.path("nowhere"), b.id}, b.path("nowhere"))
	})
}
