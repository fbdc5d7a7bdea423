package lifecycle

import (
	"errors"
	"strconv"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Delete removes what create made (runtime.md, Delete): of a stopped
// container; of a created one too, unless the runtime is strict; with force of
// any, after its end, and of one that doesn't exist without a word.
func (r *Runtime) Delete(id string, force bool) (err error) {
	defer wrap("delete", id, &err)
	d, err := r.find(id)
	if force && errors.Is(err, ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.close()
	rec, err := d.record()
	if errors.Is(err, ErrNotExist) {
		return r.clearHalf(d, force)
	}
	if err != nil && !force {
		return err
	}
	if err != nil {
		r.warn(err.Error() + ": only the state directory is removed")
		return d.remove()
	}
	if err := r.needsSystemd(rec); err != nil {
		return err
	}
	c := &container{d, rec}
	if s := c.status(); !force && !r.deletable(s) {
		return wrongStatus{text("cannot delete container " + id + " that is not stopped: " + string(s)), s}
	}
	s, err := c.hooks()
	if err != nil {
		r.warn(err.Error() + ": poststop hooks are not run")
	}
	return r.destroy(c, s)
}

// deletable tells which containers delete takes without force.
func (r *Runtime) deletable(s specs.ContainerState) bool {
	return s == specs.StateStopped || s == specs.StateCreated && !r.Strict
}

// clearHalf removes a directory that create was killed in before it wrote the
// record: nothing else was made.
func (r *Runtime) clearHalf(d *dir, force bool) error {
	if err := d.remove(); err != nil || force {
		return err
	}
	return ErrNotExist
}

// destroy ends the container's processes, takes back in reverse order what
// create made, and runs the poststop hooks. s is the config if it has hooks.
func (r *Runtime) destroy(c *container, s *specs.Spec) error {
	if err := c.finish(); err != nil {
		return err
	}
	c.leaveLog()
	state := c.state(specs.StateStopped).AppendJSON(nil, "")
	for _, undo := range [...]func() error{
		c.returnNetDevices,
		func() error { return mountpoint.Unmount(c.Rootfs, c.Mounts) },
		c.leaveRdt,
		func() error { return r.stopScope(c) },
		func() error { return c.group().Remove() },
		func() error { return mountpoint.Remove(c.Rootfs, c.Points) },
		c.remove,
	} {
		if err := undo(); err != nil {
			return err
		}
	}
	if s == nil || s.Hooks == nil {
		return nil
	}
	for i := range s.Hooks.Poststop { // each runs, whatever became of the others (HK-11)
		if err := runHooks(poststop, s.Hooks.Poststop[i:i+1], state, startHook(c.Bundle)); err != nil {
			r.warn(err.Error())
		}
	}
	return nil
}

// patience is how long delete waits for a process to end, in milliseconds.
const patience = 10_000

// finish ends what still runs: the creating minirt, the container's process,
// and, where it has no pid namespace of its own, all others of its cgroup.
func (c *container) finish() error {
	if c.Process.PID == 0 {
		if err := c.stop(c.Creator); err != nil {
			return err
		}
		if rec, err := c.record(); err == nil { // the last thing it did may have been to complete the container
			c.Record = rec
		}
	}
	if err := c.stop(c.Process); err != nil {
		return err
	}
	if !c.NewPID && len(c.Cgroups) > 0 {
		return c.group().Kill(unix.SIGKILL)
	}
	return nil
}

// stop kills a process, and waits for its end.
func (c *container) stop(p Proc) error {
	if p.PID == unix.Getpid() {
		return nil
	}
	pidfd, err := p.open()
	if err == errGone {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	if p == c.Process {
		c.group().ThawAll()
	}
	if !ended(pidfd, patience) {
		return text("container init still running: process " + strconv.Itoa(p.PID) + " has not ended " + strconv.Itoa(patience/1000) + " s after SIGKILL")
	}
	return nil
}
