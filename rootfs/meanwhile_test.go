package rootfs_test

import (
	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/rootfs"
	"golang.org/x/sys/unix"
)

// runMeanwhile runs a script that reads a line, which it gets when do is done.
func (b *box) runMeanwhile(script string, do func()) *result {
	b.t.Helper()
	points, err := b.look()
	must(b.t, err)
	defer points.Close()
	defer func() { must(b.t, mountpoint.Remove(b.root, points.Missing())) }()
	p := newPlan()
	rootfs.Pivot(p, b.spec, &b.facts, rootfs.Enter(p, b.spec, &b.facts))
	argv, env := p.Strings([]string{"sh", "-c", script}), p.Strings(nil)
	p.Do(plan.Write, 4, "r", 1)
	p.Do(plan.CloseRange, 3, -1, unix.CLOSE_RANGE_CLOEXEC)
	p.Do(plan.Execve, "/bin/busybox", argv, env)
	image, err := stage.Image(p)
	must(b.t, err)
	fd, err := stage.Seal(image, b.t.TempDir())
	must(b.t, err)
	defer unix.Close(fd)
	var in, out, report, ready [2]int
	for _, p := range []*[2]int{&in, &out, &report, &ready} {
		must(b.t, unix.Pipe2(p[:], unix.O_CLOEXEC))
	}
	pr, err := stage.Start(fd, []string{"stage"}, []uintptr{uintptr(in[0]), uintptr(out[1]), uintptr(out[1]), uintptr(report[1]), uintptr(ready[1])}, b.namespaces, -1)
	must(b.t, err)
	for _, fd := range []int{in[0], out[1], report[1], ready[1]} {
		unix.Close(fd)
	}
	one := make([]byte, 1)
	unix.Read(ready[0], one)
	unix.Close(ready[0])
	do()
	unix.Write(in[1], []byte("x\n"))
	unix.Close(in[1])
	r := &result{out: string(drain(out[0]))}
	if rep, ok := stage.ParseReport(drain(report[0])); ok {
		r.failed, r.errno = p.Line(rep.Step), unix.Errno(rep.Errno)
	}
	var ws unix.WaitStatus
	unix.Wait4(pr.PID, &ws, 0, nil)
	unix.Close(pr.PIDFD)
	return r
}
