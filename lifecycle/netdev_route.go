package lifecycle

import (
	"runtime"

	"github.com/minirt/minirt/internal/netdev"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// routeSocket has a small stage join a network namespace and send a route
// socket of it. ENOENT where the namespace has gone.
func (d *dir) routeSocket(path string) (*netdev.Socket, error) {
	const sync, target = 3, 4
	namespace, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(namespace)
	p := routePlan(sync, target)
	image, err := seal(p, d.path)
	if err != nil {
		return nil, err
	}
	defer unix.Close(image)
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer unix.Close(ours)
	proc, err := stage.Start(image, []string{"minirt", "route"}, []uintptr{none, none, none, uintptr(theirs), uintptr(namespace)}, 0, -1)
	unix.Close(theirs)
	if err != nil {
		return nil, err
	}
	unix.Close(proc.PIDFD)
	b := make([]byte, 16)
	n, fd := take(ours, b)
	wait(proc.PID)
	if r, ok := stage.ParseReport(b[:n]); ok {
		return nil, text(p.Sentence(r.Step) + ": " + unix.Errno(r.Errno).Error())
	}
	if fd < 0 {
		return nil, text("the stage sent no route socket")
	}
	return netdev.Adopt(fd), nil
}

func routePlan(sync, target int) *plan.Plan {
	arch, _ := plan.ArchOf(runtime.GOARCH)
	p := plan.New(arch, sync)
	p.At("linux.netDevices")
	socket := p.Register("socket")
	p.Do(plan.Setns, target, unix.CLONE_NEWNET)
	p.Do(plan.Socket, unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE).To(socket)
	sendFD(p, sync, socket, string(rune(SyncDevices)))
	p.Do(plan.ExitGroup, 0)
	return p
}
