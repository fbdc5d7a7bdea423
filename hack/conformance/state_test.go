package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// document checks that a state document is one (runtime.md, State): UTF-8,
// no member twice, the required ones there and of their kind.
func document(t *testing.T, text string) *specs.State {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("not UTF-8: %q", text)
	}
	d := json.NewDecoder(strings.NewReader(text))
	if err := noRepeats(d); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("something follows the document: %s", text)
	}
	s := new(specs.State)
	strict := json.NewDecoder(strings.NewReader(text))
	if err := strict.Decode(s); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if !regexp.MustCompile(`^1\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`).MatchString(s.Version) {
		t.Errorf("ociVersion %q is no SemVer 2.0.0", s.Version)
	}
	switch s.Status {
	case "creating", "created", "running", "stopped", "paused":
	default:
		t.Errorf("status %q", s.Status)
	}
	if s.ID == "" || !strings.HasPrefix(s.Bundle, "/") {
		t.Errorf("id %q, bundle %q", s.ID, s.Bundle)
	}
	if (s.Status == "created" || s.Status == "running") && s.Pid <= 0 {
		t.Errorf("pid %d of a container that is %s", s.Pid, s.Status)
	}
	return s
}

// noRepeats reads one value and finds an object with the same name twice.
func noRepeats(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if names[fmt.Sprint(name)] {
				return fmt.Errorf("%q stands twice", name)
			}
			names[fmt.Sprint(name)] = true
		}
		if err := noRepeats(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// ST-01, ST-02, ST-05, ST-06, ST-07, ST-08, LC-08
func TestStateTellsTheTruthInEveryPhase(t *testing.T) {
	t.Parallel()
	notes := map[string]string{"quote": `a"b\`, "line": "\u2028\u2029\n", "emoji": "🦊", "empty": "", "control": "\x01", "slash/key.of": "</script>"}
	b := newBox(t, shell(waiting), set("annotations", notes))
	check := func(want specs.ContainerState) {
		t.Helper()
		s := document(t, b.must("state", b.id))
		same(t, "the state", s, &specs.State{Version: s.Version, ID: b.id, Status: want, Pid: s.Pid, Bundle: b.dir, Annotations: notes})
		if ours && s.Version != "1.3.0" {
			t.Errorf("ociVersion %q", s.Version)
		}
		if want == specs.StateStopped {
			return
		}
		for line := range strings.Lines(contents(fmt.Sprintf("/proc/%d/status", s.Pid))) {
			if rest, ok := strings.CutPrefix(line, "NSpid:"); ok && !strings.HasSuffix(strings.TrimSpace(rest), "\t1") {
				t.Errorf("pid %d is not the container's first: %s", s.Pid, line)
			}
		}
	}
	b.must("create", "--bundle", "bundle", b.id) // a relative path
	check(specs.StateCreated)
	b.start()
	check(specs.StateRunning)
	b.must("kill", b.id, "KILL")
	b.ends()
	check(specs.StateStopped)
}

// ST-07
func TestWithoutAnnotationsTheStateHasNone(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.create()
	if s := b.state(); len(s.Annotations) != 0 {
		t.Errorf("annotations %q", s.Annotations)
	}
}

// ST-04
func TestAFrozenContainerIsPaused(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	b.create()
	b.start()
	b.must("pause", b.id)
	if s := document(t, b.must("state", b.id)); s.Status != "paused" || s.Pid <= 0 {
		t.Errorf("status %q, pid %d", s.Status, s.Pid)
	}
	b.must("resume", b.id)
	b.is(specs.StateRunning)
}
