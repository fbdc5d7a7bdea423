package advice

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// capSysNice is a number of capabilities(7).
const capSysNice = 23

// process are rows of what config.json says of the process, and of its devices, sysctls and labels.
var process = []row{
	{"rlimit-beyond-nr-open", "RLIMIT_NOFILE is set beyond what the kernel allows anybody",
		"the kernel allows {}: as root, sysctl -w fs.nr_open={}, or set a lower hard limit", func(f *Failure, h Facts) []string {
			name, hard := f.rlimit()
			if name != "RLIMIT_NOFILE" {
				return nil
			}
			most, err := strconv.ParseUint(h.Read("/proc/sys/fs/nr_open"), 10, 64)
			if err == nil && hard > most && permitted(h, kernel.CapSysResource) {
				return say(strconv.FormatUint(most, 10), strconv.FormatUint(hard, 10))
			}
			return nil
		}},
	{"rlimit-raised", "a hard limit is set beyond the caller's own, without the right to that",
		"the caller's own hard limit is {}: set {}.hard to that at most, or give minirt CAP_SYS_RESOURCE", func(f *Failure, h Facts) []string {
			name, _ := f.rlimit()
			if n, ok := kernel.Rlimit(name); ok {
				return say(hardLimit(h, n), f.Path)
			}
			return nil
		}},
	{"oom-score-lowered", "process.oomScoreAdj is below the caller's own, without the right to that",
		"without CAP_SYS_RESOURCE it can't be below the caller's own: set process.oomScoreAdj to {} or more, or leave it out", func(f *Failure, h Facts) []string {
			if f.Path == "process.oomScoreAdj" && (f.Errno == unix.EACCES || f.Errno == unix.EPERM) {
				return only(h.Read("/proc/self/oom_score_adj"))
			}
			return nil
		}},
	{"scheduler-denied", "process.scheduler asks for what takes rights that minirt hasn't",
		"minirt has no CAP_SYS_NICE here: give it that, or take process.scheduler out", func(f *Failure, h Facts) []string {
			if f.Path == "process.scheduler" && f.Errno == unix.EPERM && !permitted(h, capSysNice) {
				return say()
			}
			return nil
		}},
	{"sysctl-of-host", "linux.sysctl names a parameter that only the host's namespace has",
		"a container has no {} of its own: set it on the host, sysctl -w {}={}, and take it out", func(f *Failure, h Facts) []string {
			if key, value := f.sysctl(); key != "" && (f.Errno == unix.ENOENT || f.Errno == unix.EACCES) && !absent(h, sysctlFile(key)) {
				return say(key, key, value)
			}
			return nil
		}},
	{"sysctl-bridge", "linux.sysctl names a parameter of a module that isn't loaded",
		"as root: modprobe br_netfilter brings it", func(f *Failure, h Facts) []string {
			if key, _ := f.sysctl(); f.Errno == unix.ENOENT && strings.HasPrefix(key, "net.bridge.") {
				return say()
			}
			return nil
		}},
	{"sysctl-unknown", "linux.sysctl names a parameter that the kernel hasn't",
		"this kernel has no {}: take it out, or load the module that brings it", func(f *Failure, h Facts) []string {
			if key, _ := f.sysctl(); key != "" && f.Errno == unix.ENOENT {
				return say(key)
			}
			return nil
		}},
	{"sysctl-value", "linux.sysctl gives a parameter a value that the kernel refuses",
		"on this host it is {text}: give a value of that sort", func(f *Failure, h Facts) []string {
			if key, _ := f.sysctl(); key != "" && (f.Errno == unix.EINVAL || f.Errno == unix.ERANGE) {
				return only(strconv.Quote(strings.Join(strings.Fields(h.Read(sysctlFile(key))), " ")))
			}
			return nil
		}},
	{"device-not-made", "a device node is to be made, without the right to that",
		"minirt has no CAP_MKNOD here: instead of {}, bind the host's {} by a mount with the options [\"bind\"]", func(f *Failure, h Facts) []string {
			if i := f.device(); i >= 0 && f.Errno == unix.EPERM {
				return say(f.Path, f.Spec.Linux.Devices[i].Path)
			}
			return nil
		}},
	{"network-device-missing", "linux.netDevices names a device that isn't in the caller's network namespace",
		"this network namespace has {text}: name one of these, or make it with ip link add", func(f *Failure, h Facts) []string {
			if name, ok := strings.CutPrefix(f.Path, "linux.netDevices."); ok && f.Kind == BadConfig && absent(h, "/sys/class/net/"+name) {
				return say(strings.Join(h.Names("/sys/class/net"), ", "))
			}
			return nil
		}},
	{"apparmor-off", "process.apparmorProfile is set where AppArmor is not enabled",
		"take process.apparmorProfile out, or start the kernel with apparmor=1 security=apparmor", func(f *Failure, h Facts) []string {
			if f.Kind == BadConfig && f.Path == "process.apparmorProfile" {
				return say()
			}
			return nil
		}},
	{"apparmor-profile-missing", "the profile that process.apparmorProfile names is not loaded",
		"as root: apparmor_parser -r {text}", func(f *Failure, h Facts) []string {
			if f.Path != "process.apparmorProfile" || f.Errno != unix.ENOENT || f.Spec == nil {
				return nil
			}
			name := f.Spec.Process.ApparmorProfile
			if file := "/etc/apparmor.d/" + name; isFile(h, file) {
				return say(word(file))
			}
			return say("FILE, with the file that defines " + strconv.Quote(name))
		}},
	{"selinux-off", "process.selinuxLabel or linux.mountLabel is set where SELinux is not enabled",
		"take {} out, or start the kernel with selinux=1 security=selinux", func(f *Failure, h Facts) []string {
			if f.Kind == BadConfig && (f.Path == "process.selinuxLabel" || f.Path == "linux.mountLabel") {
				return say(f.Path)
			}
			return nil
		}},
	{"selinux-label-unknown", "the policy has no such label as process.selinuxLabel or linux.mountLabel",
		"containers mostly have \"system_u:system_r:container_t:s0\"; sesetup and seinfo -t list what the policy has", func(f *Failure, h Facts) []string {
			if f.Path == "process.selinuxLabel" && f.Errno == unix.EINVAL {
				return say()
			}
			return nil
		}},
	{"seccomp-without-no-new-privileges", "a seccomp filter is set without CAP_SYS_ADMIN and without noNewPrivileges",
		"set process.noNewPrivileges to true", func(f *Failure, h Facts) []string {
			if strings.HasPrefix(f.Path, "linux.seccomp") && f.Errno == unix.EACCES {
				return say()
			}
			return nil
		}},
}

// rlimit is the limit of process.rlimits that was refused; "" if none was.
func (f *Failure) rlimit() (name string, hard uint64) {
	if f.Errno != unix.EPERM || f.Spec == nil || f.Spec.Process == nil {
		return "", 0
	}
	for i, r := range f.Spec.Process.Rlimits {
		if f.Path == "process.rlimits["+itoa(i)+"]" {
			return r.Type, r.Hard
		}
	}
	return "", 0
}

// hardLimit is the caller's own, in words.
func hardLimit(h Facts, resource int) string {
	if n := h.Limit(resource); n != unix.RLIM_INFINITY {
		return strconv.FormatUint(n, 10)
	}
	return "unlimited"
}

// sysctl is the parameter of linux.sysctl that failed.
func (f *Failure) sysctl() (key, value string) {
	if f.Spec == nil || f.Spec.Linux == nil {
		return "", ""
	}
	for key, value := range f.Spec.Linux.Sysctl {
		if f.Path == "linux.sysctl."+key {
			return key, value
		}
	}
	return "", ""
}

func sysctlFile(key string) string {
	if strings.Contains(key, "/") {
		return "/proc/sys/" + key
	}
	return "/proc/sys/" + strings.ReplaceAll(key, ".", "/")
}

// device is the number of the device node that failed; -1 if none did.
func (f *Failure) device() int {
	if f.Spec == nil || f.Spec.Linux == nil {
		return -1
	}
	for i := range f.Spec.Linux.Devices {
		if f.Path == "linux.devices["+itoa(i)+"]" {
			return i
		}
	}
	return -1
}

// permitted tells whether the caller has a capability (proc(5), status, CapPrm).
func permitted(h Facts, capability int) bool {
	for line := range strings.Lines(h.Read("/proc/self/status")) {
		if set, ok := strings.CutPrefix(line, "CapPrm:"); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(set), 16, 64)
			return err == nil && bits>>capability&1 != 0
		}
	}
	return true
}
