package lifecycle

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// serve does what the stage stops for, until it says that it is ready. The
// acknowledgement of that is held back.
func (c *creation) serve() error {
	b := make([]byte, 64)
	for {
		c.phase("wait for the stage")
		n, err := c.outlets.receive(c.sync, b)
		if err != nil {
			return c.lastWords(err)
		}
		if r, ok := stage.ParseReport(b[:n]); ok {
			return c.plan.explain(c.spec, c.bundle.Config, r)
		}
		switch n {
		case 0:
			return c.died()
		case 4:
			if err := c.born(pidIn(b)); err != nil {
				return c.lastWords(err)
			}
			continue
		}
		switch SyncKind(b[0]) {
		case SyncReady:
			return nil
		case SyncMaps:
			c.phase("write id maps")
			err = c.writeMaps()
		case SyncOffsets:
			c.phase("write clock offsets")
			err = c.writeOffsets()
		case SyncDevices:
			c.phase("move network devices")
			err = c.moveNetDevices()
		case SyncListener:
			c.phase("take the listener")
			err = c.takeListener()
		case SyncHooks:
			c.phase("run hooks")
			err = c.createHooks()
		}
		if err == nil {
			if _, err = unix.Write(c.sync, []byte{1}); err == unix.EPIPE { // a stage that has gone has said why
				continue
			}
		}
		if err != nil {
			return c.lastWords(err)
		}
	}
}

// lastWords prefers what the stage has reported meanwhile to err, which came of
// its end.
func (c *creation) lastWords(err error) error {
	b := make([]byte, 64)
	for range 2 { // the first may fail with ECONNRESET: see receive
		if n, _, e := unix.Recvfrom(c.sync, b, unix.MSG_DONTWAIT); e == nil {
			if r, ok := stage.ParseReport(b[:n]); ok {
				return c.plan.explain(c.spec, c.bundle.Config, r)
			}
		}
	}
	if said := c.reported(); said != nil {
		return said
	}
	return err
}

// born takes note of the container's process, the stage's child and now ours.
// The stage itself has ended.
func (c *creation) born(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return because("pidfd of process "+strconv.Itoa(pid), err)
	}
	old, oldfd := c.Process.PID, c.pidfd
	c.Process.PID, c.pidfd = pid, fd
	c.options.Timing.bears(pid)
	wait(old)
	unix.Close(oldfd)
	_, err = unix.Write(c.sync, []byte{1})
	return err
}

// died tells why a stage ended without a word.
func (c *creation) died() error {
	if said := c.reported(); said != nil {
		return said
	}
	ws := wait(c.Process.PID)
	unix.Close(c.pidfd)
	c.pidfd = -1
	if ws.Signaled() && ws.Signal() == unix.SIGKILL {
		return errKilled
	}
	if ws.Signaled() {
		return text("the container's process was killed by signal " + strconv.Itoa(int(ws.Signal())) + " before it was created")
	}
	return text("the container's process ended before it was created, with exit status " + strconv.Itoa(ws.ExitStatus()))
}

// writeOffsets writes the clock offsets of the stage's new time namespace
// (time_namespaces(7)); only its children live in it.
func (c *creation) writeOffsets() error {
	var b []byte
	for _, clock := range [...]string{"monotonic", "boottime"} {
		if o, ok := c.spec.Linux.TimeOffsets[clock]; ok {
			b = append(b, clock+" "+strconv.FormatInt(o.Secs, 10)+" "+strconv.FormatUint(uint64(o.Nanosecs), 10)+"\n"...)
		}
	}
	if err := writeTo("/proc/"+strconv.Itoa(c.Process.PID)+"/timens_offsets", string(b)); err != nil {
		return &pathError{"linux.timeOffsets", quote(strings.TrimSpace(string(b))), err}
	}
	return nil
}

// createHooks runs the hooks that belong to create, before pivot_root(2)
// (HK-01): prestart and createRuntime here, createContainer inside.
func (c *creation) createHooks() error {
	h := c.spec.Hooks
	s := c.container.state(specs.StateCreating)
	state := s.AppendJSON(nil, "")
	here := startHook(c.bundle.Dir)
	err := runHooks(prestart, h.Prestart, state, here) //nolint:staticcheck // deprecated, and still a MUST
	if err == nil {
		err = runHooks(createRuntime, h.CreateRuntime, state, here)
	}
	if err == nil && len(h.CreateContainer) > 0 {
		s.Pid = insidePID(c.Process)
		created, joined := namespacesOf(c.spec)
		j := joiner{c.pidfd, created | joined, c.bundle.Dir, c.path}
		err = runHooks(createContainer, h.CreateContainer, s.AppendJSON(nil, ""), j.start)
	}
	c.poststop = err != nil
	return err
}
