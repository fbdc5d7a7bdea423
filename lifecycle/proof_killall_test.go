package lifecycle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKillAllReachesEveryProcess signals a container without a pid namespace:
// kill ends its first process alone, kill --all those that it has borne, too.
// (KILL without --all reaches all of them: nothing of the container could end them later.)
func TestKillAllReachesEveryProcess(t *testing.T) {
	config := strings.Replace(sleeper, `{"type": "pid"}, `, "", 1)
	config = strings.Replace(config, `["sleep", "600"]`, `["sh", "-c", "sleep 601 & sleep 602 & exec sleep 600"]`, 1)
	for _, c := range []struct {
		args []string
		left int
	}{{[]string{"kill", "web", "TERM"}, 2}, {[]string{"kill", "--all", "web", "TERM"}, 0}} {
		p := newProof(t, []byte(config))
		if err := p.Create("web", p.options()); err != nil {
			t.Fatal(err)
		}
		if err := p.Start("web"); err != nil {
			t.Fatal(err)
		}
		p.counts(3)
		if got := p.verb(c.args...); got.status != 0 || got.stderr != "" {
			t.Errorf("%q: %+v", c.args, got)
		}
		p.counts(c.left)
		if err := p.Delete("web", true); err != nil {
			t.Error(err)
		}
	}
}

// counts waits until so many processes are in the container's cgroup.
func (p *proof) counts(want int) {
	p.t.Helper()
	n := 0
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		reap()
		n = 0
		for _, h := range hierarchies() {
			b, _ := os.ReadFile(filepath.Join(h+p.cgroup, "web", "cgroup.procs"))
			n = max(n, len(strings.Fields(string(b))))
		}
		if n == want {
			return
		}
	}
	p.t.Errorf("%d processes, want %d", n, want)
}
