package lifecycle

import (
	"strconv"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/rootfs"
	"golang.org/x/sys/unix"
)

// mountsToUndo notes what lies now on the places below the root where a
// container without a mount namespace has its mounts, which the host sees too.
func mountsToUndo(v *sight) ([]string, error) {
	if v.host.Rootfs.MountNamespace {
		return nil, nil
	}
	return mountpoint.Before(v.host.Rootfs.Root, rootfs.Unmounts(v.spec, &v.host.Rootfs))
}

// makeMounts makes the mounts of such a container, by a stage of their own in
// the host's mount namespace (SEC-60: no propagation is touched). The record
// names them already.
func (c *creation) makeMounts() error {
	if c.host.Rootfs.MountNamespace {
		return nil
	}
	c.warn("there is no mount namespace: the root is changed by chroot(2), which a process with CAP_SYS_CHROOT can leave, and the host sees the container's mounts")
	c.undo.add(func() error { return mountpoint.Unmount(c.Rootfs, c.Mounts) })
	const sync = 3
	p := plan.New(c.host.Arch, sync)
	p.Do(plan.Umask, 0)
	rootfs.Mounts(p, c.spec, &c.host.Rootfs)
	p.Do(plan.ExitGroup, 0)
	r, err := runPlan(p, c.path)
	if err != nil || r == nil {
		return err
	}
	return (&Compiled{Plan: p}).explain(c.spec, c.bundle.Config, *r)
}

// runPlan runs a plan to its end in a stage without namespaces of its own, and
// gives its report, if it has failed. Descriptor 3 is for the report.
func runPlan(p *plan.Plan, dir string) (*stage.Report, error) {
	image, err := stage.Image(p)
	if err != nil {
		return nil, err
	}
	fd, err := stage.Seal(image, dir)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer unix.Close(ours)
	proc, err := stage.Start(fd, []string{"minirt", "mounts"}, []uintptr{0, 1, 2, uintptr(theirs)}, 0, -1)
	unix.Close(theirs)
	if err != nil {
		return nil, because("start the stage", err)
	}
	unix.Close(proc.PIDFD)
	b := make([]byte, 64)
	n := receive(ours, b)
	ws := wait(proc.PID)
	if r, ok := stage.ParseReport(b[:n]); ok {
		return &r, nil
	}
	if !ws.Exited() || ws.ExitStatus() != 0 {
		return nil, text("a stage ended with exit status " + strconv.Itoa(ws.ExitStatus()))
	}
	return nil, nil
}
