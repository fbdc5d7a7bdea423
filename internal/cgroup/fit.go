package cgroup

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Fit checks, after Make, that the group can be a new container's: nobody in
// it, not frozen (config-linux.md, Control groups), and, of version 2, of a kind
// that a process can join. What Make made itself
// is, and isn't looked at, unless a cgroup above may be frozen.
func (g *Group) Fit() error {
	if d := g.members(); d != nil && !d.leaf() {
		list, err := pids(nil, d.Path, true)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return &NoFit{Dir: d.Path, text: "container's cgroup is not empty: " + strconv.Itoa(len(list)) + " process(es) found in "}
		}
	}
	if d := g.v2(); d != nil && (!d.leaf() || len(parent(d.Path)) > len(d.Mount)) {
		if err := d.admits(); err != nil {
			return err
		}
	}
	if d := g.freezer(); d != nil && len(parent(d.Path)) > len(d.Mount) || d != nil && !d.leaf() {
		frozen, err := d.frozen()
		if err != nil {
			return err
		}
		if frozen {
			return &NoFit{Dir: d.Path, Frozen: true, text: "container's cgroup unexpectedly frozen: "}
		}
	}
	return nil
}

// admits says why no process can join a version 2 directory (Linux,
// cgroup-v2.rst, Threads and No Internal Process Constraint): the kernel's clone
// would say but "operation not supported", or "device or resource busy".
func (d *Dir) admits() error {
	kind, err := read(d.Path + "/cgroup.type")
	if err != nil {
		return err
	}
	switch strings.TrimSpace(string(kind)) {
	case "threaded":
		return &PathError{"join", d.Path, "the cgroup is threaded, and has room for single threads only", unix.EOPNOTSUPP}
	case "domain invalid":
		return &PathError{"join", d.Path, "the cgroup above it is threaded, so no process can be in this one", unix.EOPNOTSUPP}
	}
	if d.leaf() {
		return nil
	}
	if on, err := read(d.Path + "/cgroup.subtree_control"); err == nil && len(strings.TrimSpace(string(on))) > 0 {
		return &PathError{"join", d.Path, "the controllers " + strings.TrimSpace(string(on)) + " are enabled for cgroups below it, so no process can be in this one", unix.EBUSY}
	}
	return nil
}
