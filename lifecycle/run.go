package lifecycle

import (
	"syscall"

	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// Run is create, start, wait and delete in one process. It gives the exit
// status of the container's process: 128 and the signal's number, if a signal
// ended it. Signals that reach the caller meanwhile are passed on. With Detach
// it returns 0 as soon as the program runs.
func (r *Runtime) Run(id string, o RunOptions) (status int, err error) {
	defer wrap("run", id, &err)
	defer o.Timing.end()
	o.detach, o.denials, o.terminal = o.Detach, o.Denials, o.Terminal
	if o.detach && o.denials != nil {
		return 1, text("--trace-denied can't be used with --detach: who traces waits for the end of the container")
	}
	c, err := r.create(id, &o.CreateOptions, false)
	if err != nil {
		return 1, err
	}
	defer c.close()
	defer c.outlets.close()
	defer c.log.close()
	if !o.Detach && !o.NoSubreaper {
		unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	c.moves.close() // what happens from here on is no create that fails
	defer func() { c.tracer.stop() }()
	if err := c.release(); err != nil {
		return 1, c.scene(c.fail(err))
	}
	if o.Detach {
		c.phase("wait until it is ready")
		c.outlets.ready.wait(c.pidfd, c.Process.PID)
		unix.Close(c.pidfd)
		return 0, nil
	}
	c.phase("the program")
	ws := c.attend()
	status = c.tracer.status(ws)
	unix.Close(c.pidfd)
	c.pidfd = -1
	if o.Keep {
		return status, nil
	}
	c.phase("delete")
	return status, r.destroy(c.container, c.spec)
}

// release lets the stage go on to the program, and waits until it is executed.
// There is no gate: what start reads from the report comes by the socket.
func (c *creation) release() error {
	if h := c.spec.Hooks; h != nil && len(h.StartContainer) > 0 {
		c.phase("run hooks")
		if err := c.startContainer(c.spec); err != nil {
			c.poststop = true
			return err
		}
	}
	c.phase("start")
	if _, err := unix.Write(c.sync, []byte{1}); err != nil {
		return c.lastWords(because("the container's process has gone", err))
	}
	var said []byte
	for b := make([]byte, 64); ; {
		n := receive(c.sync, b)
		if n == 0 {
			break
		}
		said = append(said, b[:n]...)
	}
	c.options.Timing.stageEnded()
	unix.Close(c.sync)
	c.sync = -1
	if err := c.outcome(said, func(step int) (RecordStep, error) { return c.plan.words(c.spec, step), nil }); err != nil {
		return err
	}
	if h := c.spec.Hooks; h != nil && len(h.Poststart) > 0 {
		c.phase("run hooks")
		state := c.container.state("running").AppendJSON(nil, "")
		if err := runHooks(poststart, h.Poststart, state, startHook(c.bundle.Dir)); err != nil {
			c.poststop = true
			return err
		}
	}
	return nil
}

// attend waits for the end of the container's process and passes signals on to
// it until then. As a subreaper it reaps what the container leaves to it.
func (c *creation) attend() (ws syscall.WaitStatus) {
	if c.outlets.foreground() {
		return c.outlets.attend(c.Process.PID, c.pidfd, c.path)
	}
	stage.Relay(c.pidfd, jobControl...)
	c.outlets.ready.wait(c.pidfd, unix.Getpid()) // the service is minirt, which ends as the container does
	for {
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		if pid == c.Process.PID || err != nil && err != syscall.EINTR {
			return ws
		}
	}
}
