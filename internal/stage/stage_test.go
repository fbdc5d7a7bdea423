package stage

import (
	"bytes"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// ran is what a stage left: what it wrote to descriptor 1, its report, and its exit status.
type ran struct {
	Out    string
	Report Report
	Failed bool
	Status int
}

func newPlan() *plan.Plan {
	a, _ := plan.ArchOf(runtime.GOARCH)
	return plan.New(a, 3)
}

// image makes the image of a plan that can be run.
func image(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	b, err := Image(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed gives a descriptor of an image that goes away with the test.
func sealed(t *testing.T, image []byte) int {
	t.Helper()
	fd, err := Seal(image, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func pipe(t *testing.T) (r, w int) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	return p[0], p[1]
}

// run runs a plan with pipes on descriptors 1 and 3, the report's.
func run(t *testing.T, p *plan.Plan) ran {
	t.Helper()
	return runImage(t, sealed(t, image(t, p)))
}

func runImage(t *testing.T, fd int, more ...uintptr) ran {
	t.Helper()
	out, outW := pipe(t)
	report, reportW := pipe(t)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	files := append([]uintptr{null.Fd(), uintptr(outW), null.Fd(), uintptr(reportW)}, more...)
	pr, err := Start(fd, []string{"stage"}, files, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(outW)
	unix.Close(reportW)
	defer unix.Close(pr.PIDFD)
	r := ran{Out: string(drain(out))}
	r.Report, r.Failed = ParseReport(drain(report))
	r.Status = wait(t, pr.PID)
	return r
}

// wait gives the exit status of a child that must not die of a signal.
func wait(t *testing.T, pid int) int {
	t.Helper()
	var ws syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err == nil {
			break
		} else if err != syscall.EINTR {
			t.Fatal(err)
		}
	}
	if ws.Signaled() {
		t.Fatalf("the stage died of signal %v", ws.Signal())
	}
	return ws.ExitStatus()
}

// drain reads to the end of file, and closes.
func drain(fd int) []byte {
	defer unix.Close(fd)
	var all bytes.Buffer
	b := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, b)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return all.Bytes()
		}
		all.Write(b[:n])
	}
}
