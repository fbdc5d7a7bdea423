package lifecycle

import (
	"encoding/binary"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// process makes the process what config.md, Process, asks for, up to the gate.
// What follows the gate is in gate.go.
func (c *compiler) process(p *specs.Process) error {
	if c.spec.Linux != nil && c.spec.Linux.Seccomp != nil {
		f, warnings, err := seccomp.Compile(c.spec.Linux.Seccomp, c.host.Arch.String())
		if err != nil {
			return err
		}
		c.filter, c.Warnings = f, append(c.Warnings, warnings...)
		if c.host.Traced != 0 {
			c.filter = noticed(f, c.host.Traced)
		}
	}
	c.personality()
	c.memoryPolicy()
	if err := c.landlock(); err != nil {
		return err
	}
	cwd := c.enterDirectory(p)
	c.credentials(p)
	c.enterAsUser(p, cwd)
	c.program(p)
	return nil
}

// beneath opens for cd(1) only what really is beneath the root: no magic link
// of procfs, behind which the host could be (SEC-15).
const beneath = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS

// enterDirectory goes to process.cwd with root's rights, as engines expect. A
// file system that lets only the user in (FUSE, NFS) is left for enterAsUser:
// the register then holds the errno, and 0 once the directory is entered.
func (c *compiler) enterDirectory(p *specs.Process) plan.Register {
	c.At("process.cwd")
	refused := c.Register("refused")
	dir := c.register("dir")
	c.Do(plan.Openat2, atFDCWD, p.Cwd, c.How(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, beneath), plan.HowSize).
		To(dir).Tolerate(unix.EACCES, unix.EPERM)
	open := c.Last()
	c.Steps[open].OnTolerated = 1
	c.Do(plan.Fchdir, dir).To(refused).Tolerate(unix.EACCES, unix.EPERM).Set(plan.KeepErrno)
	c.Steps[c.Last()].OnSuccess, c.Steps[c.Last()].OnTolerated = 1, 1
	c.Do(plan.Test, int(unix.EACCES)).To(refused)
	return refused
}

// enterAsUser does so with the user's rights, if root's were refused.
func (c *compiler) enterAsUser(p *specs.Process, refused plan.Register) {
	c.At("process.cwd")
	dir := c.register("dir")
	c.Do(plan.Test, refused).Set(plan.IfZero)
	test := c.Last()
	c.Do(plan.Openat2, atFDCWD, p.Cwd, c.How(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, beneath), plan.HowSize).To(dir)
	c.Do(plan.Fchdir, dir)
	c.JumpOnSuccess(test)
}

// credentials takes the user's groups, ids and capabilities, in the order
// that capabilities(7) forces: the bounding set while CAP_SETPCAP is there,
// the ids with kept capabilities, then the sets themselves. The ids are the
// config's numbers, whatever the image's passwd says (SEC-01), and ambient
// capabilities are the config's alone (SEC-02). From here on files are looked
// for with the user's rights (SEC-52).
func (c *compiler) credentials(p *specs.Process) {
	sets := c.capabilities(p)
	c.At("process.capabilities.bounding")
	for i := range c.host.LastCapability + 1 {
		if sets.bounding&(1<<i) == 0 {
			c.Do(plan.Prctl, prCapbsetDrop, i)
		}
	}
	c.At("process.user")
	c.Do(plan.Prctl, prSetKeepCaps, 1)
	c.groups(p)
	c.Do(plan.Setgid, int(p.User.GID))
	c.Do(plan.Setuid, int(p.User.UID))
	c.Do(plan.Prctl, prSetKeepCaps, 0)
	c.At("process.capabilities")
	c.capset(sets.effective, sets.permitted|c.filterNeeds(p), sets.inheritable)
	c.Do(plan.Prctl, prCapAmbient, ambientClearAll, 0, 0, 0)
	c.At("process.capabilities.ambient")
	for i := range c.host.LastCapability + 1 {
		if sets.ambient&(1<<i) != 0 {
			c.Do(plan.Prctl, prCapAmbient, ambientRaise, i, 0, 0)
		}
	}
	if p.NoNewPrivileges {
		c.At("process.noNewPrivileges")
		c.Do(plan.Prctl, prSetNoNewPrivs, 1, 0, 0, 0)
	}
}

// groups sets the supplementary groups to exactly additionalGids (SEC-43): the
// caller's go. Where setgroups(2) is denied, in the user namespace of an
// ordinary user, an empty list leaves what can't be taken away.
func (c *compiler) groups(p *specs.Process) {
	list := p.User.AdditionalGids
	if len(list) == 0 {
		step := c.Do(plan.Setgroups, 0, nil)
		if c.host.SetgroupsDenied {
			step.Tolerate(unix.EPERM)
		}
		return
	}
	c.At("process.user.additionalGids")
	b := make([]byte, 0, 4*len(list))
	for _, g := range list {
		b = binary.LittleEndian.AppendUint32(b, g)
	}
	c.Do(plan.Setgroups, len(list), c.Bytes(b))
	c.At("process.user")
}

// capset is capset(2) with version 3 of its header (linux/capability.h).
func (c *compiler) capset(effective, permitted, inheritable uint64) {
	const version = 0x20080522
	b := make([]byte, 0, 24)
	for shift := 0; shift <= 32; shift += 32 {
		for _, set := range [...]uint64{effective, permitted, inheritable} {
			b = binary.LittleEndian.AppendUint32(b, uint32(set>>shift))
		}
	}
	c.Do(plan.Capset, c.Words(version), c.Bytes(b))
}

// capabilitySets are the five sets as bits.
type capabilitySets struct{ bounding, effective, permitted, inheritable, ambient uint64 }

// capabilities reads process.capabilities. An absent set is empty (CP-03); what
// the host can't grant is left out with a warning (CP-02). Of names that nobody
// knows, and of sets that don't hold what others of them need (CP-04), spec.Load
// has warned.
func (c *compiler) capabilities(p *specs.Process) (sets capabilitySets) {
	if p.Capabilities == nil {
		return sets
	}
	grantable := c.host.Permitted
	if c.births.user || c.births.joined { // the namespace grants all that the kernel has
		grantable = 1<<(c.host.LastCapability+1) - 1
	}
	read := func(set string, names []string, grantable uint64, warn bool) (bits uint64) {
		for _, name := range names {
			i, ok := kernel.Capability(name)
			if !ok {
				continue
			}
			if grantable&(1<<i) == 0 && warn {
				c.Warnings = append(c.Warnings, capabilityWarning(set, i))
			}
			bits |= 1 << i & grantable
		}
		return bits
	}
	k := p.Capabilities
	sets.bounding = read("bounding", k.Bounding, grantable, true)
	sets.permitted = read("permitted", k.Permitted, grantable, true)
	sets.effective = read("effective", k.Effective, sets.permitted, false)
	sets.inheritable = read("inheritable", k.Inheritable, grantable&(sets.bounding|sets.permitted), false)
	sets.ambient = read("ambient", k.Ambient, sets.permitted&sets.inheritable, false)
	return sets
}

// filterNeeds is what seccomp(2) needs beside the process's own capabilities:
// without no_new_privs it takes CAP_SYS_ADMIN. Only the stage has it: what the
// program gets is made of the inheritable, bounding and ambient sets alone.
func (c *compiler) filterNeeds(p *specs.Process) uint64 {
	if c.filter == nil || p.NoNewPrivileges {
		return 0
	}
	return 1 << kernel.CapSysAdmin
}
