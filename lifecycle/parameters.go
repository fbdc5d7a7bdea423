package lifecycle

import (
	"encoding/binary"
	"runtime"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// inParameters are the namespaces whose kernel parameters can be read by a
// process that stays in the host's pid and mount namespace.
const inParameters = unix.CLONE_NEWUSER | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET

// longest is how much of a parameter is read.
const longest = 4096

// Parameters reads kernel parameters, as paths below /proc/sys, as they are in
// the container's namespaces. It gives those that could be read. /proc/sys shows
// each reader his own namespaces, so a small stage joins the container's: it
// stays at the host's root and in the host's pid namespace, can't be looked
// into (SEC-36), and touches nothing of the container's.
func (s *Subject) Parameters(paths []string) (values map[string]string, err error) {
	if len(paths) == 0 {
		return nil, nil
	}
	flags := uintptr(0)
	for _, n := range namespacesIn(inParameters) {
		same, err := sharedNamespace(s.Pid, n.File)
		if err != nil {
			return nil, err
		}
		if !same {
			flags |= uintptr(n.Flag)
		}
	}
	const sync, target = 3, 4
	p := parametersPlan(paths, flags, sync, target)
	fd, err := seal(p, s.images)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer unix.Close(ours)
	born, err := stage.Start(fd, []string{"minirt", "explain"}, []uintptr{0, 1, 2, uintptr(theirs), uintptr(s.PIDFD)}, 0, -1)
	unix.Close(theirs)
	if err != nil {
		return nil, because("start the stage", err)
	}
	defer unix.Close(born.PIDFD)
	defer wait(born.PID)
	return hearParameters(ours, p, paths)
}

// hearParameters takes what the stage says: two bytes that tell which parameter,
// and then its value, whatever that looks like.
func hearParameters(sync int, p *plan.Plan, paths []string) (map[string]string, error) {
	values := make(map[string]string, len(paths))
	b := make([]byte, longest)
	for {
		n := receive(sync, b)
		if r, failed := stage.ParseReport(b[:n]); failed {
			return nil, because(p.Sentence(r.Step), unix.Errno(r.Errno))
		}
		if n != 2 {
			return values, nil
		}
		i := int(binary.LittleEndian.Uint16(b))
		if n = receive(sync, b); n > 0 && i < len(paths) {
			values[paths[i]] = string(b[:n])
		}
	}
}

// parametersPlan is what the stage does. A parameter that isn't there, or that
// may not be read, is passed over.
func parametersPlan(paths []string, flags uintptr, sync, target int) *plan.Plan {
	arch, _ := plan.ArchOf(runtime.GOARCH)
	p := plan.New(arch, sync)
	p.At("linux.sysctl")
	p.Do(plan.Prctl, prSetDumpable, 0)
	for fd := range 3 {
		p.Do(plan.Close, fd).Tolerate(unix.EBADF)
	}
	if flags != 0 {
		p.Do(plan.Setns, target, int(flags))
	}
	p.Do(plan.Close, target)
	if flags&unix.CLONE_NEWUSER != 0 {
		becomeRoot(p)
	}
	file, n, value := p.Register("file"), p.Register("n"), p.Buffer("value", make([]byte, longest))
	for i, path := range paths {
		p.Do(plan.Openat, unix.AT_FDCWD, "/proc/sys/"+path, unix.O_RDONLY|unix.O_CLOEXEC, 0).To(file).Tolerate(unix.ENOENT, unix.EACCES, unix.EPERM, unix.ENOTDIR)
		opened := p.Last()
		p.Do(plan.Read, file, value, longest).To(n).Tolerate(unix.EACCES, unix.EPERM, unix.EINVAL, unix.EIO)
		read := p.Last()
		p.Do(plan.Test, n).Set(plan.IfZero)
		full := p.Last()
		p.Do(plan.Write, sync, p.Bytes(binary.LittleEndian.AppendUint16(nil, uint16(i))), 2)
		p.Do(plan.Write, sync, value, n)
		p.JumpOnSuccess(full)
		p.JumpOnTolerated(read)
		p.Do(plan.Close, file)
		p.JumpOnTolerated(opened)
	}
	p.Do(plan.ExitGroup, 0)
	return p
}
