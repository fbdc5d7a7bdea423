package seccomptest

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// A Trace is a program whose system calls were recorded, on x86-64.
type Trace struct {
	Program string
	lines   string // a count and a name each
}

//go:embed testdata/traces
var traces embed.FS

// Traces are those that were recorded.
func Traces() (list []Trace, err error) {
	const dir = "testdata/traces"
	entries, err := traces.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := traces.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		list = append(list, Trace{strings.TrimSuffix(e.Name(), ".txt"), string(text)})
	}
	return list, nil
}

// usualArguments are those that programs give to the calls whose arguments
// Docker's profile looks at.
var usualArguments = map[string][6]uint64{
	"clone":       {unix.CLONE_CHILD_CLEARTID | unix.CLONE_CHILD_SETTID | uint64(unix.SIGCHLD)},
	"socket":      {unix.AF_INET},
	"personality": {1<<32 - 1},
}

// Mean is the mean number of instructions that a filter runs for the program's
// calls; steps tells how many it runs for one.
func (t *Trace) Mean(steps func(name string, args [6]uint64) (int, error)) (float64, error) {
	calls, cost := 0, 0
	for line := range strings.Lines(t.lines) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var count int
		var name string
		if _, err := fmt.Sscan(line, &count, &name); err != nil {
			return 0, fmt.Errorf("%s: %q: %w", t.Program, line, err)
		}
		n, err := steps(name, usualArguments[name])
		if err != nil {
			return 0, fmt.Errorf("%s: %s: %w", t.Program, name, err)
		}
		calls, cost = calls+count, cost+count*n
	}
	return float64(cost) / float64(calls), nil
}
