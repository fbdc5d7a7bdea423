package lifecycle

import (
	"encoding/binary"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// terminating are the signals whose default action ends a process (signal(7)):
// all but CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH, and KILL, which
// needs no help.
const terminating = ^uint64(0) &^ (1<<(unix.SIGCHLD-1) | 1<<(unix.SIGCONT-1) | 1<<(unix.SIGSTOP-1) | 1<<(unix.SIGTSTP-1) |
	1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1) | 1<<(unix.SIGURG-1) | 1<<(unix.SIGWINCH-1) | 1<<(unix.SIGKILL-1))

// heed blocks the signals that end a process, for the gate to wait for, before
// create has told anybody that the container exists: pid 1 of a namespace loses
// those that it doesn't handle. It gives the cell of the mask that was before.
// Behind a filter nothing could wait for them, nor bring that mask back: there
// the signals stay as they are, and kill sends another one (Record.Deaf).
func (c *compiler) heed() (before plan.Cell) {
	if c.host.Files.Gate < 0 || c.host.Files.Listener > 0 {
		return 0
	}
	c.At("runtime.md kill")
	set := c.Words(terminating)
	before = c.Buffer("sigmask", make([]byte, 8))
	c.Do(plan.RtSigprocmask, unix.SIG_BLOCK, set, before, 8)
	c.Do(plan.Signalfd4, -1, set, 8, unix.SFD_NONBLOCK|unix.SFD_CLOEXEC).To(c.register("signals"))
	return before
}

// gate waits until start opens it, or until a signal that ends a process comes.
// From here on failures are reported to the FIFO that start reads.
func (c *compiler) gate(before plan.Cell) {
	c.Gate = len(c.Steps)
	f := c.host.Files
	if f.Gate < 0 {
		return
	}
	c.At("runtime.md start")
	if f.Listener == 0 {
		c.listen()
	}
	c.Do(plan.Read, f.Gate, c.byteIn, 1)
	c.Do(plan.Close, f.Gate) // before the report's end tells that the program runs: nobody is to see a created container then
	if f.Listener == 0 {
		c.Do(plan.RtSigprocmask, unix.SIG_SETMASK, before, nil, 8)
	}
}

// listen waits until the gate can be read. A signal ends the stage instead.
func (c *compiler) listen() {
	f := c.host.Files
	const size = 128 // struct signalfd_siginfo
	signals, info := c.register("signals"), c.Buffer("siginfo", make([]byte, size))
	c.Do(plan.Dup3, f.Report, f.Sync, unix.O_CLOEXEC)
	poll := c.Buffer("poll", pollFDs(f.Gate))
	c.Do(plan.Test, signals).To(c.Within(poll, 8, "poll.signals"))
	c.Do(plan.Test, unix.POLLIN).To(c.Within(poll, 12, "poll.events"))
	c.Do(plan.Ppoll, poll, 2, nil, nil, 8)
	c.Do(plan.Read, signals, info, size).Tolerate(unix.EAGAIN).OnTolerated = 1
	c.Do(plan.ExitGroup, c.Within(info, 0, "siginfo.signo"))
}

// pollFDs are two struct pollfd: the gate's, and one for the signals that has
// no descriptor yet.
func pollFDs(gate int) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 24), uint32(gate))
	b = binary.LittleEndian.AppendUint32(b, unix.POLLIN)
	return append(b, make([]byte, 16)...)
}

// execute is the last chapter: what confines the process, and the user's program.
func (c *compiler) execute() {
	p := c.spec.Process
	if p == nil || len(p.Args) == 0 {
		c.At("process")
		c.Fail(unix.EINVAL)
		return
	}
	filtered := c.host.Files.Listener > 0 // since handOver
	if !filtered {
		c.limits(p)
		c.umask(p)
	}
	c.At("process.args[0]")
	argv, envp := c.Strings(p.Args), c.Strings(c.environment(p))
	c.Do(plan.Write, c.Report, "!", 1) // going
	if !filtered {
		c.seccomp(p)
	}
	c.At("process.args[0]")
	c.Do(plan.Execve, c.register("program"), argv, envp)
}
