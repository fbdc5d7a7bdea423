package lifecycle

import (
	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// StopSignal stands, for Kill, for the signal that the annotation
// org.opencontainers.image.stopSignal names (image-spec, annotations; AN-04):
// SIGTERM where there is none, or none that is known.
const StopSignal = -1

// Kill sends a signal to the container's process (runtime.md, Kill). With all,
// and with SIGKILL where the container has no pid namespace of its own, it
// goes to every process of the container's cgroup; with all a stopped
// container is no error, since engines clear up leftovers that way.
func (r *Runtime) Kill(id string, signal int, all bool) (err error) {
	defer wrap("kill", id, &err)
	c, err := r.load(id)
	if err != nil {
		return err
	}
	defer c.close()
	if signal == StopSignal {
		signal = r.stopSignal(c.Record)
	}
	if all || signal == int(unix.SIGKILL) && !c.NewPID {
		return c.killAll(signal, all)
	}
	signal = c.audible(signal)
	if s := c.status(); s == specs.StateStopped || s == specs.StateCreating {
		return ErrNotRunning
	}
	pidfd, err := c.Process.open()
	if err == errGone {
		return ErrNotRunning
	}
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	if err := unix.PidfdSendSignal(pidfd, unix.Signal(signal), nil, 0); err != nil {
		if err == unix.ESRCH {
			return ErrNotRunning
		}
		return because("signal "+kernel.SignalName(signal), err)
	}
	if signal == int(unix.SIGKILL) { // a frozen process of cgroup v1 would not die
		return c.group().ThawAll()
	}
	return nil
}

// audible is SIGKILL instead of a signal that would end a created container and
// that its process can't hear (Record.Deaf).
func (c *container) audible(signal int) int {
	if c.Deaf && signal > 0 && terminating&(1<<(signal-1)) != 0 && c.waiting() {
		return int(unix.SIGKILL)
	}
	return signal
}

func (r *Runtime) stopSignal(rec *Record) int {
	const annotation = "org.opencontainers.image.stopSignal"
	name := rec.Annotations[annotation]
	if name == "" {
		return int(unix.SIGTERM)
	}
	signal, ok := kernel.Signal(name)
	if !ok || signal <= 0 {
		r.warn("annotations: " + annotation + ": " + quote(name) + " is not a signal: SIGTERM takes its place")
		return int(unix.SIGTERM)
	}
	return signal
}

// killAll signals every process of the cgroup.
func (c *container) killAll(signal int, all bool) error {
	s := c.status()
	if s == specs.StateCreating || s == specs.StateStopped && !all {
		return ErrNotRunning
	}
	signal = c.audible(signal)
	if len(c.Cgroups) > 0 {
		return c.group().Kill(unix.Signal(signal))
	}
	if pidfd, err := c.Process.open(); err == nil {
		defer unix.Close(pidfd)
		return unix.PidfdSendSignal(pidfd, unix.Signal(signal), nil, 0)
	}
	return nil
}
