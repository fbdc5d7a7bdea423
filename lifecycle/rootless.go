package lifecycle

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// namespaceAdvice tells what keeps a caller from new namespaces, and who may
// change it; "" if nothing that is known does. errno is what clone(2), unshare(2)
// or what needs rights in the new user namespace gave, flags are its CLONE_NEW
// flags, ordinary is a caller who isn't root, and sysctl gives the value of a file
// below /proc/sys, or "" (namespaces(7), user_namespaces(7)).
func namespaceAdvice(errno unix.Errno, flags uintptr, ordinary bool, sysctl func(file string) string) string {
	user := flags&unix.CLONE_NEWUSER != 0
	switch {
	case errno == unix.ENOSPC:
		for _, n := range namespacesIn(flags) {
			if key := "user/max_" + n.File + "_namespaces"; sysctl(key) == "0" {
				return disabled(key, "a number above 0")
			}
		}
		return "there are as many namespaces as the sysctls user.max_*_namespaces allow: raise them"
	case errno == unix.EUSERS:
		return "user namespaces are nested as deep as the kernel allows"
	case errno == unix.EINVAL && user:
		return "the kernel may be built without some kind of namespace"
	case errno != unix.EPERM && errno != unix.EACCES:
		return ""
	case user && ordinary && sysctl("kernel/unprivileged_userns_clone") == "0":
		return disabled("kernel/unprivileged_userns_clone", "1")
	case user && ordinary && sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
		return disabled("kernel/apparmor_restrict_unprivileged_userns", "0") + ", or give minirt an AppArmor profile that has the rule userns"
	case user && ordinary:
		return "a seccomp filter, a security module or a chroot of the caller's may forbid it"
	case !user && ordinary:
		return "an ordinary user's container takes a user namespace in linux.namespaces: see minirt spec --rootless"
	}
	return ""
}

// disabled names a sysctl that forbids what was tried.
func disabled(file, value string) string {
	return "the sysctl " + strings.ReplaceAll(file, "/", ".") + " forbids it: set it to " + value
}

// sysctl reads a file below /proc/sys.
func sysctl(file string) string {
	b, _ := readFile("/proc/sys/"+file, 256)
	return strings.TrimSpace(string(b))
}

// advised puts advice behind a failed clone(2) with CLONE_NEW flags.
func advised(err error, flags uintptr) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err
	}
	if advice := namespaceAdvice(errno, flags, os.Geteuid() != 0, sysctl); advice != "" {
		return because(err.Error(), &stepError{text: advice, errno: errno, call: "clone", namespaces: flags})
	}
	return err
}

// adviceOn tells, behind a colon, what an administrator may do about a step that
// failed while the stage took hold of its namespaces; "" if nothing is known.
func (c *Compiled) adviceOn(step int, errno unix.Errno) string {
	ordinary := os.Geteuid() != 0
	advice := ""
	switch st := &c.Steps[step]; {
	case st.Call == plan.Unshare:
		advice = namespaceAdvice(errno, uintptr(st.Args[0]), ordinary, sysctl)
	case errno == unix.EINVAL && (st.Call == plan.Setuid || st.Call == plan.Setgid):
		advice = "the container's user namespace does not map it"
	case st.Call == plan.Setgroups && errno == unix.EPERM:
		advice = "nobody may in the user namespace of an ordinary user who maps no gid but his own: leave additional groups out, or map a range of /etc/subgid"
	case ordinary && (errno == unix.EPERM || errno == unix.EACCES) && sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
		advice = namespaceAdvice(errno, unix.CLONE_NEWUSER, ordinary, sysctl)
	}
	if advice == "" {
		return ""
	}
	return ": " + advice
}

// noRights tells an ordinary user what cgroups take.
func (c *creation) noRights(err error) error {
	if !c.rootless() || !errors.Is(err, cgroup.ErrNoRights) {
		return err
	}
	return because(err.Error(), text("the config asks for limits or a place, which takes a cgroup of the caller's own: "+
		"leave linux.resources and linux.cgroupsPath out, or name one that the administrator has delegated (systemd: Delegate=yes)"))
}

// applyLate writes what would have hindered the stage. In a user namespace the
// container does without device rules that only the machine's root may make:
// nobody can make a device node there, and those that are bound open with the
// user's own rights.
func (c *creation) applyLate() error {
	err := c.group.Apply(c.late)
	if err == nil || !c.host.Rootfs.UserNamespace || !c.rootless() || !errors.Is(err, cgroup.ErrNoRights) {
		return err
	}
	rest := slices.DeleteFunc(slices.Clone(c.late), func(w cgroup.Write) bool { return !isLimit(w) })
	if e := c.group.Apply(rest); e != nil || len(rest) == len(c.late) {
		return cmp.Or(e, err)
	}
	if c.spec.Linux.Resources != nil && len(c.spec.Linux.Resources.Devices) > 0 && !inUserNamespace() {
		c.warn(err.Error() + ": the container's device rules are not in force")
	}
	return nil
}

// isLimit tells a limit from a rule for devices.
func isLimit(w cgroup.Write) bool { return w.Controller != "devices" }

// unmappedOptions are mounts whose options give their files to ids that the new
// user namespace doesn't have: the kernel would say no more than EINVAL.
func unmappedOptions(s *specs.Spec) (faults spec.Faults) {
	created, _ := namespacesOf(s)
	if created&unix.CLONE_NEWUSER == 0 || len(s.Linux.UIDMappings) == 0 {
		return nil
	}
	for i := range s.Mounts {
		switch s.Mounts[i].Type {
		case "devpts", "tmpfs", "proc":
		default:
			continue
		}
		for k, o := range s.Mounts[i].Options {
			name, value, _ := strings.Cut(o, "=")
			ids, maps := s.Linux.UIDMappings, "linux.uidMappings"
			if name == "gid" {
				ids, maps = s.Linux.GIDMappings, "linux.gidMappings"
			}
			id, ok := parseID(value)
			_, mapped := kernel.HostID(ids, id)
			if (name == "uid" || name == "gid") && ok && !mapped {
				path := index(index("mounts", i)+".options", k)
				faults = append(faults, spec.Fault{Path: path, Text: quote(o) + ": " + value + " is not mapped by " + maps + ": leave the option out"})
			}
		}
	}
	return faults
}
