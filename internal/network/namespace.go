package network

import (
	"cmp"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// A Namespace is the network namespace of a container, held by a descriptor, and
// the process that it is known by.
type Namespace struct {
	pid   int
	pidfd int
	fd    int
}

// Hold takes the network namespace of a process. The number of a process that
// has ended may be another's, so it is looked at once: whose the number was when
// the pidfd was opened, and still is when the namespace is, is the one. The
// host's own namespace, which any other process would have, is refused.
func Hold(pid int) (*Namespace, error) {
	if pid <= 0 {
		return nil, errors.New("the state on standard input names no process: is this hook one of createRuntime?")
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, step(err, "process %d of the container", pid)
	}
	n := &Namespace{pid: pid, pidfd: pidfd, fd: -1}
	if err := n.open(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *Namespace) open() (err error) {
	name := "/proc/" + strconv.Itoa(n.pid) + "/ns/net"
	if n.fd, err = unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil || errors.Is(err, unix.ENOENT) {
		err = cmp.Or(n.Alive(), err)
	}
	if err != nil {
		return step(err, "network namespace %q", name)
	}
	var st, own unix.Stat_t
	if err := unix.Fstat(n.fd, &st); err != nil {
		return step(err, "network namespace %q", name)
	}
	if err := unix.Stat("/proc/thread-self/ns/net", &own); err != nil {
		return step(err, "network namespace of the host")
	}
	if st.Ino == own.Ino {
		return errors.New("the container has the network namespace of the host: add {\"type\": \"network\"} to linux.namespaces, or take this hook out")
	}
	return nil
}

// Alive tells, by an error, whether the process has ended.
func (n *Namespace) Alive() error {
	fds := []unix.PollFd{{Fd: int32(n.pidfd), Events: unix.POLLIN}}
	for {
		ready, err := unix.Poll(fds, 0)
		if err == unix.EINTR {
			continue
		}
		if err == nil && ready > 0 {
			err = unix.ESRCH
		}
		return step(err, "process %d of the container", n.pid)
	}
}

// Path is a name of the namespace, for this process alone.
func (n *Namespace) Path() string { return "/proc/self/fd/" + strconv.Itoa(n.fd) }

// Close lets go of the namespace and the process.
func (n *Namespace) Close() {
	unix.Close(n.pidfd)
	unix.Close(n.fd)
}
