package stage

import (
	"strconv"
	"syscall"
	"testing"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// typical makes a plan of 300 steps such as a container's: a third of them
// mounts something that the kernel refuses at once, so that the stage's own
// cost is what is measured.
func typical() *plan.Plan {
	p := newPlan()
	how := p.How(unix.O_PATH|unix.O_NOFOLLOW, 0, unix.RESOLVE_IN_ROOT|unix.RESOLVE_NO_MAGICLINKS)
	target := p.Register("target")
	p.Do(plan.Test, 98).To(target)
	for i := range 99 {
		p.At("mounts[" + strconv.Itoa(i) + "]")
		p.Do(plan.Openat2, 99, "usr/share/zoneinfo", how, plan.HowSize).To(target).Tolerate(unix.EBADF)
		p.Do(plan.MoveMount, 99, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH).Tolerate(unix.EBADF)
		p.Do(plan.Close, target).Tolerate(unix.EBADF)
	}
	p.Do(plan.Close, 99).Tolerate(unix.EBADF)
	p.Do(plan.ExitGroup, 0)
	return p
}

func BenchmarkPlan(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		typical()
	}
}

func BenchmarkImage(b *testing.B) {
	p := typical()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Image(p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	image, err := Image(typical())
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	b.ReportAllocs()
	for b.Loop() {
		fd, err := Seal(image, dir)
		if err != nil {
			b.Fatal(err)
		}
		unix.Close(fd)
	}
}

// tests makes a plan of n steps that make no system call: the interpreter alone.
func tests(n int) *plan.Plan {
	p := newPlan()
	r := p.Register("r")
	for i := range n {
		p.Do(plan.Test, i, r, r, r, r, r).To(r)
	}
	p.Do(plan.ExitGroup, 0)
	return p
}

// BenchmarkStart runs a sealed image from its start to the end of its process.
func BenchmarkStart(b *testing.B) {
	for _, steps := range []struct {
		name string
		plan *plan.Plan
	}{{"300 calls", typical()}, {"300 tests", tests(300)}, {"60000 tests", tests(plan.MaxSteps - 1)}, {"1 step", tests(0)}} {
		b.Run(steps.name, func(b *testing.B) {
			image, err := Image(steps.plan)
			if err != nil {
				b.Fatal(err)
			}
			fd, err := Seal(image, b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer unix.Close(fd)
			b.ReportAllocs()
			for b.Loop() {
				pr, err := Start(fd, []string{"stage"}, []uintptr{0, 1, 2, 2}, 0, -1)
				if err != nil {
					b.Fatal(err)
				}
				unix.Close(pr.PIDFD)
				var ws syscall.WaitStatus
				if _, err := syscall.Wait4(pr.PID, &ws, 0, nil); err != nil || ws != 0 {
					b.Fatal(err, ws)
				}
			}
		})
	}
}
