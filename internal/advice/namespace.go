package advice

import (
	"path"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// namespaces are rows of linux.namespaces and of mapped ids.
var namespaces = []row{
	{"namespaces-off", "a sysctl forbids all namespaces of a kind",
		"as root: sysctl -w user.max_{}_namespaces=15000; a file in /etc/sysctl.d makes it last", func(f *Failure, h Facts) []string {
			return f.limited(h, func(limit string) bool { return limit == "0" })
		}},
	{"namespaces-used-up", "there are as many namespaces of a kind as a sysctl allows",
		"as root: raise the sysctl user.max_{}_namespaces, or minirt delete containers that are no longer needed", func(f *Failure, h Facts) []string {
			return f.limited(h, func(limit string) bool { return len(limit) < 5 })
		}},
	{"user-namespaces-off", "a Debian kernel allows ordinary users no user namespaces",
		"as root: sysctl -w kernel.unprivileged_userns_clone=1; a file in /etc/sysctl.d makes it last", func(f *Failure, h Facts) []string {
			if f.ordinary(h) && h.Read("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
				return say()
			}
			return nil
		}},
	{"user-namespaces-apparmor", "AppArmor allows ordinary users no rights in user namespaces (Ubuntu since 23.10)",
		"as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; a file in /etc/sysctl.d makes it last", func(f *Failure, h Facts) []string {
			if f.ordinary(h) && h.Read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
				return say()
			}
			return nil
		}},
	{"no-sys-admin-in-container", "minirt has not the rights for namespaces: it runs in a container of an engine",
		"start the outer container with --privileged, or with --cap-add SYS_ADMIN --security-opt seccomp=unconfined", func(f *Failure, h Facts) []string {
			if f.powerless(h) && (!absent(h, "/.dockerenv") || !absent(h, "/run/.containerenv")) {
				return say()
			}
			return nil
		}},
	{"no-sys-admin", "minirt runs as root, and without the capability that namespaces take",
		"minirt has no CAP_SYS_ADMIN here: give it that, or give the container a user namespace, as minirt spec --rootless writes it", func(f *Failure, h Facts) []string {
			if f.powerless(h) {
				return say()
			}
			return nil
		}},
	{"no-user-namespace", "an ordinary user's container has no user namespace",
		"minirt spec --rootless writes a config.json for user {}", func(f *Failure, h Facts) []string {
			if f.Errno == unix.EPERM && h.UID() != 0 && f.Namespaces != 0 && f.Namespaces&unix.CLONE_NEWUSER == 0 {
				return say(itoa(h.UID()))
			}
			return nil
		}},
	{"network-namespace-gone", "a network namespace that has a name is not there",
		"ip netns add {} makes it", func(f *Failure, h Facts) []string {
			if p := f.namespacePath(); f.Errno == unix.ENOENT && (path.Dir(p) == "/run/netns" || path.Dir(p) == "/var/run/netns") {
				return say(path.Base(p))
			}
			return nil
		}},
	{"namespace-gone", "a namespace's process has ended",
		"process {} has ended: name a living one's, or take {} out for a new namespace", func(f *Failure, h Facts) []string {
			p := strings.Split(f.namespacePath(), "/")
			if f.Errno == unix.ENOENT && len(p) == 5 && p[1] == "proc" && p[3] == "ns" {
				return say(p[2], f.Path)
			}
			return nil
		}},
	{"newuidmap-missing", "more than one's own id is mapped, and newuidmap or newgidmap, which does it, is not installed",
		"as root: {text}", func(f *Failure, h Facts) []string {
			if f.Kind != Helpless || strings.Contains(f.File, "/") {
				return nil
			}
			release := h.Read("/etc/os-release")
			for _, d := range distributions {
				if strings.Contains(release, d.word) {
					return say(d.command)
				}
			}
			return nil
		}},
	{"subuid-missing", "an ordinary user maps ids that /etc/subuid or /etc/subgid doesn't give him",
		"as root: echo {} >> {}", func(f *Failure, h Facts) []string {
			if f.Kind == Helpless && f.Grant != "" {
				return say(f.Grant, f.File)
			}
			return nil
		}},
	{"newuidmap-powerless", "newuidmap or newgidmap has not the rights that it takes",
		"as root: chmod u+s {}, on a file system that is not mounted nosuid", func(f *Failure, h Facts) []string {
			if f.Kind == Helpless && f.Grant == "" {
				return say(f.File)
			}
			return nil
		}},
	{"user-not-mapped", "process.user has an id that the user namespace doesn't map",
		"add {\"containerID\": ID, \"hostID\": N, \"size\": 1} to linux.{}Mappings, with an N of the host that is free", func(f *Failure, h Facts) []string {
			id, ok := strings.CutPrefix(f.Path, "process.user.")
			if f.Kind == BadConfig && f.Spec == nil && ok && (id == "uid" || id == "gid") {
				return say(id)
			}
			return nil
		}},
}

// distributions are the words of os-release(5) by which their families are
// known, and how they install newuidmap(1).
var distributions = [...]struct{ word, command string }{
	{"debian", "apt-get install uidmap"},
	{"fedora", "dnf install shadow-utils"},
	{"rhel", "dnf install shadow-utils"},
	{"suse", "zypper install shadow"},
	{"arch", "pacman -S shadow"},
	{"alpine", "apk add shadow-uidmap"},
}

// limited names the kind of namespace whose sysctl gives a limit of that sort.
func (f *Failure) limited(h Facts, sort func(limit string) bool) []string {
	if f.Errno != unix.ENOSPC || f.Namespaces == 0 {
		return nil
	}
	for _, n := range kernel.Namespaces {
		if f.Namespaces&uintptr(n.Flag) == 0 {
			continue
		}
		if limit := h.Read("/proc/sys/user/max_" + n.File + "_namespaces"); limit != "" && sort(limit) {
			return say(n.File)
		}
	}
	return nil
}

// ordinary tells that an ordinary user has failed to get a user namespace, or
// rights in one.
func (f *Failure) ordinary(h Facts) bool {
	return h.UID() != 0 && (f.Errno == unix.EPERM || f.Errno == unix.EACCES) && f.Call != "" && f.Cgroup == "" && f.Program == "" && f.hasNamespace("user")
}

// powerless tells that root has failed to get namespaces.
func (f *Failure) powerless(h Facts) bool {
	return f.Errno == unix.EPERM && h.UID() == 0 && f.Path == "" && f.Flag == "" && f.Cgroup == "" &&
		(f.Verb == "create" || f.Verb == "run" || f.Verb == "exec") && !permitted(h, kernel.CapSysAdmin)
}

// namespacePath is the path of the namespace that failed; "" if none did.
func (f *Failure) namespacePath() string {
	if f.Spec == nil || f.Spec.Linux == nil {
		return ""
	}
	for i, n := range f.Spec.Linux.Namespaces {
		if f.Path == "linux.namespaces["+itoa(i)+"].path" {
			return n.Path
		}
	}
	return ""
}
