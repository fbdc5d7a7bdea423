package lifecycle

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// joiner starts hooks inside a container: by a small stage that joins the
// namespaces of the container's process.
type joiner struct {
	pidfd  int     // the container's process
	flags  uintptr // CLONE_NEW flags of the namespaces to join
	dir    string  // the hook's working directory, as the container sees it
	images string  // directory for the stage's image where memfds can't be run
}

// start starts a hook inside. The hook is born in the container's pid
// namespace only after the stage has left the host's namespaces and closed
// what is the host's (SEC-03).
func (j *joiner) start(h *specs.Hook, files []uintptr) (int, error) {
	const sync, target = 3, 4
	p := j.plan(h, sync, target)
	fd, err := seal(p, j.images)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	ours, theirs, err := socketPair()
	if err != nil {
		return 0, err
	}
	defer unix.Close(ours)
	proc, err := stage.Start(fd, []string{"minirt", "hook"}, append(files[:3:3], uintptr(theirs), uintptr(j.pidfd)), 0, -1)
	unix.Close(theirs)
	if err != nil {
		return 0, err
	}
	unix.Close(proc.PIDFD)
	pid := proc.PID
	b := make([]byte, 16)
	for {
		n := receive(ours, b)
		if n == 4 {
			wait(proc.PID) // the first has ended, its child goes on
			pid = pidIn(b)
			unix.Write(ours, []byte{1})
			continue
		}
		if r, ok := stage.ParseReport(b[:n]); ok {
			unix.Shutdown(ours, unix.SHUT_RDWR)
			wait(pid)
			waitGroup(proc.PID) // a child that was borne and not told of: it would keep the container's pid 1 from ending
			return 0, because(p.Sentence(r.Step), unix.Errno(r.Errno))
		}
		return pid, nil // end of file: the hook runs
	}
}

// plan is what the small stage does.
func (j *joiner) plan(h *specs.Hook, sync, target int) *plan.Plan {
	arch, _ := plan.ArchOf(runtime.GOARCH)
	p := plan.New(arch, sync)
	p.At("hooks")
	p.Do(plan.Setsid)
	p.Do(plan.Prctl, prSetDumpable, 0)
	if j.flags != 0 {
		p.Do(plan.Setns, target, int(j.flags))
	}
	p.Do(plan.Close, target)
	if j.flags&unix.CLONE_NEWUSER != 0 {
		becomeRoot(p)
	}
	p.Do(plan.Chdir, j.dir)
	p.Do(plan.CloseRange, 3, -1, closeRangeCloexec)
	if j.flags&(unix.CLONE_NEWPID|unix.CLONE_NEWTIME) != 0 {
		fork(p, sync)
		p.Do(plan.Read, sync, p.Buffer("byte", make([]byte, 8)), 1).Set(plan.ZeroFails)
		p.Do(plan.Setsid)
	}
	p.Do(plan.Execve, h.Path, p.Strings(hookArgs(h)), p.Strings(h.Env))
	return p
}

// socketPair makes a pair of sockets that keep records apart. Both are
// close-on-exec here. They have no name, so that nobody else can reach them
// (SEC-38); nor are their records made of what a config holds (SEC-10).
func socketPair() (ours, theirs int, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, -1, because("socketpair", err)
	}
	return p[0], p[1], nil
}

// receive reads one record; 0 at the end of file and on any error. A peer that
// ended before it read what we sent makes the first read fail with ECONNRESET;
// its last words come after that.
func receive(fd int, b []byte) int {
	for {
		n, err := unix.Read(fd, b)
		if err == unix.EINTR || err == unix.ECONNRESET {
			continue
		}
		return max(n, 0)
	}
}

func pidIn(b []byte) int {
	return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 | int(b[3])<<24
}

// insidePID is the process's number in its own pid namespace (proc(5), status, NSpid).
func insidePID(p Proc) int {
	b, err := readFile("/proc/"+strconv.Itoa(p.PID)+"/status", 1<<16)
	if err != nil {
		return p.PID
	}
	_, after, _ := strings.Cut(string(b), "\nNSpid:")
	line, _, _ := strings.Cut(after, "\n")
	numbers := strings.Fields(line)
	if len(numbers) == 0 {
		return p.PID
	}
	n, err := strconv.Atoi(numbers[len(numbers)-1])
	if err != nil {
		return p.PID
	}
	return n
}
