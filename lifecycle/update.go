package lifecycle

import (
	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Changes are what Update is to change.
type Changes struct {
	Resources     *specs.LinuxResources // what is left out stays, and so does what has a zero, as engines mean it; device rules are never changed
	L3CacheSchema string                // for the container's group of resctrl, as linux.intelRdt has it
	MemBwSchema   string
	RemoveDevices []string // paths in the container, of devices that were added before
	AddDevices    []Device
}

// Update changes a container that is created, running or paused. If anything of
// it is refused, what was changed before is put back.
func (r *Runtime) Update(id string, u Changes) (err error) {
	defer wrap("update", id, &err)
	d, err := r.find(id)
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.lock(); err != nil { // another update may change the record
		return err
	}
	rec, err := d.record()
	if err != nil {
		return err
	}
	if err := r.needsSystemd(rec); err != nil {
		return err
	}
	c := &container{d, rec}
	if !c.Process.alive() { // creating, or stopped
		return ErrNotRunning
	}
	var done undo
	p := plug{Runtime: r, container: c, target: -1, done: &done}
	defer p.close()
	if err = r.limit(c, u.Resources, &done); err == nil {
		err = c.schemata(&u, &done)
	}
	if err == nil {
		err = p.changeDevices(&u)
	}
	if err == nil {
		return nil
	}
	if e := done.all(); e != nil {
		return because(err.Error()+"; and not all could be put back", e)
	}
	return err
}

// limit changes the limits of the container's cgroup.
func (r *Runtime) limit(c *container, res *specs.LinuxResources, done *undo) error {
	if res == nil {
		return nil
	}
	g := c.group()
	writes, err := cgroup.Update(asked(res), g.Layout())
	if len(g.Dirs) == 0 && (err != nil || len(writes) > 0) {
		return text("cannot set limits: the container has no cgroup of its own")
	}
	if err != nil {
		return err
	}
	old := g.Old(writes)
	done.add(func() error { return cgroup.Restore(old) })
	if c.Scope.Name == "" {
		return g.Apply(writes)
	}
	before := inForce(g, writes)
	if err := g.Apply(writes); err != nil {
		return err
	}
	if err := r.updateScope(c, inForce(g, writes)); err != nil {
		return err
	}
	done.add(func() error { return r.updateScope(c, before) })
	return nil
}

// asked is res without the zeros that mean "as it was". A lifted memory limit
// lifts the one of memory and swap as well, which could not be below it.
func asked(res *specs.LinuxResources) *specs.LinuxResources {
	r := *res
	if r.Memory != nil {
		m := *r.Memory
		for _, p := range [...]**int64{&m.Limit, &m.Reservation, &m.Swap, &m.Kernel, &m.KernelTCP} {
			unlessSet(p)
		}
		if m.Limit != nil && *m.Limit == -1 && m.Swap == nil {
			m.Swap = m.Limit
		}
		r.Memory = &m
	}
	if r.CPU != nil {
		c := *r.CPU
		unlessSet(&c.Shares)
		unlessSet(&c.Quota)
		unlessSet(&c.Period)
		unlessSet(&c.RealtimePeriod)
		r.CPU = &c
	}
	if r.Pids != nil && (r.Pids.Limit == nil || *r.Pids.Limit == 0) {
		r.Pids = nil
	}
	if r.BlockIO != nil {
		b := *r.BlockIO
		unlessSet(&b.Weight)
		unlessSet(&b.LeafWeight)
		r.BlockIO = &b
	}
	return &r
}

// unlessSet forgets a zero.
func unlessSet[T int64 | uint64 | uint16](p **T) {
	if *p != nil && **p == 0 {
		*p = nil
	}
}
