package rootfs

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Facts is what the parent found out about the host: the first block of fields,
// the cgroups and the descriptors of trees are the caller's, all else is filled in
// by package mountpoint, which looks at the root.
type Facts struct {
	Root            string // absolute path of the root directory on the host
	Bundle          string // absolute path of the bundle: relative bind sources lie below it
	OpenTreeAttr    bool   // the kernel has open_tree_attr(2), Linux 6.15
	UserNamespace   bool   // a user namespace, new or joined: device nodes are bound, not made
	MountNamespace  bool   // false: see Enter
	CgroupNamespace bool   // a cgroup namespace, new or joined
	NoPivot         bool   // the root is moved instead of pivoted, for a host's root on an initramfs

	Cgroups []Hierarchy // for mounts of type cgroup
	Aliases []Alias     // names of controllers that share a hierarchy

	// Join appends the steps that join the cgroups, if the caller left them to
	// Enter: once, as late as the mounts allow, since the parent makes the
	// cgroups meanwhile. It may be nil.
	Join func()

	Mounts   []Mount  // one for each of spec.mounts
	Devices  []Device // one for each of Nodes
	Links    []Place  // one for each of Links
	Console  Place    // of /dev/console, where process.terminal is true
	Cwd      Place    // of process.cwd
	Masked   []Place  // of linux.maskedPaths; what the list lacks is taken as unknown
	Readonly []Place  // of linux.readonlyPaths, likewise
	Holder   string   // the mount point that holds Root, where SharesMounts says that it is needed
	Full     []string // with NoPivot: where the host's procfs and sysfs are mounted, which would stay within reach beneath the new root
}

// Place is where something is put inside the root.
type Place struct {
	Path    string // relative to the root, with all symbolic links resolved
	Exists  int    // so many components of Path exist before the stage gets there; it makes the rest
	Unknown bool   // below a file system whose contents show only when it is mounted: it may exist, and links are followed inside the root
	Skip    bool   // nothing is to be done here
}

// Mount is what the parent found out for one of spec.mounts.
type Mount struct {
	Place
	File bool   // a bind's source is no directory
	Mode uint32 // permissions of the directory that the mount covers, 0 if there is none
	Tree int    // descriptor, in the stage, of a tree that the parent made; -1 if the stage makes it
}

// Device is what the parent found out for one of Nodes. Skip says that the
// node is there already, or that the parent makes it.
type Device struct {
	Place
	Source string // the host's node that is bound, "" if the stage makes one
	Tree   int    // descriptor, in the stage, of a node that the parent made and that is bound in Source's place; 0 if there is none
}

// Hierarchy is the container's cgroup in one cgroup hierarchy.
type Hierarchy struct {
	Name   string // directory below /sys/fs/cgroup, such as "cpu,cpuacct"; "" if cgroup v2 is all there is
	Source string // the cgroup's absolute directory on the host
}

// Alias is a symbolic link below /sys/fs/cgroup: cpu → cpu,cpuacct.
type Alias struct{ Name, Target string }

// SharesMounts tells whether mounts made in the container spread to the host
// where a volume is shared (rootfsPropagation shared or rshared): then
// Facts.Holder is needed.
func SharesMounts(s *specs.Spec) bool {
	return s.Linux != nil && (s.Linux.RootfsPropagation == "shared" || s.Linux.RootfsPropagation == "rshared")
}

// Ordinary supposes a root file system in which all that s needs is there, as
// ordinary directories and files: Facts for a printed plan without a bundle's
// root to look at. What lies below an empty file system is missing, as ever.
func Ordinary(s *specs.Spec, root, bundle string) *Facts {
	f := &Facts{Root: root, Bundle: bundle, OpenTreeAttr: true}
	if s.Linux != nil {
		for _, n := range s.Linux.Namespaces {
			switch n.Type {
			case specs.MountNamespace:
				f.MountNamespace = true
			case specs.UserNamespace:
				f.UserNamespace = true
			case specs.CgroupNamespace:
				f.CgroupNamespace = true
			}
		}
	}
	place := func(path string, before int) Place {
		p := Place{Path: Clean(path)}
		p.Exists = Components(p.Path)
		for i := before - 1; i >= 0; i-- {
			d := Clean(s.Mounts[i].Destination)
			if p.Path != d && !under(p.Path, d) {
				continue
			}
			if p.Path != d {
				p.Unknown = !IsEmpty(&s.Mounts[i])
				if !IsFixed(&s.Mounts[i]) {
					p.Exists = Components(d)
				}
			}
			break
		}
		return p
	}
	for i := range s.Mounts {
		f.Mounts = append(f.Mounts, Mount{Place: place(s.Mounts[i].Destination, i), Tree: -1})
	}
	for _, n := range Nodes(s) {
		d := Device{Place: place(n.Path, len(s.Mounts))}
		if f.UserNamespace && n.Type != 'p' {
			d.Source = n.Path
		} else {
			d.Skip = !d.Unknown && d.Exists == Components(d.Path)
		}
		f.Devices = append(f.Devices, d)
	}
	for _, l := range Links(s) {
		p := place(l.Path, len(s.Mounts))
		p.Skip = !p.Unknown && p.Exists == Components(p.Path)
		f.Links = append(f.Links, p)
	}
	f.Console = place("dev/console", len(s.Mounts))
	f.Cwd = Place{Skip: true}
	if s.Process != nil {
		f.Cwd = place(s.Process.Cwd, len(s.Mounts))
	}
	return f
}

// Components counts the components of a clean relative path.
func Components(path string) int {
	if path == "" {
		return 0
	}
	return strings.Count(path, "/") + 1
}
