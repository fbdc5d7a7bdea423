package conformance

import (
	"encoding/json"
	"net"
	"os"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// agent gives a filter of the config's an agent, and what that gets: one state
// and the descriptors with it, and then the end.
func (b *box) agent(metadata string, names ...string) func() (s specs.ContainerProcessState, fds []*os.File) {
	b.Helper()
	path := b.path("agent")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	b.edit(set("linux.seccomp", specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, ListenerPath: path, ListenerMetadata: metadata,
		Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActNotify}},
	}))
	return func() (s specs.ContainerProcessState, fds []*os.File) {
		b.Helper()
		l.SetDeadline(time.Now().Add(10 * time.Second))
		c, err := l.AcceptUnix()
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		data, control := make([]byte, 1<<16), make([]byte, 4096)
		n, size, _, _, err := c.ReadMsgUnix(data, control)
		if err != nil {
			b.Fatal(err)
		}
		if more, _ := c.Read(make([]byte, 1)); more != 0 {
			b.Error("more than one message comes")
		}
		if err := json.Unmarshal(data[:n], &s); err != nil {
			b.Fatalf("%v: %s", err, data[:n])
		}
		messages, err := unix.ParseSocketControlMessage(control[:size])
		if err != nil || len(messages) != 1 {
			b.Fatal(messages, err)
		}
		numbers, err := unix.ParseUnixRights(&messages[0])
		if err != nil {
			b.Fatal(err)
		}
		for _, fd := range numbers {
			f := os.NewFile(uintptr(fd), specs.SeccompFdName)
			b.Cleanup(func() { f.Close() })
			fds = append(fds, f)
		}
		return s, fds
	}
}

// SC-10, SC-14, SC-15: whether it is started or not.
func TestAnAgentMeetsACreatedContainer(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	meets := b.agent(`a "metadata"`, "mkdir", "mkdirat")
	b.create()
	s, fds := meets()
	if len(fds) != 1 || len(s.Fds) != 1 || s.Fds[0] != specs.SeccompFdName {
		t.Errorf("%d descriptors, named %q", len(fds), s.Fds)
	}
	if pid := b.state().Pid; s.Pid != pid || s.State.Pid != pid || s.State.ID != b.id {
		t.Errorf("process %d of container %q with process %d, want %d of %q", s.Pid, s.State.ID, s.State.Pid, pid, b.id)
	}
	if s.State.Status != specs.StateCreating || s.Metadata != `a "metadata"` || s.Version == "" {
		t.Errorf("the agent is told %+v", s)
	}
	b.must("kill", b.id, "TERM")
	b.ends()
	b.must("delete", b.id)
	b.unknown()
}
