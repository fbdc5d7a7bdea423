package lifecycle

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Pause freezes all processes of a created or running container, and returns
// when they are frozen.
func (r *Runtime) Pause(id string) (err error) {
	defer wrap("pause", id, &err)
	c, err := r.load(id)
	if err != nil {
		return err
	}
	defer c.close()
	if s := c.status(); s != specs.StateRunning && s != specs.StateCreated {
		return ErrNotRunning
	}
	if len(c.Cgroups) == 0 {
		return text("the container has no cgroup of its own that could be frozen")
	}
	fd, err := c.hold(unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return c.group().Freeze()
}

// Resume lets the processes of a paused container go on.
func (r *Runtime) Resume(id string) (err error) {
	defer wrap("resume", id, &err)
	c, err := r.load(id)
	if err != nil {
		return err
	}
	defer c.close()
	if c.status() != StatusPaused {
		return ErrNotPaused
	}
	return c.group().Thaw()
}

// PIDs lists the container's processes by the host's numbers, from its cgroup
// and nothing that the container could forge (SEC-51). A stopped container has none.
func (r *Runtime) PIDs(id string) (pids []int, err error) {
	defer wrap("ps", id, &err)
	c, err := r.load(id)
	if err != nil {
		return nil, err
	}
	defer c.close()
	switch {
	case c.status() == specs.StateStopped:
		return nil, nil
	case len(c.Cgroups) == 0:
		return []int{c.Process.PID}, nil
	}
	return c.group().Pids(true)
}
