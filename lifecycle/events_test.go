package lifecycle

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hungry is a shell that waits, and then needs more memory than there is, as
// often as told; one of its children is killed for it each time.
const hungry = `sleep 1; for i in $TIMES; do sh -c 'x=a; while :; do x=$x$x; done'; done; sleep 0.3`

func hungryHost(t *testing.T, times string, args ...string) *proof {
	t.Helper()
	p := newHost(t, func(c map[string]any) {
		c["process"].(map[string]any)["args"] = append([]string{"sh", "-c"}, args...)
		c["process"].(map[string]any)["env"] = []string{"PATH=/bin", "TIMES=" + times}
		c["linux"].(map[string]any)["resources"] = map[string]any{"memory": map[string]any{"limit": 8 << 20, "swap": 8 << 20}}
	})
	if w, err := watchOf(p); err != nil || w == nil {
		p.clear()
		t.Skip("the host has no memory controller: ", err)
	} else {
		w.Close()
	}
	return p
}

func watchOf(p *proof) (interface{ Close() }, error) {
	c, err := p.load("web")
	if err != nil {
		return nil, err
	}
	defer c.close()
	o, err := c.group().WatchOOM()
	if o == nil {
		return nil, err
	}
	return o, err
}

func TestEventsTellOfMemoryThatRunsOutAndEndWithTheContainer(t *testing.T) {
	for name, c := range map[string]struct {
		program string
		times   string
		want    int
	}{
		"children":      {hungry, "1 2", 2},
		"the container": {`sleep 1; x=a; while :; do x=$x$x; done`, "", 1},
		"nothing":       {`sleep 1`, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := hungryHost(t, c.times, c.program)
			ooms, others := 0, 0
			begin := time.Now()
			err := p.Events("web", time.Hour, -1, func(line []byte) error {
				switch {
				case string(line) == `{"type":"oom","id":"web"}`+"\n":
					ooms++
				case strings.HasPrefix(string(line), `{"type":"stats","id":"web","data":{"cpu":{`) && strings.HasSuffix(string(line), "}}\n"):
					others++
				default:
					t.Errorf("%s", line)
				}
				return nil
			})
			if err != nil || ooms != c.want || others != 1 {
				t.Errorf("%d times out of memory, not %d; %d lines of figures, not 1; %v", ooms, c.want, others, err)
			}
			if d := time.Since(begin); d > 20*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

func TestEventsEndWithTheirReaderOrTheFirstErrorAndWithASignal(t *testing.T) {
	p := newHost(t, nil)
	broken := errors.New("broken")
	if err := p.Events("web", time.Hour, -1, func([]byte) error { return broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := p.Events("web", time.Hour, int(w.Fd()), func([]byte) error { return r.Close() }); err != nil {
		t.Error(err)
	}
	for name, end := range map[string]func(c *exec.Cmd, out io.Closer){
		"SIGINT": func(c *exec.Cmd, _ io.Closer) { c.Process.Signal(unix.SIGINT) },
		"reader": func(_ *exec.Cmd, out io.Closer) { out.Close() },
	} {
		p.ended(t, name, end)
	}
	p.ended(t, "delete", func(*exec.Cmd, io.Closer) {
		if err := p.Delete("web", true); err != nil {
			t.Error(err)
		}
	})
	if err := p.Events("web", time.Hour, -1, nil); !errors.Is(err, ErrNotExist) {
		t.Error(err)
	}
}

// ended runs the program's events until they have said something, ends them so,
// and waits.
func (p *proof) ended(t *testing.T, name string, end func(c *exec.Cmd, out io.Closer)) {
	t.Helper()
	args := append(p.minirt(), "events", "--interval", "1h", "web")
	c := exec.Command(args[0], args[1:]...)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Error(err)
	}
	end(c, out)
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Errorf("%s: it goes on", name)
		c.Process.Kill()
		<-done
	}
}
