package advice

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mounts are rows of config.json's mounts.
var mounts = []row{
	{"bind-source-relative", "a bind's source is relative and not there",
		"it is looked for in the bundle: make {}, or set {}.source to an absolute path", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.ENOENT && rootfs.IsBind(m) && !path.IsAbs(m.Source) && absent(h, rootfs.Source(m, f.Bundle)) {
				return say(path.Join(f.Bundle, m.Source), f.mountPath())
			}
			return nil
		}},
	{"bind-source-missing", "a bind's source is not there",
		"make it on the host, or take {} out; for a directory: mkdir -p {}", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.ENOENT && rootfs.IsBind(m) && absent(h, m.Source) {
				return say(f.mountPath(), m.Source)
			}
			return nil
		}},
	{"bind-source-closed", "a bind's source lies below a directory that the caller, or the container's root, may not enter",
		"{} may not be entered: use chmod o+x {}, or bind something else", func(f *Failure, h Facts) []string {
			m := f.mount()
			if m == nil || f.Errno != unix.EACCES || !rootfs.IsBind(m) {
				return nil
			}
			if dir := barred(h, rootfs.Source(m, f.Bundle)); dir != "" {
				return say(dir, dir)
			}
			return nil
		}},
	{"bind-directory-on-file", "a directory is bound onto a file",
		"{} is a file: remove it, and minirt makes a directory there", func(f *Failure, h Facts) []string {
			if p, ok := f.differs(h); ok && p.regular() {
				return say(p.host)
			}
			return nil
		}},
	{"bind-file-on-directory", "a file is bound onto a directory",
		"{} is a directory: let {}.destination name a file in it, or remove it", func(f *Failure, h Facts) []string {
			if p, ok := f.differs(h); ok && p.Mode&unix.S_IFMT == unix.S_IFDIR {
				return say(p.host, f.mountPath())
			}
			return nil
		}},
	{"mount-point-link", "what must be an ordinary directory in the root file system is a symbolic link",
		"remove the link {}: minirt makes a directory there", func(f *Failure, h Facts) []string {
			m := f.mount()
			if m == nil || f.Errno != unix.ELOOP || !rootfs.IsKernel(m) {
				return nil
			}
			return say(path.Join(f.Rootfs, m.Destination))
		}},
	{"overlay-directory-missing", "a directory of an overlay is not there",
		"the overlay's {} is not there: mkdir -p {}", func(f *Failure, h Facts) []string {
			if f.Errno != unix.ENOENT {
				return nil
			}
			for _, o := range f.overlay() {
				if absent(h, o[1]) {
					return say(o[0], o[1])
				}
			}
			return nil
		}},
	{"overlay-on-overlay", "an overlay's upperdir or workdir lies on an overlay, as in a container",
		"{} lies on an overlay, which can't hold it: put upperdir and workdir on another file system, such as a tmpfs or a volume", func(f *Failure, h Facts) []string {
			if f.Errno != unix.EINVAL {
				return nil
			}
			for _, o := range f.overlay() {
				if o[0] != "lowerdir" && h.Look("/", o[1]).FS == unix.OVERLAYFS_SUPER_MAGIC {
					return say(o[1])
				}
			}
			return nil
		}},
	{"overlay-work-elsewhere", "an overlay's workdir lies on another mount than its upperdir",
		"put workdir beside upperdir: {} lies on another mount", func(f *Failure, h Facts) []string {
			upper, work := "", ""
			for _, o := range f.overlay() {
				switch o[0] {
				case "upperdir":
					upper = o[1]
				case "workdir":
					work = o[1]
				}
			}
			if f.Errno == unix.EINVAL && upper != "" && work != "" && mountOf(h, upper).point != mountOf(h, work).point {
				return say(work)
			}
			return nil
		}},
	{"overlay-no-work", "an overlay has an upperdir and no workdir",
		"add workdir=DIR to {}.options: an empty directory beside upperdir", func(f *Failure, h Facts) []string {
			has := ""
			for _, o := range f.overlay() {
				has += o[0]
			}
			if f.Errno == unix.EINVAL && strings.Contains(has, "upperdir") && !strings.Contains(has, "workdir") {
				return say(f.mountPath())
			}
			return nil
		}},
	{"mount-image-file", "a mount's source is a file that holds a file system",
		"a file takes a loop device: losetup --find --show {} names one for {}.source", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.ENOTBLK {
				return say(rootfs.Source(m, f.Bundle), f.mountPath())
			}
			return nil
		}},
	{"mount-device-missing", "a mount's source is a device that is not there",
		"the host has no {}: lsblk shows which there are", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.ENOENT && strings.HasPrefix(m.Source, "/dev/") && absent(h, m.Source) {
				return say(m.Source)
			}
			return nil
		}},
	{"mount-type-bind", "a mount has the type bind, and no option that says so",
		"add \"rbind\" to {}.options: the type alone binds nothing", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.ENODEV && m.Type == "bind" {
				return say(f.mountPath())
			}
			return nil
		}},
	{"mount-type-unknown", "the kernel knows no file system of that type",
		"modprobe {} may bring it; /proc/filesystems lists what there is", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.ENODEV && f.Call == "mount" {
				return say(m.Type)
			}
			return nil
		}},
	{"proc-without-pid-namespace", "a procfs is to be mounted in a user namespace without a pid namespace of its own",
		"add {\"type\": \"pid\"} to linux.namespaces, or bind the host's: {}.type \"bind\", source \"/proc\", options [\"rbind\"]", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.EPERM && m.Type == "proc" && !f.hasNamespace(specs.PIDNamespace) {
				return say(f.mountPath())
			}
			return nil
		}},
	{"proc-covered", "a procfs is to be mounted in a user namespace, and parts of the caller's own /proc are covered, as in a container",
		"{} is covered here: start the outer container with an unmasked /proc (docker: --security-opt systempaths=unconfined), or bind /proc", func(f *Failure, h Facts) []string {
			if m := f.mount(); m == nil || f.Errno != unix.EPERM || m.Type != "proc" {
				return nil
			}
			return only(covered(h, "/proc/"))
		}},
	{"sysfs-without-network-namespace", "a sysfs is to be mounted in a user namespace without a network namespace of its own",
		"add {\"type\": \"network\"} to linux.namespaces, or bind /sys", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.EPERM && m.Type == "sysfs" && !f.hasNamespace(specs.NetworkNamespace) {
				return say()
			}
			return nil
		}},
	{"sysfs-covered", "a sysfs is to be mounted in a user namespace, and parts of the caller's own /sys are covered",
		"{} is covered here: start the outer container with an unmasked /sys, or bind /sys", func(f *Failure, h Facts) []string {
			if m := f.mount(); m == nil || f.Errno != unix.EPERM || m.Type != "sysfs" {
				return nil
			}
			return only(covered(h, "/sys/"))
		}},
	{"mount-option-not-mapped", "a mount's option gives its files to an id that the user namespace doesn't map",
		"take {} out of {}.options: the user namespace maps no such id", func(f *Failure, h Facts) []string {
			m := f.mount()
			if m == nil || f.Errno != unix.EINVAL || f.Call != "mount" || !f.hasNamespace(specs.UserNamespace) || len(f.Spec.Linux.UIDMappings) > 0 {
				return nil
			}
			for _, o := range m.Options {
				if name, value, _ := strings.Cut(o, "="); (name == "uid" || name == "gid") && value != "0" {
					return say(o, f.mountPath())
				}
			}
			return nil
		}},
	{"mount-needs-root", "a user namespace's root may not mount that type of file system",
		"a user namespace can't mount {}: mount it on the host, and bind it", func(f *Failure, h Facts) []string {
			if m := f.mount(); m != nil && f.Errno == unix.EPERM && f.Call == "mount" && f.hasNamespace(specs.UserNamespace) && m.Type != "proc" && m.Type != "sysfs" {
				return say(m.Type)
			}
			return nil
		}},
	{"idmap-unsupported", "a bind has id mappings, and its source's file system can't be id-mapped",
		"{} can't be id-mapped: take the mappings out of {}, and let the files belong to the container's ids", func(f *Failure, h Facts) []string {
			m := f.mount()
			if m == nil || f.Errno != unix.EINVAL || !rootfs.IsBind(m) {
				return nil
			}
			if mapped, _ := rootfs.Idmap(m); !mapped {
				return nil
			}
			return say(mountOf(h, rootfs.Source(m, f.Bundle)).kind, f.mountPath())
		}},
}

// index is the number of the mount that failed; -1 if it was none.
func (f *Failure) index() int {
	rest, ok := strings.CutPrefix(f.Path, "mounts[")
	text, _, _ := strings.Cut(rest, "]")
	i, err := strconv.Atoi(text)
	if !ok || err != nil || i < 0 || i >= len(f.mounts()) {
		return -1
	}
	return i
}

// mount is the mount that failed, or nil.
func (f *Failure) mount() *specs.Mount {
	if i := f.index(); i >= 0 {
		return &f.Spec.Mounts[i]
	}
	return nil
}

func (f *Failure) mountPath() string { return "mounts[" + itoa(f.index()) + "]" }

// differs gives the mount point of a bind that failed since one of the two is a
// directory, and the other is not.
func (f *Failure) differs(h Facts) (point place, ok bool) {
	m := f.mount()
	if m == nil || !rootfs.IsBind(m) || f.Errno != unix.ENOTDIR && f.Errno != unix.EINVAL {
		return place{}, false
	}
	source := h.Look("/", rootfs.Source(m, f.Bundle))
	name := path.Clean("/" + m.Destination)
	point = place{File: h.Look(f.Rootfs, name), path: name, host: path.Join(f.Rootfs, name)}
	const kind, dir = unix.S_IFMT, unix.S_IFDIR
	return point, source.Mode != 0 && point.Mode != 0 && (source.Mode&kind == dir) != (point.Mode&kind == dir)
}

// overlay lists the directories of an overlay that failed, by their options.
func (f *Failure) overlay() (dirs [][2]string) {
	m := f.mount()
	if m == nil || m.Type != "overlay" {
		return nil
	}
	for _, o := range m.Options {
		name, value, _ := strings.Cut(o, "=")
		if name != "lowerdir" && name != "upperdir" && name != "workdir" {
			continue
		}
		for dir := range strings.SplitSeq(value, ":") {
			dirs = append(dirs, [2]string{name, dir})
		}
	}
	return dirs
}

func (f *Failure) hasNamespace(kind specs.LinuxNamespaceType) bool {
	if f.Spec == nil || f.Spec.Linux == nil {
		return false
	}
	for _, n := range f.Spec.Linux.Namespaces {
		if n.Type == kind {
			return true
		}
	}
	return false
}

// harmless are places of procfs and sysfs that are there for mounts, and empty
// without: the kernel doesn't mind what is on them (sysfs_create_mount_point).
var harmless = [...]string{"/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd", "/sys/fs/", "/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/config", "/sys/kernel/security", "/sys/firmware/efi/efivars", "/sys/hypervisor/s390"}

// covered is the first of the caller's mounts below a directory that hides a part of it.
func covered(h Facts, dir string) string {
	for line := range strings.Lines(h.Read("/proc/self/mountinfo")) {
		l := strings.Fields(line)
		if len(l) > 4 && strings.HasPrefix(l[4], dir) && !slices.ContainsFunc(harmless[:], func(place string) bool { return strings.HasPrefix(l[4], place) }) {
			return l[4]
		}
	}
	return ""
}

func absent(h Facts, name string) bool { return h.Look("/", name).Mode == 0 }
