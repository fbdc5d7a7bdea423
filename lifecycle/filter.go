package lifecycle

import (
	"encoding/binary"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// handOver loads a filter whose listener the parent takes (listener.go), while
// the container is being created. The limits and the umask come before, since
// from here on the stage makes no calls but read, write, close and execve.
func (c *compiler) handOver(p *specs.Process) {
	c.limits(p)
	c.umask(p)
	c.At("linux.seccomp")
	f := c.host.Files
	c.Do(plan.Close, f.Listener).Tolerate(unix.EBADF)
	c.Syncs = append(c.Syncs, SyncListener)
	c.Do(plan.Write, f.Sync, string(rune(SyncListener)), 1)
	c.seccomp(p)
	c.Do(plan.Read, f.Sync, c.byteIn, 1).Set(plan.ZeroFails) // once it is taken
	c.Do(plan.Close, f.Listener)
}

// umask sets process.user.umask, the caller's where there is none.
func (c *compiler) umask(p *specs.Process) {
	c.At("process.user.umask")
	if p.User.Umask != nil {
		c.Do(plan.Umask, int(*p.User.Umask))
	} else {
		c.Do(plan.Umask, c.host.Umask)
	}
}

// seccomp loads the filter: as the last step but one if nobody listens, so that
// it has to admit execve(2) alone of the stage's own calls.
func (c *compiler) seccomp(p *specs.Process) {
	if c.filter == nil {
		return
	}
	c.At("linux.seccomp")
	if need := c.filterNeeds(p); need != 0 {
		sets := c.capabilities(p)
		c.capset(sets.effective|need, sets.permitted|need, sets.inheritable)
	}
	const instruction = 8 // struct sock_filter
	n := len(c.filter.Instructions)
	program := c.Buffer("filter", binary.LittleEndian.AppendUint64(make([]byte, 0, 16), uint64(n)))
	c.Point(c.Buffer("filter.code", make([]byte, 8)), 0, c.Bytes(c.filter.Append(make([]byte, 0, instruction*n))))
	c.Do(plan.Seccomp, unix.SECCOMP_SET_MODE_FILTER, int(c.filter.Flags), program)
}

// environment is process.env, with HOME where it has none, as engines expect.
func (c *compiler) environment(p *specs.Process) []string {
	env := p.Env
	if len(c.host.Variables) > 0 {
		env = with(env, c.host.Variables)
	}
	if c.host.Home == "" {
		return env
	}
	return append(env[:len(env):len(env)], "HOME="+c.host.Home)
}

// nodeMask reads a list of memory nodes ("0-3,5"), which spec.Load has checked,
// as the mask of set_mempolicy(2) and the number of its bits plus one.
func nodeMask(list string) (mask []uint64, bits int) {
	kernel.List(list, func(n int) {
		for len(mask) <= n/64 {
			mask = append(mask, 0)
		}
		mask[n/64] |= 1 << (n % 64)
	})
	return mask, 64*len(mask) + min(len(mask), 1)
}
