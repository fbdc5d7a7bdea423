package lifecycle

import (
	"os"

	"github.com/minirt/minirt/internal/tree"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// trees are the mounts and device nodes that the parent makes, detached, and
// whose descriptors it hands over: places in the lists of rootfs.Facts.
type trees struct {
	ids     tree.IDs
	mounts  []int
	devices []int
	procs   []int // mounts of type proc in a pid namespace that has a path (proctree.go)
}

func (t *trees) none() bool { return len(t.mounts)+len(t.devices)+len(t.procs) == 0 }

// seeTrees finds out which trees are needed, and deals out their descriptors.
func (v *sight) seeTrees() {
	s, f, t := v.spec, &v.host.Rootfs, &v.trees
	t.ids.UserNamespace = f.UserNamespace
	if l := s.Linux; l != nil {
		t.ids.UID, t.ids.GID = l.UIDMappings, l.GIDMappings
		for _, n := range l.Namespaces {
			if n.Type == specs.UserNamespace {
				t.ids.File = n.Path
			}
		}
	}
	take := func() int { v.host.Files.next++; return v.host.Files.next - 1 }
	v.seeProcs()
	for _, i := range tree.Need(s, f, &t.ids) {
		f.Mounts[i].Tree = take()
		t.mounts = append(t.mounts, i)
	}
	if !f.UserNamespace || !f.OpenTreeAttr || os.Geteuid() != 0 {
		return
	}
	nodes := rootfs.Nodes(s)
	for i := range f.Devices {
		if f.Devices[i].Source != "" && !nodes[i].Default {
			f.Devices[i].Tree = take()
			t.devices = append(t.devices, i)
		}
	}
}

// makeTrees makes them. Nothing of them is seen by anybody, and the kernel
// frees them with their descriptors.
func (c *creation) makeTrees() error {
	c.phase("make mounts to hand over")
	t, f := &c.trees, &c.host.Rootfs
	for _, i := range t.mounts {
		m, err := tree.Make(c.spec, f, &t.ids, i, c.points.Covered(i))
		if err != nil {
			return err
		}
		c.files[f.Mounts[i].Tree] = uintptr(m.FD)
	}
	if err := c.makeProcs(); err != nil {
		return err
	}
	if len(t.devices) == 0 {
		return nil
	}
	made, err := tree.Nodes(c.spec, f, &t.ids)
	if err != nil {
		return err
	}
	for _, m := range made {
		c.files[f.Devices[m.Index].Tree] = uintptr(m.FD)
	}
	return c.withoutNodes()
}

// withoutNodes compiles anew where no right over devices let no nodes be made:
// the host's are bound.
func (c *creation) withoutNodes() error {
	missing := false
	for _, i := range c.trees.devices {
		if d := &c.host.Rootfs.Devices[i]; c.files[d.Tree] == none {
			d.Tree, missing = 0, true
		}
	}
	if !missing {
		return nil
	}
	return c.compile()
}
