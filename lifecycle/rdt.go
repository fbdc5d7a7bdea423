package lifecycle

import (
	"github.com/minirt/minirt/internal/resctrl"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mountinfoFile tells where resctrl is mounted; tests have one of their own.
var mountinfoFile = "/proc/self/mountinfo"

// seeRdt finds the container's group of resctrl (config-linux.md, IntelRdt),
// and refuses what can't be had there. Who asks for none never touches resctrl.
func (v *sight) seeRdt(id string) error {
	if v.spec.Linux == nil || v.spec.Linux.IntelRdt == nil {
		return nil
	}
	b, err := readFile(mountinfoFile, 16<<20)
	if err != nil {
		return because(mountinfoFile, err)
	}
	root := resctrl.Find(b)
	if root == "" {
		return v.locate(&pathError{"linux.intelRdt", "resctrl is not mounted: use mount -t resctrl resctrl /sys/fs/resctrl, or a kernel and a processor that have it", unix.ENODEV})
	}
	v.rdt = resctrl.New(root, id, v.spec.Linux.IntelRdt)
	return v.locate(v.rdt.Look())
}

// noteRdt records what enterRdt is going to make.
func (c *creation) noteRdt() {
	if g := c.rdt; g != nil {
		c.Rdt = RecordRdt{Dir: g.Dir, Monitor: g.Monitor, Own: g.Own}
	}
}

// enterRdt makes the group and puts the container's process in, which waits.
func (c *creation) enterRdt() error {
	g := c.rdt
	if g == nil {
		return nil
	}
	c.undo.add(g.Undo)
	err := g.Make()
	if err == nil {
		err = resctrl.Join(g.Dir, g.Monitor, c.Process.PID)
		if err != nil {
			err = &pathError{"linux.intelRdt", "the container's process", err}
		}
	}
	c.noteRdt() // another may have made the group since
	return err
}

// joinRdt puts one more process where the container's is.
func (r *Record) joinRdt(pid int) error {
	if r.Rdt.Dir == "" {
		return nil
	}
	return resctrl.Join(r.Rdt.Dir, r.Rdt.Monitor, pid)
}

// leaveRdt removes what the container alone had in resctrl.
func (r *Record) leaveRdt() error {
	return resctrl.Remove(r.Rdt.Dir, r.Rdt.Monitor, r.Rdt.Own)
}

// schemata changes those of the container's group.
func (c *container) schemata(u *Changes, done *undo) error {
	lines := resctrl.Lines(&specs.LinuxIntelRdt{L3CacheSchema: u.L3CacheSchema, MemBwSchema: u.MemBwSchema})
	if len(lines) == 0 {
		return nil
	}
	dir := c.Rdt.Dir
	if dir == "" {
		return text("cannot set schemata: the container has no linux.intelRdt, and so no group of resctrl")
	}
	old, err := resctrl.Schemata(dir)
	if err != nil {
		return err
	}
	done.add(func() error { return resctrl.Write(dir, old) })
	return resctrl.Write(dir, lines)
}
