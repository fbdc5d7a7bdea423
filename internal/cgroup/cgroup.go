// Package cgroup turns linux.cgroupsPath and linux.resources into values, and
// those values into control groups.
//
// Its law: what is written is decided before anything is done. Layout.Group
// and Compile are pure; they give the directories and the writes, each write
// with the place in config.json that asked for it. The effects (Make, Apply,
// Tasks, Kill, Freeze, Remove …) do what the values say and decide nothing. A
// field of the spec is written, converted, or refused with its name: it is
// never dropped, except for the zeros that stand beside each field and that
// engines send for "unset".
//
// Version 1, version 2 and the hybrid of both are one case: a Layout is a list
// of hierarchies, a Group is one directory in each, and a controller is in one
// hierarchy at most. A process joins a version 1 hierarchy only by writing "0"
// to its own tasks file: cgroup.procs takes a global lock and waits for RCU,
// about 11 ms against 20 µs. It joins version 2 by CLONE_INTO_CGROUP.
//
// A Group is complete in its Dirs, which are what the state file records: to
// kill, freeze or remove needs no look at the host. Whoever else makes the
// directories (systemd, asked for a scope) has but to fill in the same Dirs,
// with nothing in Made, and all the rest holds.
package cgroup

// Hierarchy is one mounted tree of cgroups.
type Hierarchy struct {
	Name        string   // of its directory below /sys/fs/cgroup: "memory", "cpu,cpuacct", "systemd", "unified"; "" for pure version 2
	Controllers []string // "memory"; "name=systemd" for a tree without controller; of version 2 those that its root offers
	Mount       string   // mount point, absolute
	V2          bool
	Own         string // the caller's cgroup there, as /proc/self/cgroup shows it
}

// Has says whether the controller, by the kernel's name, is in the hierarchy.
func (h *Hierarchy) Has(controller string) bool {
	for _, c := range h.Controllers {
		if c == controller {
			return true
		}
	}
	return false
}

// Layout is what the host mounts, version 1 first, as Find saw it.
type Layout struct {
	Hierarchies []Hierarchy
	// Base is the directory, as a path below each mount point, under which
	// relative and absent cgroupsPaths are made: "/", or what was delegated to
	// a caller without the right to the top (version 2 only).
	Base string
}

// Unified says that the host has version 2 alone.
func (l *Layout) Unified() bool {
	return len(l.Hierarchies) == 1 && l.Hierarchies[0].V2
}

// hierarchy finds the tree that has the controller; nil if there is none.
func (l *Layout) hierarchy(controller string) *Hierarchy {
	for i := range l.Hierarchies {
		if l.Hierarchies[i].Has(controller) {
			return &l.Hierarchies[i]
		}
	}
	return nil
}

// v2 finds the version 2 tree; nil if there is none.
func (l *Layout) v2() *Hierarchy {
	for i := range l.Hierarchies {
		if l.Hierarchies[i].V2 {
			return &l.Hierarchies[i]
		}
	}
	return nil
}

// Dir is the container's directory in one hierarchy.
type Dir struct {
	Hierarchy
	Path string   // absolute
	Made []string // the directories of Path that are missing and that Make makes, outermost first: Remove takes away these only
}

// leaf says that Path itself is ours.
func (d *Dir) leaf() bool {
	return len(d.Made) > 0 && d.Made[len(d.Made)-1] == d.Path
}

// Group is a container's cgroup: one directory in each hierarchy.
type Group struct {
	Dirs []Dir
}

// Layout gives the layout that the group was made in, for Compile.
func (g *Group) Layout() *Layout {
	l := &Layout{Base: "/", Hierarchies: make([]Hierarchy, len(g.Dirs))}
	for i := range g.Dirs {
		l.Hierarchies[i] = g.Dirs[i].Hierarchy
	}
	return l
}

// dir finds the directory for the controller; nil if there is none.
func (g *Group) dir(controller string) *Dir {
	for i := range g.Dirs {
		if g.Dirs[i].Has(controller) {
			return &g.Dirs[i]
		}
	}
	return nil
}

// HasV2 tells whether one of the directories is of version 2.
func (g *Group) HasV2() bool { return g.v2() != nil }

// v2 finds the version 2 directory; nil if there is none.
func (g *Group) v2() *Dir {
	for i := range g.Dirs {
		if g.Dirs[i].V2 {
			return &g.Dirs[i]
		}
	}
	return nil
}

// members is the directory whose list of processes stands for the group's:
// version 2, where a process cannot be elsewhere than its threads, else the
// freezer's, where they can be stopped, else any.
func (g *Group) members() *Dir {
	if d := g.v2(); d != nil {
		return d
	}
	if d := g.dir("freezer"); d != nil {
		return d
	}
	if len(g.Dirs) > 0 {
		return &g.Dirs[0]
	}
	return nil
}
