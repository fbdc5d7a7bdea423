package lifecycle

import (
	"slices"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Update changes the limits of a container. What res leaves out stays as it is,
// and so does what it has zeros for, as engines mean them; device rules are
// never changed. If the kernel refuses a value, those before it are put back.
func (r *Runtime) Update(id string, res *specs.LinuxResources) (err error) {
	defer wrap("update", id, &err)
	c, err := r.load(id)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.lock(); err != nil {
		return err
	}
	if s := c.status(); s == specs.StateStopped || s == specs.StateCreating {
		return ErrNotRunning
	}
	g := c.group()
	writes, err := cgroup.Update(asked(res), g.Layout())
	if err != nil {
		return err
	}
	if len(writes) > 0 && len(g.Dirs) == 0 {
		return text("cannot set limits: the container has no cgroup of its own")
	}
	old := oldValues(g, writes)
	err = g.Apply(writes)
	if err == nil {
		return nil
	}
	if e := g.Apply(old); e != nil {
		return because(err.Error()+"; and not all old values could be put back", e)
	}
	return err
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

// oldValues are the writes that take others back, the last first. A file whose
// value has more than one part keeps what it has for others, and isn't among them.
func oldValues(g *cgroup.Group, writes []cgroup.Write) (old []cgroup.Write) {
	for _, w := range writes {
		for i := range g.Dirs {
			if d := &g.Dirs[i]; !d.Has(w.Controller) || w.File == "" {
				continue
			}
			b, err := readFile(g.Dirs[i].Path+"/"+w.File, 1<<12)
			value := strings.TrimSpace(string(b))
			if err != nil || value == "" || strings.Contains(value, "\n") {
				continue
			}
			w.Value, w.Else, w.NotBelow, w.Optional = value, nil, "", true
			old = append(old, w)
		}
	}
	slices.Reverse(old)
	for i := range old {
		old[i].Retry = true
	}
	return old
}
