package lifecycle

import (
	"os"
	"strconv"

	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/internal/listener"
	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A filter may leave calls to an agent (config-linux.md, Seccomp, listenerPath).
// The agent needs the listener that seccomp(2) gave to the container's process,
// and from that moment on no call of the process's is sure to be answered. So
// the process does nothing but wait, in read(2), and minirt takes the listener
// out of it by pidfd_getfd(2). The listener has a number that minirt knows
// beforehand: all that are lower are in use. While minirt has it, it lets the
// calls of the process pass; the process closes its own copy, so that the
// kernel can tell when the agent has gone.
//
// The agent gets it while the container is created, as engines expect who want
// it to see the container whether that is started or not. What follows in the
// process, up to execve(2), is read, write and close.

// listens tells whether a filter of the config needs an agent (SC-12).
func listens(s *specs.Spec) bool {
	return s.Process != nil && len(s.Process.Args) > 0 && s.Linux != nil && s.Linux.Seccomp != nil &&
		s.Linux.Seccomp.ListenerPath != "" && notifies(s.Linux.Seccomp)
}

// cantListen tells why no agent can be served here, "" if it can.
func cantListen() string {
	if os.Geteuid() != 0 {
		return "not supported without root's rights: taking a listener out of a process needs CAP_SYS_PTRACE"
	}
	return ""
}

// dialAgent connects to the agent, before anything is made (SC-11).
func (o *outlets) dialAgent(s *specs.Spec) (err error) {
	if !listens(s) {
		return nil
	}
	path := s.Linux.Seccomp.ListenerPath
	if o.agent, err = dial("the agent's socket", path); err != nil {
		return &pathError{"linux.seccomp.listenerPath", quote(path), err.(*reason).cause}
	}
	return nil
}

// giveListener sends the listener, if there is one, to the agent, with the state
// of the container's process, and hangs up (SC-10): from here on the agent answers.
func (c *container) giveListener(o *outlets, s *specs.Spec, pid int, status specs.ContainerState) error {
	if o.listener < 0 {
		return nil
	}
	state := c.processState(s, pid, status)
	n, err := unix.SendmsgN(o.agent, state, unix.UnixRights(o.listener), nil, unix.MSG_NOSIGNAL)
	for err == nil && n < len(state) { // descriptors go with the first part (SC-14)
		state = state[n:]
		n, err = unix.SendmsgN(o.agent, state, nil, nil, unix.MSG_NOSIGNAL)
	}
	if err != nil {
		return &pathError{"linux.seccomp.listenerPath", "send the listener", err}
	}
	unix.Close(o.listener)
	unix.Close(o.agent)
	o.listener, o.agent = -1, -1
	return nil
}

// takeListener waits until the process has loaded its filter; fd is -1 if it
// says something instead, or ends.
func takeListener(pidfd, number, said int) (fd int, err error) {
	for {
		fd, err := unix.PidfdGetfd(pidfd, number, 0)
		switch err {
		case nil:
			if isListener(fd) {
				return fd, nil
			}
			unix.Close(fd)
		case unix.EBADF:
		case unix.ESRCH:
			return -1, nil
		default:
			return -1, &pathError{"linux.seccomp.listenerPath", "take the listener", err}
		}
		const pause = 1 // millisecond
		if readable(said, pause) {
			return -1, nil
		}
	}
}

// isListener tells whether a descriptor is a seccomp listener: it knows that
// there is no call with the number 0.
func isListener(fd int) bool {
	_, err := unix.IoctlGetInt(fd, unix.SECCOMP_IOCTL_NOTIF_ID_VALID)
	return err == nil || err == unix.ENOENT
}

// processState is what an agent is told: the "container process state" of
// config-linux.md (SC-15).
func (c *container) processState(s *specs.Spec, pid int, status specs.ContainerState) []byte {
	b := json.AppendString([]byte(`{"ociVersion":`), Version)
	b = strconv.AppendInt(append(b, `,"fds":["seccompFd"],"pid":`...), int64(pid), 10)
	if m := s.Linux.Seccomp.ListenerMetadata; m != "" {
		b = json.AppendString(append(b, `,"metadata":`...), m)
	}
	b = c.state(status).AppendJSON(append(b, `,"state":`...), "")
	return append(b, '}')
}

// takeListener takes the listener that the stage has by now: for the agent, or,
// where refused calls are traced, for minirt itself.
func (c *creation) takeListener() error {
	fd, err := takeListener(c.pidfd, c.host.Files.Listener, c.sync)
	if err == nil && fd >= 0 && c.host.Traced != 0 {
		return c.trace(fd)
	}
	c.outlets.listener = fd
	return err
}

// letPass lets the stage make what calls its filter leaves to a listener, until
// it says something, or ends.
func letPass(fd, sync int) {
	f := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(sync), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(f, -1)
		switch {
		case err == unix.EINTR:
		case err != nil || f[1].Revents != 0 || f[0].Revents&unix.POLLIN == 0:
			return
		default:
			if n, err := listener.Receive(fd); err == nil {
				listener.Continue(fd, n.ID)
			}
		}
	}
}

// reported gives the failure that a stage has left in the FIFO for start, where
// it goes from the beginning if its filter has a listener; nil for none.
func (c *creation) reported() error {
	if c.report < 0 || !readable(c.report, 0) {
		return nil
	}
	b := make([]byte, 64)
	n, err := unix.Read(c.report, b)
	if err != nil {
		return nil
	}
	if r, ok := stage.ParseReport(b[:n]); ok {
		return c.plan.explain(c.spec, c.bundle.Config, r)
	}
	return nil
}

// closeReport is for a creation that reads the FIFO no more, if it has.
func (c *creation) closeReport() {
	if c.report >= 0 {
		unix.Close(c.report)
		c.report = -1
	}
}
