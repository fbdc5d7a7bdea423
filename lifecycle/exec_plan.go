package lifecycle

import (
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// compileExec turns a container's configuration, with another process in it,
// into the plan of a process that joins the container. It is pure, as Compile is.
//
// The order is the law of SEC-03: while the stage holds anything of the host's
// it is in the host's pid namespace, where nobody of the container can see it.
// The process is born there last of all, and has nothing but the descriptors
// that are its program's, and a socket on which minirt believes it little.
// The cgroups come first: what is allocated is the container's from then on.
func compileExec(s *specs.Spec, h *Host, flags uintptr, rootfs string) (*Compiled, error) {
	c := &compiler{Compiled: &Compiled{Plan: plan.New(h.Arch, h.Files.Sync)}, spec: s, host: h}
	c.births.joined = flags&unix.CLONE_NEWUSER != 0
	c.births.late = flags&(unix.CLONE_NEWPID|unix.CLONE_NEWTIME) != 0
	c.Births = c.births.late
	c.byteIn = c.Buffer("byte", make([]byte, 8))
	p := s.Process

	c.session()
	if a := p.ExecCPUAffinity; a != nil {
		c.affinity("initial", a.Initial)
	}
	c.At("linux.cgroupsPath")
	c.enterCgroups()
	if a := p.ExecCPUAffinity; a != nil {
		c.affinity("final", a.Final)
	}
	c.scheduling()
	c.keyLabel()
	c.labels()
	c.closeProcfs()
	c.proc = 0
	c.enterNamespaces(flags, rootfs)
	c.keyring()
	c.terminal(atFDCWD, nil)
	if err := c.process(p); err != nil {
		return nil, err
	}
	c.lateBirth()
	c.ready()
	c.Gate = len(c.Steps)
	c.execute()
	c.stamp()
	return c.Compiled, c.Err()
}

// enterNamespaces joins all namespaces at once, by the pidfd of the container's
// process, and gives that up.
func (c *compiler) enterNamespaces(flags uintptr, rootfs string) {
	target := c.host.Files.Sync + 1
	c.At("linux.namespaces")
	if flags != 0 {
		c.Do(plan.Setns, target, int(flags))
	}
	c.Do(plan.Close, target)
	if c.births.joined {
		becomeRoot(c.Plan)
	}
	if flags&unix.CLONE_NEWNS == 0 { // the container is a chroot
		c.At("root.path")
		c.Do(plan.Chroot, rootfs)
		c.Do(plan.Chdir, "/")
	}
}

// affinity keeps the process to CPUs (config.md, execCPUAffinity).
func (c *compiler) affinity(when, cpus string) {
	if cpus == "" {
		return
	}
	var set []uint64
	kernel.List(cpus, func(n int) {
		for len(set) <= n/64 {
			set = append(set, 0)
		}
		set[n/64] |= 1 << (n % 64)
	})
	c.At("process.execCPUAffinity." + when)
	c.Do(plan.SchedSetaffinity, 0, 8*len(set), c.Words(set...))
}
