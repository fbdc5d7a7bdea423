package explain

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// files makes readings of pairs of a name and a text.
func texts(pairs ...string) map[string]Reading {
	m := make(map[string]Reading)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = Reading{Text: pairs[i+1]}
	}
	return m
}

// row is one row as text: a mark, and the two sides with the note.
func row(rows []Row, field string) string {
	for _, r := range rows {
		if r.Field == field {
			return []string{"", "! ", "? "}[r.Mark] + r.Config + " | " + r.Kernel + " | " + r.Note
		}
	}
	return "no row"
}

// check compares rows with what they are to be.
func check(t *testing.T, rows []Row, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for field := range want {
		got[field] = row(rows, field)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

const status = `Name:	sh
Umask:	0077
Uid:	100005	100000	100000	100000
Gid:	100007	100007	100007	100007
Groups:	100001 7
CapInh:	0000000000000000
CapPrm:	00000000a0000420
CapEff:	0000000000000020
CapBnd:	00000000a0000420
CapAmb:	0000000000000000
NoNewPrivs:	1
Seccomp:	2
Seccomp_filters:	2
`

// In a user namespace ids are the container's own, and what isn't mapped is said to be outside.
func TestIDsAreThoseOfTheContainer(t *testing.T) {
	t.Parallel()
	s := &specs.Spec{Process: &specs.Process{User: specs.User{UID: 5, GID: 7, AdditionalGids: []uint32{1}}}}
	f := &Facts{Files: texts("status", status, "uid_map", "         0     100000      65536\n", "gid_map", "0 100000 65536\n")}
	check(t, Explain(s, f), map[string]string{
		"process.user.uid":            "! 5 | real 5, effective 0, saved 0 | now",
		"process.user.gid":            "7 | 7 (100007 outside) | ",
		"process.user.additionalGids": "! 1 | 1 7 outside | now",
		"process.user.umask":          " | 0077 | ",
	})
}

// What execve(2) makes of the sets is what is compared: root gets the bounding
// set, another user the ambient one.
func TestCapabilitiesAreThoseThatExecveLeaves(t *testing.T) {
	t.Parallel()
	bounding := []string{"CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE", "CAP_SETFCAP"}
	p := &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: bounding, Permitted: []string{"CAP_KILL", "CAP_NONE"}, Effective: []string{"CAP_KILL"}}}
	f := &Facts{Files: texts("status", status)}
	all := "CAP_KILL CAP_NET_BIND_SERVICE CAP_AUDIT_WRITE CAP_SETFCAP"
	want := map[string]string{
		"process.capabilities.bounding":  all + " | " + all + " | ",
		"process.capabilities.permitted": `CAP_KILL "CAP_NONE" | ` + all + " | execve gives root the bounding set",
		"process.capabilities.effective": "! CAP_KILL | CAP_KILL | ",
		"process.capabilities.ambient":   " |  | ",
	}
	check(t, Explain(&specs.Spec{Process: p}, f), want)

	p.NoNewPrivileges = true
	want["process.capabilities.permitted"] = `! CAP_KILL "CAP_NONE" | ` + all + " | "
	want["process.capabilities.effective"] = "CAP_KILL | CAP_KILL | "
	want["process.noNewPrivileges"] = "true | true | "
	check(t, Explain(&specs.Spec{Process: p}, f), want)

	p.User.UID = 5
	want["process.capabilities.effective"] = "! CAP_KILL | CAP_KILL | "
	check(t, Explain(&specs.Spec{Process: p}, f), want)

	f.Waiting = true
	want["process.capabilities.effective"] = "? CAP_KILL | CAP_KILL | execve decides"
	want["process.capabilities.permitted"] = `? CAP_KILL "CAP_NONE" | ` + all + " | execve decides"
	check(t, Explain(&specs.Spec{Process: p}, f), want)
}

const limits = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            512                  1024                 files     
`

func TestTheProcessIsComparedFieldByField(t *testing.T) {
	t.Parallel()
	adj, umask := 100, uint32(0o22)
	s := &specs.Spec{Process: &specs.Process{
		Args: []string{"run.sh", "-v"}, Env: []string{"A=1", "SECRET=x", "HOME="}, Cwd: "/srv", Terminal: true, OOMScoreAdj: &adj,
		User:            specs.User{Umask: &umask},
		Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 1024}, {Type: "RLIMIT_CPU", Soft: unix.RLIM_INFINITY, Hard: unix.RLIM_INFINITY}},
		ApparmorProfile: "web", SelinuxLabel: "a:b:c",
		Scheduler:  &specs.Scheduler{Policy: specs.SchedBatch, Nice: 3},
		IOPriority: &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_IDLE},
	}}
	f := &Facts{
		Files: texts("status", status, "stat", "7 (a) b) S 1 7 7 34817 7 4194304 0", "limits", limits, "cmdline", "/bin/sh\x00/run.sh\x00-v\x00", "environ", "A=1\x00SECRET=y\x00HOME=/\x00MORE=1\x00", "oom_score_adj", "0\n", "attr/apparmor/current", "web (enforce)\n", "attr/current", "a:b:d\x00"),
		Links: texts("cwd", "/srv/rootfs/srv", "root", "/srv/rootfs"), Scheduler: &unix.SchedAttr{Policy: unix.SCHED_BATCH, Nice: 3, Runtime: 1400000}, IOPriority: 2<<13 | 4,
	}
	check(t, Explain(s, f), map[string]string{
		"process.terminal":        "true | pts/1 | ",
		"process.user.umask":      "! 022 | 0077 | now",
		"process.args":            `"run.sh" "-v" | "/bin/sh" "/run.sh" "-v" | `,
		"process.env":             "! 3: A SECRET HOME | 4, not as asked: SECRET, beside: SECRET HOME MORE | as the program has been given it",
		"process.cwd":             "/srv | /srv | ",
		"process.rlimits[0]":      "! RLIMIT_NOFILE 1024 1024 | RLIMIT_NOFILE 512 1024 | soft and hard",
		"process.rlimits[1]":      "RLIMIT_CPU unlimited unlimited | RLIMIT_CPU unlimited unlimited | ",
		"process.apparmorProfile": "web | web (enforce) | ",
		"process.selinuxLabel":    "! a:b:c | a:b:d | ",
		"process.oomScoreAdj":     "! 100 | 0 | ",
		"process.scheduler":       "SCHED_BATCH nice 3 | SCHED_BATCH nice 3 | ",
		"process.ioPriority":      "! IOPRIO_CLASS_IDLE 0 | IOPRIO_CLASS_BE 4 | ",
	})
	f.Waiting = true
	f.Files["attr/apparmor/current"] = Reading{Err: unix.EACCES}
	check(t, Explain(s, f), map[string]string{
		"process.rlimits[0]":      "? RLIMIT_NOFILE 1024 1024 | RLIMIT_NOFILE 512 1024 | start puts it in force",
		"process.apparmorProfile": "? web |  | can't be read: permission denied",
	})
}

const mountinfo = `20 1 8:1 /srv/web/rootfs / ro,relatime master:3 - ext4 /dev/sda1 rw,errors=remount-ro
21 20 0:40 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
22 20 0:41 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
23 20 8:1 /data/with\040blank /data rw,relatime shared:9 - ext4 /dev/sda1 rw
24 21 0:42 /null /proc/kcore rw,nosuid - devtmpfs udev rw
25 20 0:43 / /more rw - tmpfs evil rw
27 20 0:44 / /target rw - proc proc rw
26 21 0:40 /sys /proc/sys ro,relatime - proc proc rw
`

func TestMountsAreComparedWithTheirOptions(t *testing.T) {
	t.Parallel()
	s := &specs.Spec{
		Root: &specs.Root{Path: "rootfs", Readonly: true},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "nodev"}},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "noexec", "strictatime", "size=64m", "mode=0700"}},
			{Destination: "/data", Source: "/data/with blank", Options: []string{"rbind", "ro", "rprivate"}},
			{Destination: "/gone", Type: "tmpfs", Source: "tmpfs"},
			{Destination: "/link", Type: "sysfs", Source: "sysfs"},
		},
		Linux: &specs.Linux{MaskedPaths: []string{"/proc/kcore", "/proc/keys", "/proc/none"}, ReadonlyPaths: []string{"/proc/sys", "/proc/bus"}, RootfsPropagation: "rslave"},
	}
	f := &Facts{
		Rootfs: "/srv/web/rootfs", Files: texts("mountinfo", mountinfo),
		Places: map[string]Place{
			"/":     {Mount: 20, Top: true, Ino: 5},
			"/data": {Mount: 23, Top: true, Ino: 9}, "/link": {Mount: 27, Top: true},
			"/proc/kcore": {Mount: 24, Top: true, Mode: unix.S_IFCHR | 0o666, Rdev: unix.Mkdev(1, 3)}, "/proc/keys": {Mount: 21, Mode: unix.S_IFREG}, "/proc/none": {Err: unix.ENOENT},
			"/proc/sys": {Mount: 26, Top: true}, "/proc/bus": {Mount: 21},
		},
		Sources: map[string]Place{"/srv/web/rootfs": {Ino: 5}, "/data/with blank": {Ino: 10}},
	}
	rows := Explain(s, f)
	check(t, rows, map[string]string{
		"root.path":               "rootfs | ext4 /dev/sda1 (/srv/web/rootfs) ro,relatime errors=remount-ro master:3 | ",
		"root.readonly":           "true | true | ",
		"linux.rootfsPropagation": "rslave | master:3 | ",
		"mounts[0]":               "/proc proc proc nosuid,nodev | proc proc rw,nosuid,nodev,noexec,relatime | ",
		"mounts[1]":               "! /dev tmpfs tmpfs nosuid,noexec,strictatime,size=64m,mode=0700 | tmpfs tmpfs rw,nosuid size=65536k,mode=755 | is not noexec, has mode=755",
		"mounts[2]":               "! /data /data/with blank rbind,ro,rprivate | ext4 /dev/sda1 (/data/with blank) rw,relatime shared:9 | is not ro, is not private, the source is another file now",
		"mounts[3]":               "! /gone tmpfs tmpfs | not mounted | ",
		"mounts[4]":               "! /link sysfs sysfs | proc proc rw | is of type proc",
		"mounts":                  "!  | /more tmpfs evil rw | not in config.json",
		"linux.maskedPaths[0]":    "/proc/kcore | covered by /dev/null | ",
		"linux.maskedPaths[1]":    "! /proc/keys | not masked | ",
		"linux.maskedPaths[2]":    "/proc/none | not there | ",
		"linux.readonlyPaths[0]":  "/proc/sys | read-only | ",
		"linux.readonlyPaths[1]":  "! /proc/bus | writable | ",
	})
	for _, r := range rows {
		if strings.HasPrefix(r.Kernel, "/proc/") && r.Field == "mounts" {
			t.Errorf("a mask is told as an additional mount: %+v", r)
		}
	}
}

func TestNamespacesTellWhoElseIsInThem(t *testing.T) {
	t.Parallel()
	s := &specs.Spec{Hostname: "a", Linux: &specs.Linux{
		Namespaces:  []specs.LinuxNamespace{{Type: "pid"}, {Type: "network", Path: "/run/netns/a"}, {Type: "ipc"}, {Type: "mount", Path: "/gone"}},
		Sysctl:      map[string]string{"kernel.shmmni": "10", "net.ipv4.tcp_rmem": "1 2 3", "kernel.ns_last_pid": "3", "net.x": "1"},
		TimeOffsets: map[string]specs.LinuxTimeOffset{"boottime": {Secs: 7}},
	}}
	f := &Facts{
		Links:  texts("ns/pid", "pid:[11]", "ns/net", "net:[12]", "ns/ipc", "ipc:[3]", "ns/mnt", "mnt:[14]", "ns/uts", "uts:[15]"),
		Own:    map[string]string{"pid": "pid:[1]", "net": "net:[2]", "ipc": "ipc:[3]", "mnt": "mnt:[4]", "uts": "uts:[5]"},
		Joined: map[string]Reading{"/run/netns/a": {Text: "12"}, "/gone": {Err: unix.ENOENT}},
		Others: []Neighbour{{"web", map[string]string{"net": "net:[12]", "pid": "pid:[99]"}}, {"db", map[string]string{"net": "net:[12]"}}},
		Param:  map[string]string{"kernel/hostname": "b\n", "kernel/shmmni": "10\n", "net/ipv4/tcp_rmem": "1\t2\t3\n"},
		Files:  texts("timens_offsets", "monotonic           0         0\nboottime            7         0\n"),
	}
	check(t, Explain(s, f), map[string]string{
		"linux.namespaces[0]":             "pid, new | 11, its own | ",
		"linux.namespaces[1]":             "network, /run/netns/a | 12, shared with web, db | ",
		"linux.namespaces[2]":             "! ipc, new | 3, shared with the host | shared with minirt itself",
		"linux.namespaces[3]":             "? mount, /gone | 14, its own | the path can't be read: no such file or directory",
		"linux.namespaces":                "! uts, not listed | 15, its own | another one than minirt's own",
		"hostname":                        "! a | b | now",
		"linux.sysctl.kernel.shmmni":      "10 | 10 | ",
		"linux.sysctl.net.ipv4.tcp_rmem":  "1 2 3 | 1 2 3 | ",
		"linux.sysctl.kernel.ns_last_pid": "? 3 |  | the kernel shows it inside of the pid namespace alone",
		"linux.sysctl.net.x":              "? 1 |  | the kernel has no /proc/sys/net/x, or lets nobody read it",
		"linux.timeOffsets.boottime":      "7 s 0 ns | 7 s 0 ns | ",
	})
}

func TestResourcesAreComparedFileByFile(t *testing.T) {
	t.Parallel()
	limit, shares, pids, major := int64(1<<20), uint64(1024), int64(10), int64(10)
	s := &specs.Spec{Linux: &specs.Linux{CgroupsPath: "/x", Resources: &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &limit}, CPU: &specs.LinuxCPU{Shares: &shares}, Pids: &specs.LinuxPids{Limit: &pids},
		Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}, {Allow: true, Type: "c", Major: &major, Minor: &major, Access: "r"}},
	}}}
	f := &Facts{Group: group(false), Files: texts("cgroup", "3:"+strings.Join(group(false).Dirs[0].Controllers, ",")+":/x\n0::/\n"), Cgroup: texts(
		"/cg/x/memory.limit_in_bytes", "1048576\n", "/cg/x/cpu.shares", "2\n", "/cg/x/pids.max", "10\n",
		"/cg/x/devices.list", "c 1:3 rwm\nc 1:5 rwm\nc 1:7 rwm\nc 1:8 rwm\nc 1:9 rwm\nc 5:0 rwm\nc 5:2 rwm\nc 136:* rwm\nc 10:229 rwm\n")}
	check(t, Explain(s, f), map[string]string{
		"linux.cgroupsPath":            "/x | /x | ",
		"linux.resources.memory.limit": "1048576 | memory.limit_in_bytes 1048576 | ",
		"linux.resources.cpu.shares":   "! 1024 | cpu.shares 2 | now",
		"linux.resources.pids.limit":   "10 | pids.max 10 | ",
		"linux.resources.devices":      "! deny a * * rwm, allow c 10 10 r | c 1:3 rwm, c 1:5 rwm, c 1:7 rwm, c 1:8 rwm, c 1:9 rwm, c 5:0 rwm, c 5:2 rwm, c 136:* rwm, c 10:229 rwm | lacks c 10:10 r, has c 10:229 rwm",
	})

	f = &Facts{Group: group(true), Files: texts("cgroup", "0::/elsewhere\n"), Cgroup: texts("/cg/x/memory.max", "max\n", "/cg/x/cpu.weight", "100\n")}
	f.Cgroup["/cg/x/pids.max"] = Reading{Err: unix.EACCES}
	check(t, Explain(s, f), map[string]string{
		"linux.cgroupsPath":            "! /x | /x, but : /elsewhere | now",
		"linux.resources.memory.limit": "! 1048576 | memory.max max | now",
		"linux.resources.cpu.shares":   "1024, as 100 | cpu.weight 100 | ",
		"linux.resources.pids.limit":   "? 10 |  | can't be read: permission denied",
		"linux.resources.devices":      "? deny a * * rwm, allow c 10 10 r |  | the kernel has them as a program, and doesn't give the rules back",
	})

	check(t, Explain(s, &Facts{}), map[string]string{"linux.resources": "?  |  | the container has no cgroup of its own"})
}

// A later write decides where two go to one file, as unified does for what is converted.
func TestALaterWriteToTheSameFileDecides(t *testing.T) {
	t.Parallel()
	limit := int64(1 << 20)
	s := &specs.Spec{Linux: &specs.Linux{Resources: &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}, Unified: map[string]string{"memory.max": "4096"}}}}
	f := &Facts{Group: group(true), Cgroup: texts("/cg/x/memory.max", "4096\n")}
	check(t, Explain(s, f), map[string]string{
		"linux.resources.memory.limit":          "1048576 |  | decided anew further down",
		`linux.resources.unified["memory.max"]`: "4096 | memory.max 4096 | ",
	})
	later := []cgroup.Write{{File: "io.max", Value: "8:0 wbps=1"}}
	if decided(later, &cgroup.Write{File: "io.max", Value: "8:0 rbps=1"}) {
		t.Error("another member of the same line decides")
	}
}

func TestDevicesAreComparedByNumberModeAndOwner(t *testing.T) {
	t.Parallel()
	s := &specs.Spec{Linux: &specs.Linux{Devices: []specs.LinuxDevice{{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229}}, NetDevices: map[string]specs.LinuxNetDevice{"eth7": {Name: "lan%d"}, "eth8": {}}}}
	f := &Facts{
		Added:  []string{"dev/plug"},
		Places: map[string]Place{"/dev/fuse": {Mode: unix.S_IFCHR | 0o666, Rdev: unix.Mkdev(10, 229), UID: 1000}, "/dev/null": {Mode: unix.S_IFREG | 0o644}},
		Files:  texts("net/dev", "Inter-| x\n face | y\n    lo: 0 0\n  lan3: 1 1\n", "uid_map", "0 0 4294967295\n", "gid_map", "0 0 4294967295\n"),
	}
	rows := Explain(s, f)
	check(t, rows, map[string]string{
		"linux.devices[0]":        "! /dev/fuse c 10:229 0666 0:0 | c 10:229 0666 1000:0 | now",
		"linux.devices (default)": "! /dev/null c 1:3 0666 0:0 | no device 0644 0:0 | now",
		"linux.devices":           "!  | /dev/plug | added by update",
		"linux.netDevices.eth7":   "as lan%d | lan3 | ",
		"linux.netDevices.eth8":   "! as eth8 | not there | ",
	})
	s.Linux.Namespaces = []specs.LinuxNamespace{{Type: "user"}}
	check(t, Explain(s, f), map[string]string{"linux.devices[0]": "/dev/fuse c 10:229 0666 0:0 | c 10:229 0666 1000:0 | "})
}

// A container's own words can neither move the cursor nor make lines of the table.
func TestTheTableObeysNobody(t *testing.T) {
	t.Parallel()
	rows := []Row{{"process.args", `"a"`, "\x1b[2J\nmounts  x\u009b", "", Differs}, {"hooks", "1 prestart", "", "the kernel knows of no such thing", Unknown}, {"a.b", "", "0", "", Same}}
	want := `  FIELD         CONFIG      KERNEL
! process.args  "a"         ?[2J?mounts  x?
? hooks         1 prestart  (the kernel knows of no such thing)
  a.b           -           0
`
	if d := cmp.Diff(want, Text(rows, 100)); d != "" {
		t.Error(d)
	}
	want = `  FIELD            CONFIG            KERNEL
! process.args     "a"               ?[2J?mounts  x?
? hooks            1 prestart        (the kernel
                                     knows of no
                                     such thing)
  a.b              -                 0
`
	if got := Text(rows, 50); len(strings.Split(got, "\n")[0]) > 50 {
		t.Errorf("too wide:\n%s", got)
	}
	var list []map[string]string
	if err := json.Unmarshal([]byte(JSON(rows)), &list); err != nil || list[0]["kernel"] != rows[0].Kernel || list[1]["mark"] != "unknown" {
		t.Errorf("%v: %v", err, list)
	}
}

// Where more than one mount lies on a place, the one that was asked for is found:
// above what a recursive bind has brought along, and below what came later.
func TestTheMountThatWasAskedForIsFoundAmongOthers(t *testing.T) {
	t.Parallel()
	s := &specs.Spec{Mounts: []specs.Mount{
		{Destination: "/sys", Source: "/sys", Options: []string{"rbind", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Options: []string{"nosuid", "ro"}},
		{Destination: "/tmp", Type: "tmpfs", Options: []string{"nosuid", "rw"}},
		{Destination: "/run", Type: "tmpfs", Options: []string{"rw"}},
		{Destination: "/run", Type: "tmpfs", Options: []string{"remount", "ro"}},
	}}
	f := &Facts{Files: texts("mountinfo", `30 1 0:1 / /sys ro - sysfs sysfs rw
31 30 0:2 / /sys/fs/cgroup ro - tmpfs tmpfs rw
32 31 0:3 / /sys/fs/cgroup ro,nosuid - tmpfs cgroup rw
33 1 0:4 / /tmp rw,nosuid - tmpfs tmpfs rw
34 33 0:5 / /tmp rw - tmpfs evil rw
35 1 0:6 / /run ro - tmpfs tmpfs ro
`)}
	rows := Explain(s, f)
	check(t, rows, map[string]string{
		"mounts[0]": "/sys /sys rbind,ro | sysfs sysfs ro | ",
		"mounts[1]": "/sys/fs/cgroup cgroup  nosuid,ro | tmpfs cgroup ro,nosuid | ",
		"mounts[2]": "/tmp tmpfs  nosuid,rw | tmpfs tmpfs rw,nosuid | ",
		"mounts[3]": "/run tmpfs  rw | tmpfs tmpfs ro | mounted anew by mounts[4]",
		"mounts[4]": "/run tmpfs  remount,ro | tmpfs tmpfs ro | ",
		"mounts":    "!  | /tmp tmpfs evil rw | not in config.json",
	})
}

// What may not be looked at is unknown, and no difference.
func TestWhatMayNotBeLookedAtIsNoDifference(t *testing.T) {
	t.Parallel()
	s := &specs.Spec{Process: &specs.Process{Cwd: "/", Env: []string{"A=1"}}, Root: &specs.Root{Path: "r", Readonly: true}, Hostname: "x", Linux: &specs.Linux{
		MaskedPaths: []string{"/proc/keys"}, Devices: []specs.LinuxDevice{{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229}}, Namespaces: []specs.LinuxNamespace{{Type: "pid"}},
	}}
	f := &Facts{NoParam: unix.EACCES, IOPriority: -1, Files: map[string]Reading{}, Links: map[string]Reading{}, Places: map[string]Place{}}
	for _, name := range files {
		f.Files[name] = Reading{Err: unix.EACCES}
	}
	for _, name := range []string{"cwd", "root", "ns/pid"} {
		f.Links[name] = Reading{Err: unix.EACCES}
	}
	for _, path := range paths(s) {
		f.Places[path] = Place{Err: unix.EACCES}
	}
	f.Files["status"] = Reading{Text: status}
	f.Waiting = true
	for _, r := range Explain(s, f) {
		if r.Mark == Differs && r.Field != "process.user.uid" && r.Field != "process.user.gid" && r.Field != "process.user.additionalGids" &&
			r.Field != "process.noNewPrivileges" && r.Field != "process.capabilities.bounding" && r.Field != "linux.seccomp" && r.Field != "root.readonly" {
			t.Errorf("%+v", r)
		}
	}
}
