package lifecycle

import (
	"bytes"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A service manager hands its NOTIFY_SOCKET (sd_notify(3)) to minirt, not to
// the container, which would be no part of the service there. The container
// gets a socket of its own, in a directory that is bound at /run/notify and
// that it can't write to; that it is ready is passed on.
const (
	notifyDir   = "notify"      // in the container's directory
	notifyFile  = "notify.sock" // there
	notifyPlace = "/run/notify"
)

// seeNotify gives the container the directory and the variable. The directory
// is made once the id is claimed: until the mounts have been looked at, one that
// is there already stands for it.
func (v *sight) seeNotify(r *Runtime) {
	if r.NotifySocket == "" || v.spec.Process == nil {
		return
	}
	v.notify = true
	v.spec.Mounts = append(v.spec.Mounts, specs.Mount{
		Destination: notifyPlace, Type: "bind", Source: v.bundle.Dir,
		Options: []string{"bind", "nosuid", "noexec", "nodev", "ro"},
	})
	v.host.Variables = append(v.host.Variables, "NOTIFY_SOCKET="+notifyPlace+"/"+notifyFile)
}

// nameNotify puts the real directory in the other's place.
func (v *sight) nameNotify(r *Runtime, id string) {
	if v.notify {
		v.spec.Mounts[len(v.spec.Mounts)-1].Source = r.Root + "/" + id + "/" + notifyDir
	}
}

// makeNotify makes the directory; for run with the socket, which start makes
// where the two are apart.
func (c *creation) makeNotify() (err error) {
	if !c.notify {
		return nil
	}
	if err := unix.Mkdirat(c.fd, notifyDir, 0o755); err != nil {
		return because(c.path+"/"+notifyDir, err)
	}
	if err := unix.Fchmodat(c.fd, notifyDir, 0o755, 0); err != nil { // whatever the umask
		return because(c.path+"/"+notifyDir, err)
	}
	if c.host.Files.Gate < 0 {
		if c.outlets.ready, err = c.listen(c.NotifySocket); err == nil {
			c.outlets.ready.warn = c.warn
		}
	}
	return err
}

// await is the end of a start whose container tells when it is ready: nobody
// else has to wait for that.
func (r *Runtime) await(c *container, ready *notifier) error {
	if ready == nil {
		return nil
	}
	pidfd, err := c.Process.open()
	if err != nil { // it has ended already
		return nil
	}
	defer unix.Close(pidfd)
	c.unlock()
	ready.warn = r.warn
	ready.wait(pidfd, c.Process.PID)
	return nil
}

// notifier waits for what a container has to say on its socket.
type notifier struct {
	socket int    // bound
	host   string // the service manager's socket
	warn   func(string)
}

// listen makes the container's socket; nil if it has no directory for one, or
// nobody wants to know.
func (d *dir) listen(host string) (*notifier, error) {
	if host == "" {
		return nil, nil
	}
	what := d.path + "/" + notifyDir + "/" + notifyFile
	place, err := unix.Openat(d.fd, notifyDir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, because(what, err)
	}
	defer unix.Close(place)
	unix.Unlinkat(place, notifyFile, 0) // of a start that failed
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, because(what, err)
	}
	err = unix.Bind(socket, &unix.SockaddrUnix{Name: fdPath(place) + "/" + notifyFile})
	if err == nil {
		err = unix.Fchmodat(place, notifyFile, 0o777, 0)
	}
	if err != nil {
		unix.Close(socket)
		return nil, because(what, err)
	}
	return &notifier{socket: socket, host: host}, nil
}

// close ends the waiting; what follows is the container's own affair.
func (n *notifier) close() {
	if n != nil && n.socket >= 0 {
		unix.Close(n.socket)
		n.socket = -1
	}
}

// wait returns when the container has said that it is ready, and the service
// manager knows that main is the service's process; or when the process of pidfd
// has ended.
func (n *notifier) wait(pidfd, main int) {
	if n == nil {
		return
	}
	defer n.close()
	for n.socket >= 0 {
		f := [...]unix.PollFd{{Fd: int32(n.socket), Events: unix.POLLIN}, {Fd: int32(pidfd), Events: unix.POLLIN}}
		if _, err := unix.Poll(f[:], -1); err != nil {
			continue // EINTR
		}
		if f[0].Revents != 0 {
			n.hear(main)
		} else if f[1].Revents != 0 {
			return
		}
	}
}

// hear takes one datagram. Of all that services say, only READY= is passed on.
func (n *notifier) hear(main int) {
	b := make([]byte, 4096)
	size, err := unix.Read(n.socket, b)
	if err != nil {
		return
	}
	for line := range bytes.SplitSeq(b[:size], []byte{'\n'}) {
		if !bytes.HasPrefix(line, []byte("READY=")) {
			continue
		}
		if err := tell(n.host, string(line), main); err != nil {
			n.warn("NOTIFY_SOCKET " + quote(n.host) + ": " + err.Error())
		}
		n.close()
		return
	}
}

// tell tells the service manager, and waits until it has heard all of it
// (sd_notify_barrier(3)): a caller that ends at once might else be unknown to it.
func tell(host, ready string, main int) error {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	if host[0] == '@' {
		err = unix.Connect(socket, &unix.SockaddrUnix{Name: host})
	} else {
		err = connect(socket, host)
	}
	if err != nil {
		return err
	}
	for _, words := range [...]string{ready + "\n", "MAINPID=" + strconv.Itoa(main) + "\n"} {
		if _, err := unix.Write(socket, []byte(words)); err != nil {
			return err
		}
	}
	return barrier(socket)
}

// barrier sends the end of a pipe, and waits until the other side closes it.
func barrier(socket int) error {
	const patience = 30_000 // milliseconds
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(pipe[0])
	err := give(socket, pipe[1], "BARRIER=1")
	unix.Close(pipe[1])
	if err != nil {
		return err
	}
	if !ended(pipe[0], patience) {
		return text("no answer to BARRIER=1")
	}
	return nil
}
