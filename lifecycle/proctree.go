package lifecycle

import (
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A procfs shows the pid namespace of the process that makes it. A container
// whose pid namespace has a path gets its first process born in there only at
// the very end (SEC-03), too late to mount /proc; mounted before, it would show
// the host's processes. So a small stage makes it: one that has left the host's
// root for an empty one before its child is born in that namespace. The child
// mounts a procfs nowhere, and sends its descriptor.

// seeProcs finds the mounts of type proc that are made so.
func (v *sight) seeProcs() {
	if _, joined := namespacesOf(v.spec); joined&unix.CLONE_NEWPID == 0 {
		return
	}
	for i := range v.spec.Mounts {
		if m := &v.spec.Mounts[i]; m.Type == "proc" && !rootfs.IsBind(m) {
			v.host.Rootfs.Mounts[i].Tree = v.host.Files.next
			v.host.Files.next++
			v.trees.procs = append(v.trees.procs, i)
		}
	}
}

// makeProcs makes them.
func (c *creation) makeProcs() error {
	if len(c.trees.procs) == 0 {
		return nil
	}
	if err := c.openNamespaces(); err != nil {
		return err
	}
	for _, i := range c.trees.procs {
		fd, err := c.procTree(&c.spec.Mounts[i])
		if err != nil {
			return &pathError{index("mounts", i), "mount proc of the pid namespace", err}
		}
		c.files[c.host.Rootfs.Mounts[i].Tree] = uintptr(fd)
	}
	return nil
}

func (c *creation) procTree(m *specs.Mount) (fd int, err error) {
	const sync, pidNamespace = 3, 4
	p := c.procPlan(m, sync, pidNamespace)
	sealed, err := seal(p, c.path)
	if err != nil {
		return -1, err
	}
	defer unix.Close(sealed)
	ours, theirs, err := socketPair()
	if err != nil {
		return -1, err
	}
	defer unix.Close(ours)
	ns := c.files[c.host.Files.Namespaces[placeOfKind(kernel.Namespace{Flag: unix.CLONE_NEWPID})]]
	born, err := stage.Start(sealed, []string{"minirt", "proc"}, []uintptr{0, 1, 2, uintptr(theirs), ns}, unix.CLONE_NEWNS, -1)
	unix.Close(theirs)
	if err != nil {
		return -1, err
	}
	defer unix.Close(born.PIDFD)
	fd = -1
	pids := []int{born.PID}
	defer func() {
		for _, pid := range pids {
			wait(pid)
		}
	}()
	for b := make([]byte, 64); ; {
		n, got, err := receiveFD(ours, b)
		switch r, failed := stage.ParseReport(b[:n]); {
		case err != nil:
			return fd, err
		case got >= 0:
			fd = got
		case failed:
			return -1, text(p.Sentence(r.Step) + ": " + unix.Errno(r.Errno).Error())
		case n == 4:
			pids = append(pids, pidIn(b))
		case n == 0 && fd < 0:
			return -1, text("the stage that makes it has died")
		case n == 0:
			return fd, nil
		}
	}
}

// procPlan is what the small stage does, in a mount namespace of its own.
func (c *creation) procPlan(m *specs.Mount, sync, pidNamespace int) *plan.Plan {
	p := plan.New(c.host.Arch, sync)
	p.At("linux.namespaces")
	p.Do(plan.Setsid)
	p.Do(plan.Prctl, prSetDumpable, 0)
	p.Do(plan.Setns, pidNamespace, unix.CLONE_NEWPID)
	p.Do(plan.Close, pidNamespace)
	p.Do(plan.Mount, nil, "/", nil, unix.MS_REC|unix.MS_PRIVATE, nil)
	p.Do(plan.Chdir, c.path)
	p.Do(plan.Mount, "tmpfs", ".", "tmpfs", unix.MS_RDONLY, "size=0k,nr_inodes=2")
	p.Do(plan.Chdir, c.path)
	p.Do(plan.PivotRoot, ".", ".")
	p.Do(plan.Umount2, ".", unix.MNT_DETACH)
	p.Do(plan.Chdir, "/")
	for fd := range 3 {
		p.Do(plan.Close, fd).Tolerate(unix.EBADF)
	}
	fork(p, sync)
	fs, tree := p.Register("fs"), p.Register("tree")
	p.Do(plan.Fsopen, "proc", unix.FSOPEN_CLOEXEC).To(fs)
	p.Do(plan.Fsconfig, fs, unix.FSCONFIG_SET_STRING, "source", "proc", 0)
	for o := range strings.SplitSeq(rootfs.FileSystemData(m), ",") {
		if key, value, ok := strings.Cut(o, "="); ok {
			p.Do(plan.Fsconfig, fs, unix.FSCONFIG_SET_STRING, key, value, 0)
		} else if o != "" {
			p.Do(plan.Fsconfig, fs, unix.FSCONFIG_SET_FLAG, o, nil, 0)
		}
	}
	p.Do(plan.Fsconfig, fs, unix.FSCONFIG_CMD_CREATE, nil, nil, 0)
	_, top := rootfs.Attributes(m)
	p.Do(plan.Fsmount, fs, unix.FSMOUNT_CLOEXEC, top.Set).To(tree)
	sendFD(p, sync, tree, "proc")
	p.Do(plan.ExitGroup, 0)
	return p
}
