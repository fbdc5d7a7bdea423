package stage

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// same runs a plan and compares what it left.
func same(t *testing.T, p *plan.Plan, want ran) {
	t.Helper()
	if d := cmp.Diff(want, run(t, p)); d != "" {
		t.Errorf("%s%s", p.Text(), d)
	}
}

// failed is what a stage leaves that fails at a step.
func failed(step int, errno unix.Errno) ran {
	return ran{Report: Report{Step: step, Errno: uint32(errno)}, Failed: true, Status: 127}
}

func TestAStageWritesAndExits(t *testing.T) {
	p := newPlan()
	p.Do(plan.Write, 1, "hello", 5)
	p.Do(plan.ExitGroup, 7)
	same(t, p, ran{Out: "hello", Status: 7})
}

func TestAFailureAtEachStepIsReportedWithItsNumberAndErrno(t *testing.T) {
	p := newPlan()
	for i := range 12 {
		p.Do(plan.Umask, i)
	}
	p.Do(plan.ExitGroup, 0)
	for step := range p.Steps {
		for _, errno := range []unix.Errno{1, unix.ENOSYS, 4094, 4095} {
			b := image(t, p)
			if err := Break(b, step, errno); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(failed(step, errno), runImage(t, sealed(t, b))); d != "" {
				t.Errorf("step %d, errno %d: %s", step, errno, d)
			}
		}
	}
}

func TestTheKernelsErrnoIsReported(t *testing.T) {
	p := newPlan()
	p.Do(plan.Umask, 0o22)
	p.Do(plan.Close, 99)
	p.Do(plan.ExitGroup, 0)
	same(t, p, failed(1, unix.EBADF))
}

// only the last 4095 values are errnos (errno(3), Linux's MAX_ERRNO).
func TestOnlyTheLast4095ValuesAreErrnos(t *testing.T) {
	for _, c := range []struct {
		result int64
		errno  unix.Errno // 0 where the result is none
	}{
		{0, 0}, {1, 0}, {4094, 0}, {4095, 0}, {4096, 0}, {math.MaxInt32, 0}, {math.MaxInt32 + 1, 0}, {math.MaxUint32, 0},
		{math.MaxInt64, 0}, {math.MinInt64, 0}, {math.MinInt32, 0}, {-4097, 0}, {-4096, 0},
		{-4095, 4095}, {-4094, 4094}, {-2, 2}, {-1, 1},
	} {
		p := newPlan()
		p.Do(plan.Test, uint64(c.result))
		p.Do(plan.ExitGroup, 0)
		want := ran{}
		if c.errno != 0 {
			want = failed(0, c.errno)
		}
		same(t, p, want)
	}
}

// Two values are compared, all 64 bits of them, wherever they come from.
func TestOfTwoEqualArgumentsTheTestIsZero(t *testing.T) {
	for _, c := range []struct {
		a, b  uint64
		equal bool
	}{{0, 0, true}, {11, 11, true}, {2, 11, false}, {1 << 40, 1 << 40, true}, {1 << 40, 0, false}, {1<<32 | 5, 5, false}} {
		p := newPlan()
		r := p.Register("r")
		p.Do(plan.Test, c.a).To(r)
		p.Do(plan.Test, r, c.b).Set(plan.IfZero).OnSuccess = 1
		p.Do(plan.ExitGroup, 1)
		p.Do(plan.ExitGroup, 0)
		want := ran{}
		if !c.equal {
			want.Status = 1
		}
		same(t, p, want)
	}
}

func TestEachPlaceOfAToleratedErrnoCounts(t *testing.T) {
	all := []unix.Errno{unix.EPERM, unix.EBADF, unix.EXDEV, 4095}
	for n := 1; n <= len(all); n++ {
		for _, errno := range append(all[:len(all):len(all)], unix.EINVAL) {
			p := newPlan()
			p.Do(plan.Test, -int(errno)).Tolerate(all[:n]...)
			p.Do(plan.Write, 1, "on", 2)
			p.Do(plan.ExitGroup, 0)
			want := failed(0, errno)
			for _, e := range all[:n] {
				if e == errno {
					want = ran{Out: "on"}
				}
			}
			same(t, p, want)
		}
	}
}

func TestAResultIsUsedByLaterSteps(t *testing.T) {
	p := newPlan()
	a, b := p.Register("a"), p.Register("b")
	p.Do(plan.Fcntl, 1, unix.F_DUPFD_CLOEXEC, 40).To(a)
	p.Do(plan.Fcntl, a, unix.F_DUPFD_CLOEXEC, 60).To(b)
	p.Do(plan.Write, b, "b", 1)
	p.Do(plan.Close, b)
	p.Do(plan.Write, a, "a", 1)
	p.Do(plan.ExitGroup, b)
	same(t, p, ran{Out: "ba", Status: 60})
}

func TestAWrongArgumentIsSeenInEachPosition(t *testing.T) {
	// prctl(2) refuses anything but 1, 0, 0, 0 here; that each argument of
	// other calls arrives is held by package stagetest.
	for wrong := 1; wrong < 5; wrong++ {
		p := newPlan()
		args := []any{unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0}
		args[wrong] = 2
		p.Do(plan.Prctl, args...)
		p.Do(plan.ExitGroup, 0)
		same(t, p, failed(0, unix.EINVAL))
	}
}

func TestConstantsKeepAll64Bits(t *testing.T) {
	for _, v := range []uint64{0, 1, math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32, 1 << 32, 0x0123456789abcdef, 1 << 63,
		uint64(1<<64 - 100), 1<<64 - 1<<31, 1<<64 - 1<<31 - 1, 1<<64 - 4096} {
		if int64(v) < 0 && int64(v) >= -4095 {
			continue // an errno, as a result
		}
		p := newPlan()
		pad, r := p.Register("pad"), p.Register("r")
		p.Do(plan.Test, uint64(0xfedcba9876543210)).To(pad) // another big one before it
		p.Do(plan.Test, v).To(r)
		p.Do(plan.Write, 1, plan.Cell(r), 8)
		p.Do(plan.ExitGroup, 0)
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], v)
		same(t, p, ran{Out: string(b[:])})
	}
}

func TestAResultIsStoredInsideABuffer(t *testing.T) {
	p := newPlan()
	buffer := p.Buffer("buffer", []byte("0123456789abcdefghij"))
	p.Do(plan.Test, uint64(0x4847464544434241)).To(p.Within(buffer, 5, "inside"))
	p.Do(plan.Write, 1, buffer, 20)
	p.Do(plan.ExitGroup, 0)
	same(t, p, ran{Out: "01234ABCDEFGHdefghij"})
}

func TestADescriptorThatAStepMadeIsSentInAControlMessage(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	p := newPlan()
	control := make([]byte, 24)
	binary.LittleEndian.PutUint64(control, 20)
	binary.LittleEndian.PutUint32(control[8:], unix.SOL_SOCKET)
	binary.LittleEndian.PutUint32(control[12:], unix.SCM_RIGHTS)
	c := p.Buffer("control", control)
	iov := p.Buffer("iov", append(make([]byte, 8), 2, 0, 0, 0, 0, 0, 0, 0))
	p.Point(iov, 0, "fd")
	header := make([]byte, 56)
	header[24], header[40] = 1, 24 // msg_iovlen, msg_controllen
	message := p.Buffer("message", header)
	p.Point(message, 16, iov)
	p.Point(message, 32, c)
	p.Do(plan.Openat, unix.AT_FDCWD, "/dev/null", unix.O_RDWR|unix.O_CLOEXEC).To(p.Within(c, 16, "null"))
	p.Do(plan.Sendmsg, 4, message, unix.MSG_NOSIGNAL)
	p.Do(plan.ExitGroup, 0)
	if d := cmp.Diff(ran{}, runImage(t, sealed(t, image(t, p)), uintptr(pair[1]))); d != "" {
		t.Fatalf("%s%s", p.Text(), d)
	}
	data, oob := make([]byte, 8), make([]byte, 64)
	n, on, _, _, err := unix.Recvmsg(pair[0], data, oob, unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
	if err != nil || string(data[:n]) != "fd" {
		t.Fatalf("received %q, error %v", data[:n], err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:on])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, error %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("descriptors %v, error %v", fds, err)
	}
	defer unix.Close(fds[0])
	var st unix.Stat_t
	if err := unix.Fstat(fds[0], &st); err != nil || st.Rdev != unix.Mkdev(1, 3) {
		t.Fatalf("not /dev/null: %+v, error %v", st, err)
	}
}

func TestDataBeyondAPageIsReached(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 20000)
	p := newPlan()
	big := p.Buffer("big", make([]byte, 200000))
	end := p.Within(big, 199992, "end")
	p.Do(plan.Write, 1, text, len(text))
	p.Do(plan.Test, uint64(0x1122334455667788)).To(end)
	p.Do(plan.Write, 1, plan.Cell(end), 8)
	p.Do(plan.ExitGroup, 0)
	same(t, p, ran{Out: text + "\x88\x77\x66\x55\x44\x33\x22\x11"})
}

func TestManyStepsAreWalked(t *testing.T) {
	for _, n := range []int{10000, plan.MaxSteps - 3} {
		p := newPlan()
		r := p.Register("r")
		for i := range n {
			p.Do(plan.Test, uint64(i)<<32).To(r)
		}
		p.Do(plan.Write, 1, plan.Cell(r), 8)
		p.Do(plan.Close, 99)
		p.Do(plan.ExitGroup, 0)
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], uint64(n-1)<<32)
		want := failed(n+1, unix.EBADF)
		want.Out = string(last[:])
		if d := cmp.Diff(want, run(t, p)); d != "" {
			t.Errorf("%d steps: %s", n, d)
		}
	}
}

func TestAJumpGoesAsFarAsAPlanCanBe(t *testing.T) {
	p := newPlan()
	p.Do(plan.Test, 1)
	for range plan.MaxSteps - 2 {
		p.Fail(unix.EIO)
	}
	p.JumpOnSuccess(0)
	p.Do(plan.ExitGroup, 9)
	if d := cmp.Diff(ran{Status: 9}, run(t, p)); d != "" {
		t.Error(d)
	}
}

// Each way out of a step, with each flag: which of the two writes that follow it are reached?
func TestJumps(t *testing.T) {
	const jump = "jump"
	for _, c := range []struct {
		name        string
		result      int
		flags       plan.Flag
		onSuccess   bool
		onTolerated bool
		want        string // "next", "jump", or "EPIPE"
	}{
		{"success goes on", 5, 0, false, false, "next"},
		{"zero is success", 0, 0, false, false, "next"},
		{"success jumps", 5, 0, true, false, jump},
		{"zero jumps as success", 0, 0, true, false, jump},
		{"success does not jump as tolerated", 5, 0, false, true, "next"},
		{"tolerated goes on", -9, 0, false, false, "next"},
		{"tolerated does not jump as success", -9, 0, true, false, "next"},
		{"tolerated jumps", -9, 0, false, true, jump},
		{"if zero, zero jumps", 0, plan.IfZero, true, false, jump},
		{"if zero, another result does not", 5, plan.IfZero, true, false, "next"},
		{"if zero, a big result does not", 1 << 32, plan.IfZero, true, false, "next"},
		{"if zero, tolerated jumps on its own", -9, plan.IfZero, false, true, jump},
		{"zero fails", 0, plan.ZeroFails, true, true, "EPIPE"},
		{"zero fails, another result goes on", 1, plan.ZeroFails, false, false, "next"},
		{"zero fails, another result jumps", 1, plan.ZeroFails, true, false, jump},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlan()
			p.Do(plan.Umask, 0) // not the first step: a report counts from the plan's beginning
			p.Do(plan.Test, c.result).Set(c.flags).Tolerate(unix.EBADF)
			p.Do(plan.Write, 1, "next", 4)
			p.Do(plan.ExitGroup, 1)
			if c.onSuccess {
				p.JumpOnSuccess(1)
			}
			if c.onTolerated {
				p.JumpOnTolerated(1)
			}
			p.Do(plan.Write, 1, jump, 4)
			p.Do(plan.ExitGroup, 2)
			want := map[string]ran{"next": {Out: "next", Status: 1}, jump: {Out: jump, Status: 2}, "EPIPE": failed(1, unix.EPIPE)}[c.want]
			same(t, p, want)
		})
	}
}

func TestAnErrnoIsKeptOnlyIfAskedFor(t *testing.T) {
	for _, c := range []struct {
		flag plan.Flag
		want uint64
	}{{0, 77}, {plan.KeepErrno, uint64(unix.EBADF)}} {
		p := newPlan()
		r := p.Register("r")
		p.Do(plan.Test, 77).To(r)
		p.Do(plan.Close, 99).To(r).Tolerate(unix.EBADF).Set(c.flag)
		p.Do(plan.ExitGroup, r)
		same(t, p, ran{Status: int(c.want)})
	}
}

func TestFailFailsEvenIfTolerated(t *testing.T) {
	p := newPlan()
	p.Do(plan.Umask, 0)
	p.Fail(unix.EXDEV).Tolerate(unix.EXDEV)
	same(t, p, failed(1, unix.EXDEV))
}

func TestBothSidesOfAForkGoTheirWay(t *testing.T) {
	p := newPlan()
	child := p.Register("child")
	p.Do(plan.Clone, int(unix.SIGCHLD), nil, nil, nil, nil).To(child).Set(plan.IfZero)
	p.Do(plan.ExitGroup, 3)
	p.JumpOnSuccess(0)
	p.Do(plan.Write, 1, "child ", 6)
	p.Do(plan.Write, 1, plan.Cell(child), 8)
	p.Do(plan.ExitGroup, 0)
	same(t, p, ran{Out: "child " + strings.Repeat("\x00", 8), Status: 3})
}

func TestAChildOfCloneParentIsTheCallersChild(t *testing.T) {
	p := newPlan()
	child := p.Register("child")
	p.Do(plan.Clone, unix.CLONE_PARENT|int(unix.SIGCHLD), nil, nil, nil, nil).To(child).Set(plan.IfZero)
	p.Do(plan.Write, 1, plan.Cell(child), 8)
	p.Do(plan.ExitGroup, 3)
	p.JumpOnSuccess(0)
	p.Do(plan.ExitGroup, 4)
	r := run(t, p)
	if r.Status != 3 || len(r.Out) != 8 {
		t.Fatalf("%+v", r)
	}
	if status := wait(t, int(binary.LittleEndian.Uint64([]byte(r.Out)))); status != 4 {
		t.Fatalf("the child's status is %d", status)
	}
}

func TestAStageSyncsOverASeqpacketSocket(t *testing.T) {
	for _, c := range []struct {
		answer bool
		want   ran
	}{{true, ran{Out: "!"}}, {false, failed(1, unix.EPIPE)}} {
		t.Run(fmt.Sprint("answered ", c.answer), func(t *testing.T) {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			p := newPlan()
			b := p.Buffer("answer", []byte{0})
			p.Do(plan.Write, 4, "?", 1)
			p.Do(plan.Read, 4, b, 1).Set(plan.ZeroFails)
			p.Do(plan.Write, 1, b, 1)
			p.Do(plan.ExitGroup, 0)
			fd := sealed(t, image(t, p))
			done := make(chan string, 1)
			go func() {
				got := make([]byte, 8)
				n, _ := unix.Read(pair[0], got)
				if c.answer {
					unix.Write(pair[0], []byte("!"))
				}
				unix.Close(pair[0])
				done <- string(got[:max(n, 0)])
			}()
			r := runImage(t, fd, uintptr(pair[1]))
			unix.Close(pair[1])
			if asked := <-done; asked != "?" {
				t.Errorf("the stage asked %q", asked)
			}
			if d := cmp.Diff(c.want, r); d != "" {
				t.Error(d)
			}
		})
	}
}
