package rootfs

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Clean turns a path in the container, absolute or not (a relative one is
// below "/", MT-02), into one relative to its root without empty components
// and dots. A ".." stays: what it means depends on symbolic links before it.
// The root itself is "".
func Clean(path string) string {
	parts := make([]string, 0, 8)
	for c := range strings.SplitSeq(path, "/") {
		if c != "" && c != "." {
			parts = append(parts, c)
		}
	}
	return strings.Join(parts, "/")
}

// under tells whether path lies below dir; both are relative and clean.
func under(path, dir string) bool {
	if dir == "" {
		return path != ""
	}
	return len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}

// IsBind tells whether a mount is a bind (MT-04): whether its options say so.
func IsBind(m *specs.Mount) bool {
	for _, o := range m.Options {
		if o == "bind" || o == "rbind" {
			return true
		}
	}
	return false
}

// IsTree tells whether a bind takes all that is mounted below its source along.
func IsTree(m *specs.Mount) bool { return has(m, "rbind") }

// IsCopyUp tells whether a mount is a tmpfs that starts with what it covers.
func IsCopyUp(m *specs.Mount) bool { return has(m, "tmpcopyup") && !IsBind(m) }

// Idmap tells whether a mount has its own mapping of ids, and whether for all below it too.
func Idmap(m *specs.Mount) (mapped, tree bool) {
	tree = has(m, "ridmap")
	return tree || has(m, "idmap") || len(m.UIDMappings)+len(m.GIDMappings) > 0, tree
}

func has(m *specs.Mount, option string) bool {
	for _, o := range m.Options {
		if o == option {
			return true
		}
	}
	return false
}

// IsEmpty tells whether a mount is a file system that holds nothing at first,
// so that what a later mount needs in it is missing for sure.
func IsEmpty(m *specs.Mount) bool {
	if IsBind(m) || IsCopyUp(m) || has(m, "remount") {
		return false
	}
	return m.Type == "tmpfs" || m.Type == "ramfs"
}

// IsFixed tells whether a mount is a file system of the kernel's own, in which
// nothing can be made.
func IsFixed(m *specs.Mount) bool {
	return !IsBind(m) && (m.Type == "proc" || m.Type == "sysfs" || m.Type == "cgroup" || m.Type == "cgroup2" || m.Type == "devpts")
}

// IsKernel tells whether a mount must lie on an ordinary directory, which no
// symbolic link leads to: procfs and sysfs, by type or by place (SEC-07,
// SEC-13, SEC-21).
func IsKernel(m *specs.Mount) bool {
	d := Clean(m.Destination)
	return d == "proc" || d == "sys" || !IsBind(m) && (m.Type == "proc" || m.Type == "sysfs")
}

// Source is where a bind's source lies on the host: a relative one is below
// the bundle (MT-05).
func Source(m *specs.Mount, bundle string) string {
	if strings.HasPrefix(m.Source, "/") {
		return m.Source
	}
	return strings.TrimSuffix(bundle, "/") + "/" + m.Source
}
