package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minirt/minirt/hack/conformance/probe/sight"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// A box is a bundle with a root file system that holds the probe and busybox,
// and a container of that name, in a state root and a cgroup of its own.
type box struct {
	*testing.T
	dir     string // the bundle
	root    string // of the states
	id      string
	cgroup  string // absolute, below each hierarchy's root
	config  any
	flags   []string // global flags of each call
	output  string   // file that create's container writes to
	prepare func(*exec.Cmd)
}

// newBox makes a bundle of base and the edits.
func newBox(t *testing.T, edits ...edit) *box {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("containers of the host's root need root")
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox is missing")
	}
	work := t.TempDir()
	b := &box{T: t, dir: filepath.Join(work, "bundle"), root: filepath.Join(work, "states"), id: "box-" + strconv.Itoa(int(time.Now().UnixNano()))}
	b.cgroup = parent + "/" + b.id
	for _, d := range []string{"rootfs/bin", "rootfs/tmp"} {
		if err := os.MkdirAll(filepath.Join(b.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// A user namespace's root must be able to go there.
	for _, d := range []string{filepath.Dir(work), work} {
		os.Chmod(d, 0o755)
	}
	os.Chmod(b.path("rootfs/tmp"), 0o1777)
	b.link(probe, "rootfs/bin/probe")
	b.link(busybox, "rootfs/bin/busybox")
	for _, n := range []string{"sh", "cat", "sleep", "true", "false", "id", "ls", "stat", "touch", "mknod", "taskset", "mount", "nproc", "uname"} {
		if err := os.Symlink("busybox", b.path("rootfs/bin/"+n)); err != nil {
			t.Fatal(err)
		}
	}
	b.config = plain(t, base(b.cgroup))
	b.edit(edits...)
	t.Cleanup(b.clear)
	return b
}

func (b *box) path(name string) string { return filepath.Join(b.dir, name) }

// link puts a program into the bundle.
func (b *box) link(from, name string) {
	b.Helper()
	if os.Link(from, b.path(name)) == nil {
		return
	}
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(b.path(name), data, 0o755)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// edit changes config.json.
func (b *box) edit(edits ...edit) {
	b.Helper()
	b.config = all(edits...)(b.T, b.config)
	data, err := json.Marshal(b.config)
	if err != nil {
		b.Fatal(err)
	}
	b.write(string(data))
}

func (b *box) write(config string) {
	b.Helper()
	if err := os.WriteFile(b.path("config.json"), []byte(config), 0o644); err != nil {
		b.Fatal(err)
	}
}

// result is what a call of the runtime gave.
type result struct {
	line           string
	status         int
	stdout, stderr string
	took           time.Duration
}

func (r *result) String() string {
	return fmt.Sprintf("%s: exit status %d, stdout %q, stderr %q", r.line, r.status, r.stdout, r.stderr)
}

// call calls the runtime. Its output goes to files: a container that outlives
// it would keep a pipe open, and the reader waiting.
func (b *box) call(args ...string) *result {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := os.CreateTemp(filepath.Dir(b.dir), "stdout")
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	said, err := os.CreateTemp(filepath.Dir(b.dir), "stderr")
	if err != nil {
		b.Fatal(err)
	}
	defer said.Close()
	c := exec.CommandContext(ctx, program, append(append([]string{"--root", b.root}, b.flags...), args...)...)
	c.Stdout, c.Stderr, c.Dir = out, said, filepath.Dir(b.dir)
	if b.prepare != nil {
		b.prepare(c)
	}
	began := time.Now()
	err = c.Run()
	r := &result{line: strings.Join(args, " "), took: time.Since(began), status: c.ProcessState.ExitCode()}
	if ctx.Err() != nil {
		b.Fatalf("%s: not done after 30 s", r.line)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	r.stdout, r.stderr = contents(out.Name()), adviceLine.ReplaceAllString(contents(said.Name()), "")
	if args[0] == "create" && r.status == 0 {
		b.output = out.Name()
	}
	return r
}

// adviceLine is what may follow an error, and is no part of it.
var adviceLine = regexp.MustCompile(`(?m)^minirt: advice: .*\n\z`)

func contents(name string) string {
	data, _ := os.ReadFile(name)
	return string(data)
}

// must calls the runtime and gives its standard output; a failure ends the test.
func (b *box) must(args ...string) string {
	b.Helper()
	r := b.call(args...)
	if r.status != 0 {
		b.Fatal(r)
	}
	return r.stdout
}

// fails calls the runtime, which must not succeed nor print a result.
func (b *box) fails(args ...string) *result {
	b.Helper()
	r := b.call(args...)
	if r.status == 0 || r.stdout != "" {
		b.Fatalf("should have failed: %v", r)
	}
	return r
}

func (b *box) create(more ...string) {
	b.Helper()
	b.must(append(append([]string{"create", "--bundle", b.dir}, more...), b.id)...)
}

func (b *box) start() { b.Helper(); b.must("start", b.id) }

// run creates and starts, waits for the end, and gives what was printed.
func (b *box) run(edits ...edit) string {
	b.Helper()
	if len(edits) > 0 {
		b.edit(edits...)
	}
	return b.must("run", "--bundle", b.dir, b.id)
}

// see runs the probe.
func (b *box) see(edits ...edit) *sight.Sight {
	b.Helper()
	return b.sight(b.run(edits...))
}

func (b *box) sight(printed string) *sight.Sight {
	b.Helper()
	s := new(sight.Sight)
	if err := json.Unmarshal([]byte(printed), s); err != nil {
		b.Fatalf("the probe printed %q: %v", printed, err)
	}
	return s
}

// state asks for the state document.
func (b *box) state() *specs.State {
	b.Helper()
	s := new(specs.State)
	if err := json.Unmarshal([]byte(b.must("state", b.id)), s); err != nil {
		b.Fatal(err)
	}
	return s
}

// is checks the status.
func (b *box) is(want specs.ContainerState) {
	b.Helper()
	if got := b.state().Status; got != want {
		b.Fatalf("status %q, want %q", got, want)
	}
}

// until waits for something to become true.
func (b *box) until(what string, ok func() bool) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("not within 10 s: %s", what)
		}
	}
}

func (b *box) ends() {
	b.Helper()
	b.until("the container stops", func() bool { return b.state().Status == specs.StateStopped })
}

// printed waits for a line of the created container's program.
func (b *box) printed(line string) {
	b.Helper()
	b.until(fmt.Sprintf("the program prints %q, not %q", line, contents(b.output)), func() bool { return strings.Contains(contents(b.output), line) })
}

// wrapped has the runtime called by another program, of which these are the first arguments.
func wrapped(by ...string) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.Args = slices.Concat(by, []string{program}, c.Args[1:])
		c.Path, c.Err = exec.LookPath(by[0])
	}
}

// realTime gives the container a share of the time of real-time processes,
// where cgroups of version 1 divide that: below the root, whose child it must be.
func (b *box) realTime() {
	b.Helper()
	b.cgroup = parent + "-" + b.id
	b.edit(set("linux.cgroupsPath", b.cgroup))
	if _, err := os.Stat(b.hierarchy("cpu") + "/cpu.rt_runtime_us"); err == nil {
		b.edit(set("linux.resources.cpu.realtimeRuntime", 1000))
	}
}
