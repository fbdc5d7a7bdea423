package lifecycle

import (
	"runtime"
	"sync/atomic"
	"syscall"

	"github.com/minirt/minirt/internal/listener"
	"github.com/minirt/minirt/internal/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Denials are the calls that the seccomp profile of a container has refused:
// Run collects them where RunOptions.Denials is set. The filter is the profile's
// own, but for what it returns: each refusal is left to a listener, which Run
// holds. So the same calls are refused, and Run knows of them and answers them
// as the profile does.
type Denials struct {
	List       []Denial // in the order of their first calls
	Others     uint64   // calls that List has no room for
	Unfiltered bool     // config.json has no filter
	Traced     bool     // the program has come as far as its filter
}

// A Denial is a call that a process has made, perhaps often.
type Denial struct {
	Call    string     // its name, "" if it has none
	Number  uint32     // of the call, in ABI
	ABI     specs.Arch // "" where seccomp's tables have none for it
	PID     int        // of the process, on the host
	Program string     // the thread's name: comm of proc(5)
	Args    [6]uint64  // of the first such call
	Paths   [6]string  // what those of them that are paths point at; "" for others
	Count   uint64
	Action  string // what the profile says: "ERRNO EPERM"
	Rule    string // where it says so: "linux.seccomp.syscalls[3]"
	When    string // what the rule asks of the arguments, "" for nothing
	Newest  string // the call is newer than this one, the newest that the profile names; "" where that isn't the reason
	Remedy  Remedy
}

// tracer answers the refused calls of a container.
type tracer struct {
	*Denials
	profile  *specs.LinuxSeccomp
	filter   *seccomp.Explanation // as config.json has it
	kinds    map[kind]int         // places in List
	listener int
	wake     int           // eventfd(2): time to end
	done     chan struct{} // closed at the end
	main     int           // the container's process
	stages   []stageCall   // that are still to come before the program
	ended    atomic.Bool   // the container's process was ended for what it called
}

// traces refuses what can't be traced, before anything is made. It gives the
// flags that the filter needs beside its own, 0 if there is nothing to trace.
func (o *CreateOptions) traces(s *specs.Spec) (flags uint32, err error) {
	if o.denials == nil {
		return 0, nil
	}
	if s.Process == nil || s.Linux == nil || s.Linux.Seccomp == nil {
		o.denials.Unfiltered = true
		return 0, nil
	}
	if notifies(s.Linux.Seccomp) {
		return 0, &pathError{"linux.seccomp", "trace what it refuses", text("some calls go to an agent already (SCMP_ACT_NOTIFY), and a process can have one listener only")}
	}
	if why := cantListen(); why != "" {
		return 0, &pathError{"linux.seccomp", "trace what it refuses", text(why)}
	}
	flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	if knowsFilterFlag(unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) { // Linux 5.19: signals don't interrupt a call that is being answered
		flags |= unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	}
	return flags, nil
}

// knowsFilterFlag asks the kernel in the way that seccomp(2) names: EFAULT means yes.
func knowsFilterFlag(flags uint32) bool {
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flags|unix.SECCOMP_FILTER_FLAG_NEW_LISTENER), 0)
	return errno == unix.EFAULT
}

// noticed is the filter with every refusal left to a listener.
func noticed(f *seccomp.Filter, flags uint32) *seccomp.Filter {
	n := &seccomp.Filter{Flags: f.Flags | flags, Notify: true, Instructions: make([]seccomp.Instruction, len(f.Instructions))}
	copy(n.Instructions, f.Instructions)
	if n.Flags&unix.SECCOMP_FILTER_FLAG_TSYNC != 0 {
		n.Flags |= unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH
	}
	for i := range n.Instructions {
		if in := &n.Instructions[i]; in.Code == unix.BPF_RET|unix.BPF_K && refusal(in.K) {
			in.K = unix.SECCOMP_RET_USER_NOTIF
		}
	}
	return n
}

// refusal tells whether a filter that returns this refuses the call by itself.
func refusal(value uint32) bool {
	switch value & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_TRACE, unix.SECCOMP_RET_USER_NOTIF:
		return false
	}
	return true
}

// stageCall is a call that the stage makes behind its filter: on a descriptor,
// of so many bytes, so often.
type stageCall struct{ number, fd, size, left int }

// trace answers from now on what the stage's filter refuses.
func (c *creation) trace(fd int) error {
	x, _, err := seccomp.Explain(c.spec.Linux.Seccomp, runtime.GOARCH)
	if err != nil {
		unix.Close(fd)
		return err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(fd)
		return because("eventfd", err)
	}
	c.tracer = &tracer{
		Denials: c.options.denials, profile: c.spec.Linux.Seccomp, filter: x, kinds: make(map[kind]int), listener: fd, wake: wake,
		done: make(chan struct{}), main: c.Process.PID,
		stages: []stageCall{
			{unix.SYS_READ, c.host.Files.Sync, 1, 2}, {unix.SYS_WRITE, c.host.Files.Sync, 1, 2}, {unix.SYS_CLOSE, c.host.Files.Listener, 0, 1},
		},
	}
	c.undo.add(func() error { c.tracer.stop(); return nil })
	c.tracer.Traced = true
	go c.tracer.serve()
	return nil
}

// stop ends the answers. Who is still under the filter gets ENOSYS from now on.
func (t *tracer) stop() {
	if t == nil || t.listener < 0 {
		return
	}
	unix.Write(t.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-t.done
	unix.Close(t.listener)
	unix.Close(t.wake)
	t.listener = -1
}

// status is the exit status of the container's process. Where SIGSYS can't end
// it, SIGKILL has, in its name.
func (t *tracer) status(ws syscall.WaitStatus) int {
	switch {
	case !ws.Signaled():
		return ws.ExitStatus()
	case t != nil && ws.Signal() == unix.SIGKILL && t.ended.Load():
		return 128 + int(unix.SIGSYS)
	}
	return 128 + int(ws.Signal())
}

// serve answers until all that the filter holds have gone, or until stop.
func (t *tracer) serve() {
	defer close(t.done)
	f := []unix.PollFd{{Fd: int32(t.listener), Events: unix.POLLIN}, {Fd: int32(t.wake), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(f, -1)
		switch {
		case err == unix.EINTR:
		case err != nil || f[1].Revents != 0 || f[0].Revents&unix.POLLIN == 0:
			return
		default:
			if n, err := listener.Receive(t.listener); err == nil {
				t.answer(&n)
			}
		}
	}
}
