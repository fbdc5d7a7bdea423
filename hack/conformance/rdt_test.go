package conformance

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// IR-03: a container that asks for nothing of resctrl has nothing to do with it.
func TestResctrlIsNotTouchedUnasked(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is missing")
	}
	b := newBox(t, args("/bin/true"))
	trace := filepath.Join(filepath.Dir(b.dir), "trace")
	b.prepare = wrapped("strace", "-f", "-o", trace, "-e", "trace=file,mount")
	b.must("run", "--bundle", b.dir, b.id)
	calls := contents(trace)
	if !strings.Contains(calls, "config.json") {
		t.Fatalf("the trace shows nothing: %q", calls)
	}
	for line := range strings.Lines(calls) {
		if strings.Contains(line, "resctrl") {
			t.Error(line)
		}
	}
}
