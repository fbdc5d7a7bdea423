package lifecycle

import (
	"os"
	"strconv"

	"github.com/minirt/minirt/internal/json"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A filter may leave calls to an agent (config-linux.md, Seccomp, listenerPath).
// The agent needs the listener that seccomp(2) gave to the container's process,
// and from that moment on no call of the process's is sure to be answered
// without the agent. So the process does nothing but wait, in read(2), and
// minirt takes the listener out of it by pidfd_getfd(2), sends it, and lets the
// process go on. The listener has a number that minirt knows beforehand: all
// that are lower are in use.

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

// serveAgent takes the listener with that number out of the process and sends
// it to the agent, with the state of the container's process. said is where a
// process that fails says so: then there is nothing to send.
func serveAgent(agent, pidfd, number, said int, state []byte) error {
	listener, err := takeListener(pidfd, number, said)
	if err != nil || listener < 0 {
		return err
	}
	defer unix.Close(listener)
	n, err := unix.SendmsgN(agent, state, unix.UnixRights(listener), nil, unix.MSG_NOSIGNAL)
	for err == nil && n < len(state) { // descriptors go with the first part (SC-14)
		state = state[n:]
		n, err = unix.SendmsgN(agent, state, nil, nil, unix.MSG_NOSIGNAL)
	}
	if err == nil {
		err = unix.Shutdown(agent, unix.SHUT_WR) // the process may hold it open until the agent lets it go on
	}
	if err != nil {
		return &pathError{"linux.seccomp.listenerPath", "send the listener", err}
	}
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
// config-linux.md (SC-15). At create and at start the container is being created
// to it, as the program isn't executed yet.
func (c *container) processState(s *specs.Spec, pid int, status specs.ContainerState) []byte {
	b := json.AppendString([]byte(`{"ociVersion":`), Version)
	b = strconv.AppendInt(append(b, `,"fds":["seccompFd"],"pid":`...), int64(pid), 10)
	if m := s.Linux.Seccomp.ListenerMetadata; m != "" {
		b = json.AppendString(append(b, `,"metadata":`...), m)
	}
	b = c.state(status).AppendJSON(append(b, `,"state":`...), "")
	return append(b, '}')
}

// serveAgent does so for run.
func (c *creation) serveAgent() error {
	state := c.processState(c.spec, c.Process.PID, specs.StateCreating)
	if err := serveAgent(c.outlets.agent, c.pidfd, c.host.Files.Listener, c.sync, state); err != nil {
		return err
	}
	unix.Close(c.outlets.agent)
	c.outlets.agent = -1
	unix.Write(c.sync, []byte{1}) // a process that has gone has said why
	return nil
}

// serveAgent does so at the time of start, with the socket that create has
// connected, and that the waiting process holds. Without its agent the process
// could not go on: it ends.
func (c *container) serveAgent(gate, report int) error {
	s, err := c.config()
	if err != nil {
		return err
	}
	pidfd, err := c.Process.open()
	if err != nil {
		return nil // the report tells
	}
	defer unix.Close(pidfd)
	agent, err := unix.PidfdGetfd(pidfd, c.Listener-1, 0)
	if err != nil {
		err = &pathError{"linux.seccomp.listenerPath", "take the agent's socket", err}
	} else {
		err = serveAgent(agent, pidfd, c.Listener, report, c.processState(s, c.Process.PID, specs.StateCreating))
		unix.Close(agent)
	}
	if err == nil {
		_, err = unix.Write(gate, []byte{1})
	}
	if err != nil {
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	}
	return err
}
