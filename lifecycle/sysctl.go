package lifecycle

import (
	"slices"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/spec"
	"golang.org/x/sys/unix"
)

// names sets the names of the UTS namespace (config.md, Hostname and Domainname).
func (c *compiler) names() {
	if n := c.spec.Hostname; n != "" {
		c.At("hostname")
		c.Do(plan.Sethostname, n, len(n))
	}
	if n := c.spec.Domainname; n != "" {
		c.At("domainname")
		c.Do(plan.Setdomainname, n, len(n))
	}
}

// procfs gives a procfs of the stage's own, attached nowhere: what the
// container's own /proc shows could be anything (SEC-20).
func (c *compiler) procfs() plan.Register {
	if c.proc == 0 {
		fs := c.Register("fs")
		c.proc = c.Register("proc")
		c.Do(plan.Fsopen, "proc", unix.FSOPEN_CLOEXEC).To(fs)
		c.Do(plan.Fsconfig, fs, unix.FSCONFIG_CMD_CREATE, nil, nil, 0)
		c.Do(plan.Fsmount, fs, unix.FSMOUNT_CLOEXEC, 0).To(c.proc)
		c.Do(plan.Close, fs)
	}
	return c.proc
}

// writeProc writes value to a file of procfs with one write(2).
func (c *compiler) writeProc(name, value string) {
	const resolve = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV
	proc := c.procfs()
	file := c.register("file")
	c.Do(plan.Openat2, proc, name, c.How(unix.O_WRONLY|unix.O_CLOEXEC, 0, resolve), plan.HowSize).To(file)
	c.Do(plan.Write, file, value, len(value))
	c.Do(plan.Close, file)
}

// sysctls sets linux.sysctl (config-linux.md, Sysctl), in the order of the keys.
func (c *compiler) sysctls() {
	if c.spec.Linux == nil || len(c.spec.Linux.Sysctl) == 0 {
		return
	}
	keys := make([]string, 0, len(c.spec.Linux.Sysctl))
	for k := range c.spec.Linux.Sysctl {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		c.At("linux.sysctl." + k)
		path, _ := spec.SysctlPath(k) // Load has refused what leads elsewhere
		c.writeProc("sys/"+path, c.spec.Linux.Sysctl[k])
	}
}

// labels asks for the labels of the LSMs at the next execve(2). A host without
// the LSM has been refused before (PR-12).
func (c *compiler) labels() {
	p := c.spec.Process
	if p == nil {
		return
	}
	if p.ApparmorProfile != "" {
		c.At("process.apparmorProfile")
		c.writeProc("thread-self/attr/apparmor/exec", "exec "+p.ApparmorProfile)
	}
	if p.SelinuxLabel != "" {
		c.At("process.selinuxLabel")
		c.writeProc("thread-self/attr/exec", p.SelinuxLabel)
	}
}

// keyLabel gives the keys that are made from here on the process's label: those of
// the new session keyring must be the program's to use. execve(2) resets it.
func (c *compiler) keyLabel() {
	if p := c.spec.Process; p != nil && p.SelinuxLabel != "" && c.host.NewKeyring {
		c.At("process.selinuxLabel")
		c.writeProc("thread-self/attr/keycreate", p.SelinuxLabel)
	}
}

// closeProcfs gives up the stage's own procfs, before anybody can look at it.
func (c *compiler) closeProcfs() {
	if c.proc != 0 {
		c.Do(plan.Close, c.proc)
	}
}
