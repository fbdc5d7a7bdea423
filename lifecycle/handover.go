package lifecycle

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Descriptors travel in control messages (unix(7), SCM_RIGHTS): from the stage
// to its parent, and from there to the sockets that the caller named. Those are
// sockets with paths, never abstract ones, which a container in the host's
// network namespace could reach (SEC-38).

// dial connects to a caller's stream socket, before anything is made: one that
// nobody listens on is an error then. what names the flag.
func dial(what, path string) (socket int, err error) {
	if path == "" {
		return -1, nil
	}
	socket, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		if err = connect(socket, path); err == nil {
			return socket, nil
		}
		unix.Close(socket)
	}
	return -1, on(what, path, what+" "+quote(path), err)
}

// connect connects a socket to one that has a path, however long.
func connect(socket int, path string) error {
	const most = len(unix.RawSockaddrUnix{}.Path) - 1
	if path[0] == '@' { // a file; package unix would take it for an abstract address
		path = "./" + path
	}
	if len(path) > most {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		path = fdPath(fd)
	}
	return unix.Connect(socket, &unix.SockaddrUnix{Name: path})
}

// give sends one message that carries a descriptor, and what it is called.
func give(socket, fd int, name string) error {
	return unix.Sendmsg(socket, []byte(name), unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL)
}

// take receives a record and the one descriptor that it may carry; fd is -1
// without one. n is 0 at the end of file and on any error.
func take(socket int, b []byte) (n, fd int) {
	var control [64]byte
	for {
		n, size, _, _, err := unix.Recvmsg(socket, b, control[:], unix.MSG_CMSG_CLOEXEC)
		if err == unix.EINTR || err == unix.ECONNRESET { // see receive
			continue
		}
		if err != nil {
			return 0, -1
		}
		return n, carried(control[:size])
	}
}

// carried gives the first descriptor of a control message and closes others.
func carried(control []byte) (fd int) {
	fd = -1
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return fd
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		for _, one := range fds {
			if err == nil && fd < 0 {
				fd = one
			} else {
				unix.Close(one)
			}
		}
	}
	return fd
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
