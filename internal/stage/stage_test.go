package stage

import (
	"bytes"
	"runtime"
	"syscall"
	"testing"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// ran is what a stage left: what it wrote to its report, and its exit status.
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

// run runs a plan with a pipe on descriptors 1 and 3, the report's.
func run(t *testing.T, p *plan.Plan) ran {
	t.Helper()
	image, err := Image(p)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := Seal(image, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var out, report [2]int
	for _, p := range []*[2]int{&out, &report} {
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
	pr, err := Start(fd, []string{"stage"}, []uintptr{0, uintptr(out[1]), 2, uintptr(report[1])}, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(out[1])
	unix.Close(report[1])
	defer unix.Close(pr.PIDFD)
	r := ran{Out: string(drain(out[0]))}
	r.Report, r.Failed = ParseReport(drain(report[0]))
	var ws syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pr.PID, &ws, 0, nil); err != syscall.EINTR {
			break
		}
	}
	r.Status = ws.ExitStatus()
	if ws.Signaled() {
		t.Fatalf("the stage died of signal %v", ws.Signal())
	}
	return r
}

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

func TestAStageWritesAndExits(t *testing.T) {
	p := newPlan()
	p.Do(plan.Write, 1, "hello", 5)
	p.Do(plan.ExitGroup, 7)
	if r := run(t, p); r.Out != "hello" || r.Failed || r.Status != 7 {
		t.Fatalf("%+v", r)
	}
}
