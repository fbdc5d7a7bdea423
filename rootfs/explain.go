package rootfs

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Explain words a step of this package that failed: what was done, to what, and
// what may be done about it, such as
//
//	mount "/data" onto "/srv": no such file or directory
//
// It gives "" for steps of others.
func Explain(s *specs.Spec, step *plan.Step, errno unix.Errno) string {
	i, member, ok := index(step.Origin, "mounts")
	if ok && i < len(s.Mounts) {
		text := explainMount(&s.Mounts[i], member, step.Call, errno)
		if errno == unix.EINVAL && s.Linux != nil && s.Linux.MountLabel != "" {
			text += ": or the policy has no linux.mountLabel " + strconv.Quote(s.Linux.MountLabel)
		}
		return text
	}
	if i, _, ok = index(step.Origin, "linux.maskedPaths"); ok && s.Linux != nil && i < len(s.Linux.MaskedPaths) {
		return "mask " + strconv.Quote(s.Linux.MaskedPaths[i]) + ": " + errno.Error()
	}
	if i, _, ok = index(step.Origin, "linux.readonlyPaths"); ok && s.Linux != nil && i < len(s.Linux.ReadonlyPaths) {
		return "make " + strconv.Quote(s.Linux.ReadonlyPaths[i]) + " read-only: " + errno.Error()
	}
	if i, _, ok = index(step.Origin, "linux.devices"); ok && s.Linux != nil && i < len(s.Linux.Devices) {
		text := "make device " + strconv.Quote(s.Linux.Devices[i].Path) + ": " + errno.Error()
		if errno == unix.EEXIST {
			text += ": something else is there already"
		}
		return text
	}
	switch step.Call {
	case plan.PivotRoot:
		text := "pivot_root: " + errno.Error()
		if errno == unix.EINVAL {
			text += ": where the host's root is an initramfs, use --no-pivot"
		}
		return text
	}
	return ""
}

func explainMount(m *specs.Mount, member string, call plan.Call, errno unix.Errno) string {
	d := strconv.Quote(m.Destination)
	if member == ".destination" {
		text := "mount onto " + d + ": " + errno.Error()
		switch {
		case errno == unix.ELOOP && IsKernel(m):
			text = d + " must be an ordinary directory, and what leads there too, not a symbolic link" // SEC-13
		case errno == unix.ELOOP:
			text += ": a symbolic link turned up where none was, or leads out of the file system"
		case errno == unix.EROFS:
			text += ": the mount point is missing, and the mount that it lies on is read-only"
		case errno == unix.ENOTDIR && IsBind(m):
			text += ": the source is a directory, and the destination is not"
		}
		return text
	}
	what := m.Source
	if what == "" || !IsBind(m) {
		what = m.Type
	}
	text := "mount " + strconv.Quote(what) + " onto " + d + ": " + errno.Error()
	switch {
	case errno == unix.ENODEV && call == plan.Mount:
		text += ": the kernel knows no file system of type " + strconv.Quote(m.Type)
	case errno == unix.EPERM && call == plan.Mount && m.Type == "proc":
		text += ": in a user namespace it takes a new pid namespace, and nothing that covers parts of the host's /proc: or bind /proc instead"
	case errno == unix.EPERM && call == plan.Mount && m.Type == "sysfs":
		text += ": in a user namespace it takes a new network namespace: or bind /sys instead, with the options rbind and rro"
	case errno == unix.EINVAL && call == plan.Mount && len(m.Options) > 0:
		text += ": is an option wrong? " + strings.Join(m.Options, ",")
	case errno == unix.EPERM && call == plan.MountSetattr:
		text += ": a flag of the source may be locked, which a user namespace can't clear"
	case errno == unix.EINVAL && call == plan.MoveMount:
		text += ": one is a directory, and the other is not"
	}
	return text
}

// index takes "name[i].member" apart.
func index(origin, name string) (i int, member string, ok bool) {
	rest, ok := strings.CutPrefix(origin, name+"[")
	if !ok {
		return 0, "", false
	}
	number, member, ok := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	return i, member, ok && err == nil && i >= 0
}
