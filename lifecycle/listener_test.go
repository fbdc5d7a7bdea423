package lifecycle

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// agent answers the calls of a filter: mkdirs fail with an errno that nobody
// else gives, others go on.
type agent struct {
	t     testing.TB
	fd    int
	calls atomic.Int32
}

// meets takes the listener of the next container, checks what is said of it,
// and answers from then on.
func (a *agent) meets(r *receiver, metadata string) (state specs.ContainerProcessState) {
	message, fd := r.message()
	a.fd = fd
	d := json.NewDecoder(strings.NewReader(message))
	d.DisallowUnknownFields()
	var known struct {
		specs.ContainerProcessState
		State map[string]any `json:"state"`
	}
	if err := d.Decode(&known); err != nil {
		a.t.Errorf("%v in %s", err, message)
	}
	if err := json.Unmarshal([]byte(message), &state); err != nil {
		a.t.Error(err)
	}
	if state.Version != Version || strings.Join(state.Fds, " ") != specs.SeccompFdName || state.Metadata != metadata ||
		state.Pid <= 0 || state.State.Pid != state.Pid || state.State.ID != "web" || state.State.Status != specs.StateCreating {
		a.t.Errorf("the agent was told %s", message)
	}
	go a.answer()
	return state
}

func (a *agent) answer() {
	const receive, send, goOn = 0xc0502100, 0xc0182101, 1
	refused := -int32(unix.EL3RST)
	for {
		var call [80]byte
		if _, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(a.fd), receive, uintptr(unsafe.Pointer(&call))); e != 0 {
			if e == unix.EINTR || e == unix.ENOENT {
				p := []unix.PollFd{{Fd: int32(a.fd), Events: unix.POLLIN}}
				if unix.Poll(p, 100); p[0].Revents&unix.POLLHUP == 0 {
					continue
				}
			}
			unix.Close(a.fd)
			return
		}
		a.calls.Add(1)
		var reply [24]byte
		copy(reply[:8], call[:8])
		if nr := int(int32(binary.LittleEndian.Uint32(call[16:]))); nr == unix.SYS_MKDIRAT || nr == 83 {
			binary.LittleEndian.PutUint32(reply[16:], uint32(refused))
		} else {
			reply[20] = goOn
		}
		unix.Syscall(unix.SYS_IOCTL, uintptr(a.fd), send, uintptr(unsafe.Pointer(&reply)))
	}
}

// newListening makes a place whose filter leaves calls to an agent.
func newListening(t testing.TB, calls ...string) (p *proof, r *receiver) {
	var config map[string]any
	p = newTerminalPlace(t, func(c map[string]any) {
		process(map[string]any{"terminal": false, "args": []string{"sh", "-c", "mkdir /x 2>&1; exec sleep 0"}})(c)
		config = c
	})
	r = newReceiver(t, p.dir, "agent")
	config["linux"].(map[string]any)["seccomp"] = map[string]any{
		"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": r.path, "listenerMetadata": "some \"meta\"",
		"syscalls": []any{map[string]any{"names": append(calls, "mkdir", "mkdirat"), "action": "SCMP_ACT_NOTIFY"}},
	}
	b, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	p.configure(b)
	return p, r
}

// SC-10, SC-14, SC-15; even calls that the process makes between its filter and
// its program may be the agent's to answer.
func TestAnAgentAnswersTheCallsOfAFilter(t *testing.T) {
	for _, calls := range [][]string{nil, {"read", "execve", "ppoll", "write", "close", "openat"}} {
		p, r := newListening(t, calls...)
		before := p.census()
		a := &agent{t: t}
		met := make(chan specs.ContainerProcessState, 1)
		go func() { met <- a.meets(r, `some "meta"`) }()
		c := start(t, append(p.minirt(), "run", "-b", p.bundle, "web")...).wait(t)
		if c.status != 0 || !strings.Contains(c.stdout, "Level 3 reset") {
			t.Errorf("run: exit status %d, %q, %s", c.status, c.stdout, c.stderr)
		}
		<-met

		a = &agent{t: t}
		go func() { met <- a.meets(r, `some "meta"`) }()
		if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
			t.Fatal(err)
		}
		state := <-met // of a container that nobody has started
		s, err := p.State("web")
		if err != nil || s.Status != specs.StateCreated || s.Pid != state.Pid {
			t.Errorf("%+v and %v; the agent was told of process %d", s, err, state.Pid)
		}
		if err := p.Start("web"); err != nil {
			t.Error(err)
		}
		p.ends("web")
		if a.calls.Load() == 0 {
			t.Error("the agent was not asked")
		}
		if err := p.Delete("web", false); err != nil {
			t.Error(err)
		}
		p.nothingLeft(before, "containers with an agent")
	}
}

// SC-11, SC-12.
func TestAnAgentThatIsNotThereIsAnErrorAndLeavesNothing(t *testing.T) {
	p, r := newListening(t)
	before := p.census()
	if err := os.Rename(r.path, r.path+"2"); err != nil {
		t.Fatal(err)
	}
	err := p.Create("web", CreateOptions{Bundle: p.bundle})
	if want := "linux.seccomp.listenerPath: " + strconv.Quote(r.path) + ": no such file or directory"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\ndoesn't say %q", err, want)
	}
	if err := os.Rename(r.path+"2", r.path); err != nil {
		t.Fatal(err)
	}
	r.hangUp()
	forget := func() { p.Delete("web", true) }
	err = hungUp(func() error {
		if c := start(t, append(p.minirt(), "run", "-b", p.bundle, "web")...).wait(t); c.status == 1 {
			return text(c.stderr)
		}
		return nil
	}, forget)
	if want := "linux.seccomp.listenerPath: send the listener: broken pipe"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v\ndoesn't say %q", err, want)
	}
	p.nothingLeft(before, "run with an agent that hangs up")
	err = hungUp(func() error { return p.Create("web", CreateOptions{Bundle: p.bundle}) }, forget)
	if err == nil || !strings.Contains(err.Error(), "send the listener: broken pipe") {
		t.Errorf("create: %v", err)
	}
	p.nothingLeft(before, "create with an agent that hangs up")
}

// serves lets an agent meet every container that comes, and answers for it what
// do says, with the listener: until the test's end.
func (r *receiver) serves(do func(listener int)) {
	go func() {
		for {
			c, _, err := unix.Accept4(r.fd, unix.SOCK_CLOEXEC)
			if err != nil {
				return
			}
			_, fd, err := receiveFD(c, make([]byte, 4096))
			unix.Close(c)
			if err == nil && fd >= 0 {
				go do(fd)
			}
		}
	}()
	r.t.Cleanup(func() { unix.Shutdown(r.fd, unix.SHUT_RDWR) })
}

// answers are those of an agent that does its work.
func answers(t testing.TB) func(listener int) {
	return func(listener int) { (&agent{t: t, fd: listener}).answer() }
}

// What a filter lets the stage do at its gate doesn't make it hear signals: kill
// ends it all the same.
func TestACreatedContainerWithAnAgentNeedNotBeStarted(t *testing.T) {
	p, r := newListening(t, "read", "write", "close")
	r.serves(answers(t))
	before := p.census()
	for name, end := range map[string]func() error{
		"delete":     func() error { return nil },
		"kill TERM":  func() error { return p.Kill("web", int(unix.SIGTERM), false) },
		"kill --all": func() error { return p.Kill("web", int(unix.SIGHUP), true) },
	} {
		if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
			t.Fatal(name, err)
		}
		if err := p.Kill("web", int(unix.SIGWINCH), false); err != nil {
			t.Error(name, err)
		}
		if s, err := p.State("web"); err != nil || s.Status != specs.StateCreated {
			t.Errorf("%s: %+v and %v after a signal that ends nothing", name, s, err)
		}
		if err := end(); err != nil {
			t.Error(name, err)
		}
		if name != "delete" {
			p.ends("web")
		}
		if err := p.Delete("web", false); err != nil {
			t.Error(name, err)
		}
		p.nothingLeft(before, "create and "+name)
	}
}

// The kernel answers ENOSYS for an agent that has gone.
func TestAnAgentThatDiesIsMissedByWhatAsksIt(t *testing.T) {
	p, r := newListening(t)
	r.serves(func(listener int) { unix.Close(listener) })
	before := p.census()
	if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
		t.Fatal(err)
	}
	if err := p.Start("web"); err != nil {
		t.Error(err)
	}
	p.ends("web")
	if err := p.Delete("web", false); err != nil {
		t.Error(err)
	}
	p.nothingLeft(before, "a program whose agent has gone")

	for _, call := range []string{"read", "write", "close", "execve"} { // the stage's own
		p, r := newListening(t, call)
		r.serves(func(listener int) { unix.Close(listener) })
		before := p.census()
		err := p.Create("web", CreateOptions{Bundle: p.bundle})
		if err == nil {
			err = p.Start("web")
			p.ends("web")
			if err := p.Delete("web", false); err != nil {
				t.Error(call, err)
			}
		} // else the agent was gone before create had ended: it has told, and undone all
		if err == nil || call == "execve" && !errors.Is(err, unix.ENOSYS) {
			t.Errorf("nobody answers %s: %v", call, err)
		}
		p.nothingLeft(before, "a container whose agent doesn't answer "+call)
	}
}

// TestNothingButStartWaitsForAnAgent lets the agent hold the stage up for ever.
func TestNothingButStartWaitsForAnAgent(t *testing.T) {
	p, r := newListening(t, "read", "write", "close")
	held := make(chan int, 1)
	r.serves(func(listener int) { held <- listener })
	before := p.census()
	for _, remove := range []func() error{
		func() error { return p.Delete("web", false) },
		func() error { return p.Kill("web", int(unix.SIGTERM), false) },
	} {
		if c := start(t, append(p.minirt(), "create", "-b", p.bundle, "web")...).wait(t); c.status != 0 {
			t.Fatal(c.stderr)
		}
		if s, err := p.State("web"); err != nil || s.Status != specs.StateCreated {
			t.Errorf("%+v and %v, want a created container", s, err)
		}
		if err := remove(); err != nil {
			t.Error(err)
		}
		if _, err := p.State("web"); err == nil {
			p.ends("web")
		}
		if err := p.Delete("web", true); err != nil {
			t.Error(err)
		}
		unix.Close(<-held)
		p.nothingLeft(before, "containers whose agent is silent")
	}
}

// TestEachStepToAnAgentFailsWithItsName does for a filter with a listener what
// TestEveryExample does for the examples.
func TestEachStepToAnAgentFailsWithItsName(t *testing.T) {
	p, r := newListening(t)
	r.serves(answers(t))
	plans := p.record()
	p.breakAll(t, plans, p.follow(t, plans))
}
