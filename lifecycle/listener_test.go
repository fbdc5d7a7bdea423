package lifecycle

import (
	"encoding/binary"
	"encoding/json"
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

		if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
			t.Fatal(err)
		}
		s, err := p.State("web")
		if err != nil || s.Status != specs.StateCreated {
			t.Error(s, err)
		}
		a = &agent{t: t}
		go func() { met <- a.meets(r, `some "meta"`) }()
		if err := p.Start("web"); err != nil {
			t.Error(err)
		}
		if state := <-met; state.Pid != s.Pid {
			t.Errorf("the agent was told of process %d, not %d", state.Pid, s.Pid)
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
	err = hungUp(func() error {
		if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
			t.Fatal(err)
		}
		return p.Start("web")
	}, forget)
	if err == nil || !strings.Contains(err.Error(), "send the listener: broken pipe") {
		t.Errorf("start: %v", err)
	}
	p.ends("web")
	if err := p.Delete("web", false); err != nil {
		t.Error(err)
	}
	p.nothingLeft(before, "start with an agent that hangs up")
}
