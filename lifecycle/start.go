package lifecycle

import (
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Start runs the user's program in a created container (runtime.md, Start). It
// returns when the program has been executed and the poststart hooks have run.
func (r *Runtime) Start(id string) (err error) {
	defer wrap("start", id, &err)
	c, err := r.load(id)
	if err != nil {
		return err
	}
	defer c.close()
	defer func() { err = c.scene(err) }()
	if c.Hooks { // one that fails ends the container
		if err := r.needsSystemd(c.Record); err != nil {
			return err
		}
	}
	if err := c.lock(); err != nil {
		return err
	}
	if err := c.begun(); err != nil {
		return err
	}
	if err := startable(c.status()); err != nil {
		return err
	}
	if !c.Program {
		return text("process.args is not set in config.json: there is nothing to start")
	}
	s, err := c.hooks()
	if err != nil {
		return err
	}
	if s != nil {
		if err := c.startContainer(s); err != nil {
			return r.abandon(c, s, err)
		}
	}
	ready, err := c.listen(r.NotifySocket)
	if err != nil {
		return err
	}
	defer ready.close()
	if err := c.open(); err != nil {
		return err
	}
	if s != nil {
		state := c.state(specs.StateRunning).AppendJSON(nil, "")
		if err := runHooks(poststart, s.Hooks.Poststart, state, startHook(c.Bundle)); err != nil {
			return r.abandon(c, s, err)
		}
	}
	return r.await(c, ready)
}

// begun reads the report of a start that this process has begun before Go did
// (package early of cmd/minirt), and that failed. It is there as long as that
// start's end of it is open, and else never without a reader.
func (c *container) begun() error {
	report, err := unix.Openat(c.fd, reportFile, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT { // run made it, which has no gate
		return nil
	}
	if err != nil {
		return because(c.path+"/"+reportFile, err)
	}
	defer unix.Close(report)
	said := make([]byte, 64)
	if n := receive(report, said); n > 0 {
		return c.outcome(said[:n], c.words)
	}
	return nil
}

// startable refuses every status but created (LC-09).
func startable(s specs.ContainerState) error {
	switch s {
	case specs.StateCreated:
		return nil
	case specs.StateStopped:
		return wrongStatus{"cannot start a container that has stopped", s}
	case specs.StateRunning:
		return wrongStatus{"cannot start an already running container", s}
	}
	return wrongStatus{text("cannot start a container in the " + string(s) + " state"), s}
}

// hooks reads the config if it has hooks for start or delete; else it is not
// read at all, and s is nil.
func (c *container) hooks() (s *specs.Spec, err error) {
	if !c.Hooks {
		return nil, nil
	}
	return c.config()
}

// config reads the configuration that create has kept.
func (c *container) config() (*specs.Spec, error) {
	b, err := readFileAt(c.fd, configFile, 16<<20)
	if err != nil {
		return nil, because(c.path+"/"+configFile, err)
	}
	s, _, err := spec.Load(b)
	return s, err
}

// startContainer runs the hooks that come before the program, inside.
func (c *container) startContainer(s *specs.Spec) error {
	if len(s.Hooks.StartContainer) == 0 {
		return nil
	}
	pidfd, err := c.Process.open()
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	state := c.state(specs.StateCreated)
	state.Pid = insidePID(c.Process)
	created, joined := namespacesOf(s)
	j := joiner{pidfd, created | joined, "/", c.path}
	return runHooks(startContainer, s.Hooks.StartContainer, state.AppendJSON(nil, ""), j.start)
}

// abandon is what a failed hook of start leads to: the container is stopped
// and removed, and its poststop hooks run (LC-21, LC-22).
func (r *Runtime) abandon(c *container, s *specs.Spec, cause error) error {
	if err := r.destroy(c, s); err != nil {
		return &halfUndone{cause, err}
	}
	return cause
}

// open opens the gate, and waits for the end of the report: one byte tells
// that the program is about to be executed, and end of file behind it that it
// was; a report tells why not.
func (c *container) open() error {
	report, err := unix.Openat(c.fd, reportFile, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return because(c.path+"/"+reportFile, err)
	}
	defer unix.Close(report)
	gate, err := unix.Openat(c.fd, gateFile, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(gate)
		_, err = unix.Write(gate, []byte{1})
	}
	if err != nil {
		return because("the container's process does not wait at its gate", err)
	}
	if err := unix.SetNonblock(report, false); err != nil {
		return err
	}
	b, err := readAll(report, 1<<16)
	if err != nil {
		return because(c.path+"/"+reportFile, err)
	}
	return c.outcome(b, c.words)
}

// outcome reads what the stage said behind the gate; words gives those of a
// step that failed.
func (c *container) outcome(b []byte, words func(step int) (RecordStep, error)) error {
	going := len(b) > 0 && b[0] == '!'
	if going {
		b = b[1:]
	}
	r, failed := stage.ParseReport(b)
	switch {
	case going && len(b) == 0:
		return nil
	case !failed:
		return text("the container's process ended before the program was executed")
	}
	w, err := words(r.Step)
	if err != nil {
		return because(err.Error(), unix.Errno(r.Errno))
	}
	config, _ := readFileAt(c.fd, configFile, 16<<20)
	return w.explain(config, unix.Errno(r.Errno))
}
