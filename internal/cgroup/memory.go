package cgroup

import "github.com/opencontainers/runtime-spec/specs-go"

const memoryPath = "linux.resources.memory."

// memory compiles config-linux.md, Memory.
func (c *compiler) memory(m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	c.memoryLimits(m)
	c.kernelMemory("kernel", "memory.kmem.limit_in_bytes", m.Kernel, m.Kernel != nil && *m.Kernel == 0)
	c.kernelMemory("kernelTCP", "memory.kmem.tcp.limit_in_bytes", m.KernelTCP, false)
	c.swappiness(m.Swappiness)
	c.oomKiller(m.DisableOOMKiller)
	c.useHierarchy(m.UseHierarchy)
}

// memoryLimits writes limit, swap and reservation.
//
// The kernel never lets limit be greater than swap, on the way neither: a
// limit that is raised over the old swap is refused first, and tried again
// when the new swap is written.
func (c *compiler) memoryLimits(m *specs.LinuxMemory) {
	check := m.CheckBeforeUpdate != nil && *m.CheckBeforeUpdate
	if h, w := c.bytes("limit", m.Limit); h != nil {
		w.File, w.Retry = "memory.limit_in_bytes", true
		if h.V2 {
			w.File, w.Value, w.Retry = "memory.max", orMax(*m.Limit), false
		}
		if h.V2 && check && *m.Limit >= 0 {
			w.NotBelow = "memory.current"
		}
		c.put(w)
	}
	c.swap(m.Limit, swapOf(m))
	if h, w := c.bytes("reservation", m.Reservation); h != nil {
		w.File = "memory.soft_limit_in_bytes"
		if h.V2 {
			w.File, w.Value = "memory.low", orMax(*m.Reservation)
		}
		c.put(w)
	}
}

// bytes begins the write of one limit; h is nil if there is none to be made.
func (c *compiler) bytes(name string, n *int64) (h *Hierarchy, w Write) {
	if n == nil {
		return nil, w
	}
	w = Write{Controller: "memory", Path: memoryPath + name, Value: number(*n)}
	if *n < -1 {
		c.fault(w.Path, w.Value, belowNone)
		return nil, w
	}
	return c.need("memory", w.Path, w.Value), w
}

// swap is memory and swap together; version 2 wants swap alone.
func (c *compiler) swap(limit, swap *int64) {
	h, w := c.bytes("swap", swap)
	switch {
	case h == nil && swap == nil && limit != nil && *limit == -1:
		c.unlimitedSwap()
		return
	case h == nil:
		return
	case limit != nil && *swap >= 0 && (*limit < 0 || *limit > *swap):
		c.fault(w.Path, w.Value, "less than the limit of "+number(*limit)+": swap counts memory too")
		return
	case !h.V2:
		w.File, w.Optional = "memory.memsw.limit_in_bytes", *swap < 0
	case *swap < 0:
		w.File, w.Value, w.Optional = "memory.swap.max", "max", true
	case limit == nil:
		c.fault(w.Path, w.Value, "cgroup version 2 limits swap alone, and without memory.limit the difference isn't known")
		return
	default:
		w.File, w.Value = "memory.swap.max", number(*swap-*limit)
	}
	c.put(w)
}

// swapOf is swap, if it is one: beside a limit, 0 stands for unset, since less
// than the limit isn't possible.
func swapOf(m *specs.LinuxMemory) *int64 {
	if m.Swap != nil && *m.Swap == 0 && (m.Limit == nil || *m.Limit != 0) {
		return nil
	}
	return m.Swap
}

// unlimitedSwap: on version 1, a limit that is taken away takes that of swap
// away too, or the kernel would refuse it.
func (c *compiler) unlimitedSwap() {
	if h := c.find("memory"); h != nil && !h.V2 {
		c.put(Write{Controller: "memory", Path: memoryPath + "limit", File: "memory.memsw.limit_in_bytes", Value: "-1", Optional: true})
	}
}

// kernelMemory: these limits went out of use with Linux 5.4 and were never in
// version 2. Unlimited is what there is where the file is gone.
func (c *compiler) kernelMemory(name, file string, n *int64, unset bool) {
	if n == nil || unset {
		return
	}
	path, value := memoryPath+name, number(*n)
	if *n < -1 {
		c.fault(path, value, belowNone)
		return
	}
	h := c.find("memory")
	switch {
	case h != nil && !h.V2:
		c.put(Write{Controller: "memory", Path: path, File: file, Value: value, Optional: *n == -1})
	case *n == -1:
	case h == nil:
		c.need("memory", path, value)
	default:
		c.fault(path, value, notOnV2)
	}
}

// swappiness: 0 is one: no swapping as long as there is another way.
func (c *compiler) swappiness(n *uint64) {
	if n == nil {
		return
	}
	path, value := memoryPath+"swappiness", natural(*n)
	if *n > 100 {
		c.fault(path, value, "more than 100")
		return
	}
	switch h := c.need("memory", path, value); {
	case h == nil:
	case h.V2:
		c.fault(path, value, notOnV2)
	default:
		c.put(Write{Controller: "memory", Path: path, File: "memory.swappiness", Value: value})
	}
}

// oomKiller: false is how every cgroup is.
func (c *compiler) oomKiller(disable *bool) {
	if disable == nil || !*disable {
		return
	}
	path := memoryPath + "disableOOMKiller"
	switch h := c.need("memory", path, "true"); {
	case h == nil:
	case h.V2:
		c.fault(path, "true", notOnV2)
	default:
		c.put(Write{Controller: "memory", Path: path, File: "memory.oom_control", Value: "1"})
	}
}

// useHierarchy: version 2, and version 1 since Linux 5.11, know only true.
func (c *compiler) useHierarchy(use *bool) {
	if use == nil {
		return
	}
	path, value, word := memoryPath+"useHierarchy", "0", "false"
	if *use {
		value, word = "1", "true"
	}
	switch h := c.need("memory", path, word); {
	case h == nil:
	case !h.V2:
		c.put(Write{Controller: "memory", Path: path, File: "memory.use_hierarchy", Value: value, Optional: *use})
	case !*use:
		c.fault(path, word, "cgroup version 2 is always hierarchical")
	}
}
