package advice

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroups are rows of linux.cgroupsPath and linux.resources.
var cgroups = []row{
	{"cgroups-not-mounted", "no cgroup file system is mounted",
		"use mount -t cgroup2 cgroup2 /sys/fs/cgroup, or do without: --cgroup-manager disabled", func(f *Failure, h Facts) []string {
			if f.Kind == NoCgroups {
				return say()
			}
			return nil
		}},
	{"cgroups-read-only", "the cgroup file system is mounted read-only, as in most containers",
		"use mount -o remount,rw,bind {}; in a container start that one with rights to its cgroup (docker: --privileged), or use --cgroup-manager disabled", func(f *Failure, h Facts) []string {
			if f.Cgroup != "" && f.Errno == unix.EROFS {
				return say(mountOf(h, f.Cgroup).point)
			}
			return nil
		}},
	{"cgroup-occupied", "the cgroup that linux.cgroupsPath names has processes in it",
		"let linux.cgroupsPath name another, or end them: {}/cgroup.procs lists them", func(f *Failure, h Facts) []string {
			if f.Kind == Occupied {
				return say(f.Cgroup)
			}
			return nil
		}},
	{"cgroup-frozen", "the cgroup that linux.cgroupsPath names is frozen",
		"thaw it: {text}", func(f *Failure, h Facts) []string {
			switch {
			case f.Kind != Frozen:
				return nil
			case !absent(h, f.Cgroup+"/freezer.state"):
				return say("echo THAWED > " + word(f.Cgroup) + "/freezer.state")
			}
			return say("echo 0 > " + word(f.Cgroup) + "/cgroup.freeze")
		}},
	{"cgroup-threaded", "the cgroup lies below one that is threaded, where no process can be",
		"{} is threaded or below such a one: let linux.cgroupsPath name a place outside", func(f *Failure, h Facts) []string {
			if f.Cgroup != "" && f.Errno == unix.EOPNOTSUPP {
				return say(f.Cgroup)
			}
			return nil
		}},
	{"cgroup-inner", "the cgroup has enabled controllers for cgroups below it, so that no process can be in it itself",
		"let linux.cgroupsPath name a new cgroup below {}", func(f *Failure, h Facts) []string {
			if f.Cgroup != "" && f.Call == "join" && f.Errno == unix.EBUSY {
				return say(path.Base(f.Cgroup))
			}
			return nil
		}},
	{"controller-not-mounted", "config.json sets a limit of a controller of cgroup version 1 that the kernel has, and that isn't mounted",
		"mount it: mkdir -p /sys/fs/cgroup/{}, mount -t cgroup -o {} {} /sys/fs/cgroup/{}; or take {text} out", func(f *Failure, h Facts) []string {
			if c := f.Controller; c != "" && hierarchy(h, c) == "0" {
				return say(c, c, c, c, f.Path)
			}
			return nil
		}},
	{"controller-missing", "config.json sets a limit of a controller that the kernel hasn't, or that is off",
		"this kernel has no {} controller, or cgroup_disable= on its command line has switched it off: take {text} out", func(f *Failure, h Facts) []string {
			if c := f.Controller; c != "" && hierarchy(h, c) == "" {
				return say(c, f.Path)
			}
			return nil
		}},
	{"cpus-missing", "linux.resources.cpu.cpus or mems names processors or memory nodes that this machine, or the cgroup above, hasn't",
		"{} are there: set {} to some of these", func(f *Failure, h Facts) []string {
			file, list := "/sys/devices/system/cpu/online", "linux.resources.cpu.cpus"
			if f.Path == "linux.resources.cpu.mems" {
				file, list = "/sys/devices/system/node/online", f.Path
			}
			if f.Path == list && f.Cgroup != "" && (f.Errno == unix.ERANGE || f.Errno == unix.EINVAL || f.Errno == unix.EACCES) {
				return say(h.Read(file), list)
			}
			return nil
		}},
	{"memory-below-usage", "update asks for a memory limit below what the container uses already",
		"it uses {} bytes: take a limit above, or let its programs give memory back first", func(f *Failure, h Facts) []string {
			if f.Verb != "update" || f.Errno != unix.EBUSY || !strings.HasPrefix(f.Path, "linux.resources.memory.") && !strings.HasPrefix(f.Path, "memory.") {
				return nil
			}
			dir := path.Dir(f.Cgroup)
			return only(h.Read(dir+"/memory.usage_in_bytes") + h.Read(dir+"/memory.current"))
		}},
	{"memory-too-low", "the container's process was killed for lack of memory before it was created",
		"set linux.resources.memory.limit to a megabyte at least: it is {} bytes", func(f *Failure, h Facts) []string {
			if f.Kind != Killed || f.Spec == nil || f.Spec.Linux == nil || f.Spec.Linux.Resources == nil {
				return nil
			}
			if m := f.Spec.Linux.Resources.Memory; m != nil && m.Limit != nil && *m.Limit < 1<<20 {
				return say(itoa(int(*m.Limit)))
			}
			return nil
		}},
	{"realtime-no-budget", "process.scheduler asks for real time, and the cgroup has no budget for it",
		"set linux.resources.cpu.realtimeRuntime, and realtimePeriod: the container's cgroup has no budget of real time", func(f *Failure, h Facts) []string {
			if f.Path != "process.scheduler" || f.Errno != unix.EPERM || hierarchy(h, "cpu") == "0" || f.Spec == nil {
				return nil
			}
			if r := f.Spec.Linux; r != nil && r.Resources != nil && r.Resources.CPU != nil && r.Resources.CPU.RealtimeRuntime != nil {
				return nil
			}
			if absent(h, "/sys/fs/cgroup/cpu/cpu.rt_runtime_us") || !permitted(h, capSysNice) {
				return nil
			}
			return say()
		}},
	{"realtime-over-budget", "linux.resources.cpu.realtimeRuntime is more than the cgroup above has left",
		"each cgroup above must have that much first: mkdir -p {}, and echo a larger number > {}/cpu.rt_runtime_us", func(f *Failure, h Facts) []string {
			if f.Path == "linux.resources.cpu.realtimeRuntime" && f.Errno == unix.EINVAL {
				above := path.Dir(path.Dir(f.Cgroup))
				return say(above, above)
			}
			return nil
		}},
}

// hierarchy is the number of the hierarchy of version 1 that a controller is
// mounted in, 0 for none or for version 2; "" if the kernel has no such
// controller (cgroups(7), /proc/cgroups).
func hierarchy(h Facts, controller string) string {
	for line := range strings.Lines(h.Read("/proc/cgroups")) {
		if w := strings.Fields(line); len(w) == 4 && w[0] == controller && w[3] == "1" {
			return w[1]
		}
	}
	return ""
}
