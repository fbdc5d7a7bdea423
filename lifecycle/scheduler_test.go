package lifecycle

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// The container's process may be a child of the one that had the rights to
// take a policy; SCHED_FLAG_RESET_ON_FORK must not rob it of what the config says.
func TestASecondBirthKeepsTheScheduler(t *testing.T) {
	config, err := os.ReadFile(examples + "/kernel-knobs/config.json") // a time namespace, SCHED_BATCH, nice 5, reset on fork
	if err != nil {
		t.Fatal(err)
	}
	p := newProof(t, config)
	if err := p.Create("web", CreateOptions{Bundle: p.bundle}); err != nil {
		t.Fatal(err)
	}
	s, err := p.State("web")
	if err != nil {
		t.Fatal(err)
	}
	a, err := unix.SchedGetAttr(s.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	if a.Policy != unix.SCHED_BATCH || a.Nice != 5 || a.Flags&unix.SCHED_FLAG_RESET_ON_FORK == 0 {
		t.Errorf("policy %d, nice %d, flags %#x", a.Policy, a.Nice, a.Flags)
	}
}
