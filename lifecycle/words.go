package lifecycle

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/rootfs"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// index is the path of an element of a list in config.json.
func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// explain gives a stage's report its words and its place in config.json.
func (c *Compiled) explain(s *specs.Spec, config []byte, r stage.Report) error {
	errno := unix.Errno(r.Errno)
	if r.Step >= len(c.Steps) {
		return text("the stage reports a step that the plan doesn't have: " + strconv.Itoa(r.Step))
	}
	w := c.words(s, r.Step)
	st := &c.Steps[r.Step]
	advice := c.adviceOn(r.Step, errno)
	e := w.explain(config, errno)
	if t := rootfs.Explain(s, st, errno); t != "" {
		e.text = st.Origin + ": " + t + advice + placeOf(config, w.Path)
	} else if advice != "" {
		e.text = w.What + ": " + errno.Error() + advice + placeOf(config, w.Path)
	}
	e.call = st.Call.Name()
	if st.Call == plan.Unshare {
		e.namespaces = uintptr(st.Args[0])
	}
	return e
}

// words tells what a step is for.
func (c *Compiled) words(s *specs.Spec, step int) RecordStep {
	st := &c.Steps[step]
	w := RecordStep{Step: step, Path: configPath(st.Origin)}
	if st.Call == plan.Execve || st.Call == plan.Faccessat2 || st.Call == plan.Fail && s.Process != nil && len(s.Process.Args) > 0 {
		w.Program = s.Process.Args[0]
	} else {
		w.What = st.Origin + ": " + c.Sentence(step)
	}
	return w
}

// gateWords are the words of all steps behind the gate, for start, which has
// no plan.
func (c *Compiled) gateWords(s *specs.Spec) *Words {
	w := new(Words)
	for i := c.Gate; i < len(c.Steps); i++ {
		w.Steps = append(w.Steps, c.words(s, i))
	}
	return w
}

// explain puts a step's errno behind its words.
func (w RecordStep) explain(config []byte, errno unix.Errno) *stepError {
	what := w.What + ": " + errno.Error()
	switch {
	case w.Program != "":
		what = notFound(w.Program, errno)
	case w.Path == "process.apparmorProfile" && errno == unix.ENOENT:
		what = w.What + ": the kernel has no such profile: load it with apparmor_parser(8)"
	case w.Path == "process.selinuxLabel" && errno == unix.EINVAL:
		what = w.What + ": the policy has no such label"
	case errno == unix.EPIPE:
		what = w.What + ": minirt has gone"
	}
	return &stepError{text: what + placeOf(config, w.Path), errno: errno, path: w.Path, program: w.Program}
}

// stepError is a failure that a stage reported.
type stepError struct {
	text       string
	errno      unix.Errno
	path       string  // in config.json; "" for none
	program    string  // what was to be executed, where that failed
	call       string  // "" where the plan isn't at hand
	namespaces uintptr // CLONE_NEW flags that unshare(2) was to make
}

func (e *stepError) Error() string { return e.text }
func (e *stepError) Unwrap() error { return e.errno }

// configPath is the origin if that is a path in config.json, and no rule.
func configPath(origin string) string {
	if strings.HasPrefix(origin, "runtime.md") || strings.HasPrefix(origin, "config") || strings.HasPrefix(origin, "hooks") {
		return ""
	}
	path, _, _ := strings.Cut(origin, " ")
	return path
}

// placeOf is " (config.json:41:7)" for a path in the config, or for what holds
// it if the config doesn't have it; "" if there is neither.
func placeOf(config []byte, path string) string {
	if path == "" || len(config) == 0 {
		return ""
	}
	line, column, _ := spec.Place(config, path)
	if line == 0 {
		return ""
	}
	return " (config.json:" + strconv.Itoa(line) + ":" + strconv.Itoa(column) + ")"
}
