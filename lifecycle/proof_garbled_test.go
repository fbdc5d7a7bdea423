package lifecycle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAGarbledStateIsSaidAndRemoved puts what no minirt has written in the
// place of a state: the verbs say so, in one line and without waiting, list goes
// on, and delete --force frees the id.
func TestAGarbledStateIsSaidAndRemoved(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"nothing":   fileOf(""),
		"truncated": fileOf(`{"ociVersion":"1.3.0","id":"web",`),
		"another":   fileOf(`[{"id":"web"}]`),
		"numbers":   fileOf(`{"ociVersion":1,"id":2}`),
		"zeros":     fileOf(strings.Repeat("\x00", 4096)),
		"a FIFO":    func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a link":    linkTo("/dev/zero"),
		"a loop":    linkTo("state.json"),
	} {
		t.Run(name, func(t *testing.T) {
			p := newProof(t, []byte(sleeper))
			if err := p.Create("web", p.options()); err != nil {
				t.Fatal(err)
			}
			s, err := p.State("web")
			if err != nil {
				t.Fatal(err)
			}
			state := filepath.Join(p.Root, "web", "state.json")
			err = os.Remove(state)
			if err == nil {
				err = spoil(state)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, verb := range [][]string{{"state", "web"}, {"kill", "web"}, {"delete", "web"}, {"ps", "web"}, {"pause", "web"}, {"exec", "web", "/bin/true"}} {
				c := p.verb(verb...)
				if verb[0] == "exec" && c.status == NotStarted {
					c.status = 1
				}
				oneLine(t, c, "state.json")
			}
			if c := p.verb("list"); c.status != 0 || strings.Count(c.stderr, "\n") != 1 || !strings.Contains(c.stderr, "state.json") {
				t.Errorf("list: %+v", c)
			}
			if c := p.verb("delete", "--force", "web"); c.status != 0 || strings.Count(c.stderr, "\n") > 1 {
				t.Errorf("delete --force: %+v", c)
			}
			if left := entries(p.Root); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
			unix.Kill(s.Pid, unix.SIGKILL) // nobody can know any more that it was the container's
			for i := 0; unix.Kill(s.Pid, 0) == nil && i < 1000; i++ {
				time.Sleep(time.Millisecond)
				reap()
			}
		})
	}
}
