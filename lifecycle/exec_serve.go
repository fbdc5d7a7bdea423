package lifecycle

import (
	"strconv"

	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// admit serves the stage until it is ready, and lets it go on then. A process
// that it bears is ours as well: nobody can make us believe in another one.
func (e *entrance) admit() error {
	e.phase("wait for the stage")
	b := make([]byte, 64)
	for born, ready := !e.plan.Births, false; !ready; {
		if err := e.hear(); err != nil {
			return err
		}
		n, err := e.out.receive(e.sync, b)
		if err != nil {
			return err
		}
		if r, ok := stage.ParseReport(b[:n]); ok {
			return e.plan.explain(e.spec, nil, r)
		}
		switch {
		case n == 4 && !born:
			if err := e.born(pidIn(b)); err != nil {
				return err
			}
			born = true
		case n == 1 && born && SyncKind(b[0]) == SyncListener && e.out.agent >= 0 && e.out.listener < 0:
			if e.out.listener, err = takeListener(e.pidfd, e.host.Files.Listener, e.sync); err == nil {
				err = e.acknowledge()
			}
			if err != nil {
				return err
			}
		case n == 1 && born && SyncKind(b[0]) == SyncReady:
			ready = true
		default:
			return e.lost()
		}
	}
	e.phase("settle")
	if err := e.attach(); err != nil {
		return err
	}
	if p := e.spec.Process; p.OOMScoreAdj != nil {
		name := "/proc/" + strconv.Itoa(e.pid) + "/oom_score_adj"
		if err := writeTo(name, strconv.Itoa(*p.OOMScoreAdj)); err != nil {
			return &pathError{"process.oomScoreAdj", strconv.Itoa(*p.OOMScoreAdj), err}
		}
	}
	if err := e.joinRdt(e.pid); err != nil {
		return err
	}
	if err := e.giveListener(e.out, e.spec, e.pid, specs.StateRunning); err != nil {
		return err
	}
	return e.acknowledge()
}

// born takes note of the process that the stage has borne; the stage has ended.
// Whoever can trace it could send us any number: only a child of ours is taken.
func (e *entrance) born(pid int) error {
	if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil {
		return text("the stage names a process that is not its own")
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return because("pidfd of process "+strconv.Itoa(pid), err)
	}
	wait(e.pid)
	unix.Close(e.pidfd)
	e.pid, e.pidfd = pid, fd
	e.options.Timing.bears(pid)
	return e.acknowledge()
}

// acknowledge lets the stage go on. If it has gone, its last words are still to
// be read.
func (e *entrance) acknowledge() error {
	if _, err := unix.Write(e.sync, []byte{1}); err != nil && err != unix.EPIPE {
		return because("the process has gone", err)
	}
	return nil
}

// witness waits until the program is executed: one byte tells that it is about
// to be, and end of file behind it that it was.
func (e *entrance) witness() error {
	e.phase("start")
	going := false
	for b := make([]byte, 64); ; {
		if err := e.hear(); err != nil {
			return err
		}
		n := receive(e.sync, b)
		if r, ok := stage.ParseReport(b[:n]); ok {
			return e.plan.explain(e.spec, nil, r)
		}
		switch {
		case n == 1 && b[0] == '!' && !going:
			going = true
		case n == 0 && going:
			e.options.Timing.stageEnded()
			return e.out.handOver(e.pidfd)
		case n == 0:
			return e.lost()
		}
	}
}

// lost tells what became of a process that ended without a word.
func (e *entrance) lost() error {
	unix.PidfdSendSignal(e.pidfd, unix.SIGKILL, nil, 0)
	ws := wait(e.pid)
	e.pid = 0
	if ws.Signaled() {
		return text("the process was killed before the program was executed, by signal " + strconv.Itoa(int(ws.Signal())))
	}
	return text("the process ended before the program was executed")
}
