package lifecycle

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// Parameters are read in the container's namespaces, of which the host has others;
// a value that has the length of a stage's report is a value.
func TestParametersAreThoseOfTheContainersNamespaces(t *testing.T) {
	for name, user := range map[string]bool{"with the host's user namespace": false, "with its own": true} {
		t.Run(name, func(t *testing.T) {
			p := newHost(t, func(c map[string]any) {
				c["hostname"] = "seven77"
				linux := c["linux"].(map[string]any)
				linux["sysctl"] = map[string]string{"kernel.shmmni": "77", "net.ipv4.ip_default_ttl": "33"}
				if user {
					linux["namespaces"] = append(linux["namespaces"].([]any), map[string]any{"type": "user"})
					ids := []any{map[string]any{"containerID": 0, "hostID": 100000, "size": 65536}}
					linux["uidMappings"], linux["gidMappings"] = ids, ids
				}
			})
			s, err := p.Inspect("web")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			paths := []string{"kernel/hostname", "kernel/shmmni", "kernel/no_such", "net/ipv4/ip_default_ttl", "net/ipv4/route/flush"}
			got, err := s.Parameters(paths)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"kernel/hostname": "seven77\n", "kernel/shmmni": "77\n", "net/ipv4/ip_default_ttl": "33\n"}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if none, err := s.Parameters(nil); err != nil || none != nil {
				t.Errorf("of none: %v, %v", none, err)
			}
			if err := p.Kill("web", int(unix.SIGKILL), false); err != nil {
				t.Fatal(err)
			}
			p.ends("web")
			if !ended(s.PIDFD, 0) {
				t.Error("the process lives on")
			}
			if got, err := s.Parameters(paths); err == nil {
				t.Errorf("of a process that has ended: %v", got)
			}
			if _, err := p.Inspect("web"); !errors.Is(err, ErrNotRunning) {
				t.Errorf("a stopped container: %v", err)
			}
		})
	}
}

// A process that has another's number is no subject.
func TestInspectTakesNoOtherProcessForTheContainers(t *testing.T) {
	p := newHost(t, nil)
	c, err := p.load("web")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	real := c.Process
	c.Process.PID = unix.Getpid() // of another birth
	if err := c.write(c.Record); err != nil {
		t.Fatal(err)
	}
	if s, err := p.Inspect("web"); err == nil {
		t.Errorf("a process of ours is explained: %d", s.Pid)
	}
	c.Process = real
	if err := c.write(c.Record); err != nil {
		t.Fatal(err)
	}
}
