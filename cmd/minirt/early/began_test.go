package early_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheClockIsAskedBeforeGoBeginsOnlyForTiming(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for flag, want := range map[string]int{"--no-pivot=false": 0, "--timing=" + p.dir + "/timing": 2} {
		o, _ := p.traced("--root", p.root, "create", flag, "--bundle", "b", "web")
		if o.Status != 0 {
			t.Fatalf("%s: %+v", flag, o)
		}
		trace, _ := os.ReadFile(p.dir + "/trace")
		before, after, _ := strings.Cut(string(trace), "rt_sigaction(") // Go's start; Go itself asks without a system call
		if got := strings.Count(before, "clock_gettime("); got != want {
			t.Errorf("%s: the clock is asked %d times before Go, not %d", flag, got, want)
		}
		if asked := strings.Contains(after, "clock_gettime("); asked != (want > 0) {
			t.Errorf("%s: the clock is asked afterwards: %v", flag, asked)
		}
		p.must("delete", "--force", "web")
	}
}

// account is what a run of minirt took until it had told of it, as seen from
// outside and as it tells itself.
type account struct{ outside, inside time.Duration }

var lastLine = regexp.MustCompile(`\n +([0-9.]+)  in all; before the first instruction ([0-9.]+) of CPU time.*\n`)

// accounts runs minirt with --timing.
func (p *place) accounts(verb string, args ...string) (a account) {
	p.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		p.Fatal(err)
	}
	defer r.Close()
	defer w.Close() // and the container has it: there is no end of file to wait for
	argv := append([]string{p.minirt, "--root", p.root, verb, "--timing"}, args...)
	begin := time.Now()
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Dir: p.dir, Files: []uintptr{w.Fd(), w.Fd(), w.Fd()}})
	if err != nil {
		p.Fatal(err)
	}
	r.SetReadDeadline(begin.Add(10 * time.Second))
	var m [][]byte
	for text, n := make([]byte, 1<<16), 0; m == nil; m = lastLine.FindSubmatch(text[:n]) {
		more, err := r.Read(text[n:])
		if err != nil {
			p.Fatalf("%q: %v\n%s", argv, err, text[:n])
		}
		a.outside, n = time.Since(begin), n+more
	}
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		p.Fatal(err)
	}
	for _, s := range m[1:] {
		ms, err := strconv.ParseFloat(string(s), 64)
		if err != nil {
			p.Fatal(err)
		}
		a.inside += time.Duration(ms * 1e6)
	}
	return a
}

// What is missing is the caller's half of fork, and the telling. Of many tries the
// least counts: what --timing doesn't tell of would be missing from each. (The
// process's own end comes afterwards: 0.3 ms that nobody within it can know.)
func TestTheTimesAddUpToWhatTheCallerWaits(t *testing.T) {
	p := newPlace(t)
	var missing, outside time.Duration
	for i := range 25 {
		a := p.accounts("create", "--bundle", "b", "web")
		p.must("delete", "--force", "web")
		if a.inside > a.outside {
			t.Errorf("%v have been told of, and it took %v", a.inside, a.outside)
		}
		if i == 0 {
			missing, outside = a.outside-a.inside, a.outside
		}
		missing, outside = min(missing, a.outside-a.inside), min(outside, a.outside)
	}
	if t.Logf("%v of %v are missing", missing, outside); missing > outside/15 {
		t.Errorf("%v of %v haven't been told of", missing, outside)
	}
}
