package lifecycle

import "strconv"

// warnOfKernelMemory tells of a linux.resources.memory.kernel that the kernel
// took and forgot: since Linux 5.16 it limits no such thing any more, and since
// 6.7 it doesn't say so.
func (c *creation) warnOfKernelMemory() {
	if l := c.spec.Linux; l == nil || l.Resources == nil || l.Resources.Memory == nil || c.group == nil {
		return
	}
	n := c.spec.Linux.Resources.Memory.Kernel
	if n == nil || *n <= 0 {
		return
	}
	for i := range c.group.Dirs {
		d := &c.group.Dirs[i]
		if d.V2 || !d.Has("memory") {
			continue
		}
		const page = 1 << 16 // the kernel rounds down to pages, of at most this size
		if now := number(d.Path, "memory.kmem.limit_in_bytes"); now > uint64(*n) || now+page < uint64(*n) {
			c.warn("linux.resources.memory.kernel: " + strconv.FormatInt(*n, 10) + " is ignored by this kernel, which no longer limits kernel memory alone")
		}
	}
}
