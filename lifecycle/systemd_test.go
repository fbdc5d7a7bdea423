package lifecycle

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/systemd/unit"
)

// standIn does by files what the tests want of systemd, below the test's cgroup.
type standIn struct {
	p     *proof
	fails string // the method that does
	calls []string
	units map[string]unit.Unit
	set   []unit.Property // of the last call that had some
}

func (s *standIn) call(method string, u unit.Unit) error {
	s.calls = append(s.calls, method+" "+u.Name)
	if s.fails == method {
		return errors.New("systemd unit " + quote(u.Name) + ": " + method + " fails")
	}
	return nil
}

func (s *standIn) Root() (string, bool, error) { return s.p.cgroup, false, s.call("Root", unit.Unit{}) }

func (s *standIn) dirs(u unit.Unit) (dirs []string) {
	for _, h := range hierarchies() {
		switch filepath.Base(h) {
		case "systemd", "cpu", "cpuacct", "blkio", "memory", "devices", "pids", "unified", "cgroup":
			dirs = append(dirs, h+s.p.cgroup+u.Path())
		}
	}
	return dirs
}

func (s *standIn) Start(u unit.Unit, pid int, list []unit.Property) ([]string, error) {
	s.set = list
	if err := s.call("Start", u); err != nil {
		return nil, err
	}
	s.units[u.Name] = u
	for _, d := range s.dirs(u) {
		err := os.MkdirAll(d, 0o755)
		if err == nil {
			err = os.WriteFile(d+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0)
		}
		if err != nil {
			s.p.t.Error(err)
		}
	}
	return []string{"Newer"}, nil
}

func (s *standIn) Set(u unit.Unit, list []unit.Property) ([]string, error) {
	s.set = list
	return nil, s.call("Set", u)
}

func (s *standIn) Attach(u unit.Unit, _ string, _ int) error { return s.call("Attach", u) }

func (s *standIn) Stop(u unit.Unit) error {
	if err := s.call("Stop", u); err != nil {
		return err
	}
	if have, ok := s.units[u.Name]; ok && have.Description == u.Description {
		delete(s.units, u.Name)
		for _, d := range s.dirs(have) {
			for range 4 { // with its slices, and the test's own place
				unix.Rmdir(d)
				d = filepath.Dir(d)
			}
		}
	}
	return nil
}

// newScope makes a place whose runtime makes cgroups by a stand-in of systemd.
func newScope(t *testing.T, limits, annotations string) (*proof, *standIn) {
	p := newProof(t, []byte(`{"ociVersion": "1.3.0", "root": {"path": "rootfs"},
		"process": {"args": ["sleep", "1000"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
		"mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
		"annotations": {`+annotations+`},
		"linux": {"resources": {`+limits+`},
			"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}, {"type": "cgroup"}]}}`))
	config := filepath.Join(p.bundle, "config.json")
	b, err := os.ReadFile(config)
	if err == nil {
		b = bytes.ReplaceAll(b, []byte(quote(p.cgroup+"/web")), []byte(`"mrt-a.slice:mrt:web"`))
		err = os.WriteFile(config, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &standIn{p: p, units: map[string]unit.Unit{}}
	p.CgroupManager, p.Drivers.Systemd = CgroupSystemd, s
	p.before = p.census()
	t.Cleanup(func() { p.Drivers.Systemd = s }) // for clear
	return p, s
}

const scopeLimits = `"memory": {"limit": 67108864}, "pids": {"limit": 50}`

func TestAContainerIsMadeInAScopeOfSystemd(t *testing.T) {
	p, s := newScope(t, scopeLimits, `"org.systemd.property.CollectMode": "'inactive-or-failed'"`)
	var warnings []string
	p.Warn = func(text string) { warnings = append(warnings, text) }
	o := p.options()
	o.PIDFile = p.dir + "/pid"
	if err := p.Create("web", o); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"Root ", "Start mrt-web.scope", "Set mrt-web.scope"}, s.calls); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`systemd unit "mrt-web.scope": this systemd has no Newer: the limit is written to the cgroup alone`}, warnings); d != "" {
		t.Error(d)
	}
	place := p.cgroup + "/mrt.slice/mrt-a.slice/mrt-web.scope"
	pid, _ := os.ReadFile(o.PIDFile)
	b, err := os.ReadFile("/proc/" + string(pid) + "/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(string(b)) { // those of the stand-in, and those that systemd doesn't know
		if !strings.HasSuffix(l, ":"+place+"\n") {
			t.Errorf("the stage is in %s", l)
		}
	}
	for file, want := range map[string]string{"memory/memory.limit_in_bytes": "67108864", "pids/pids.max": "50"} {
		dir, name := filepath.Split(file)
		if b, err := os.ReadFile("/sys/fs/cgroup/" + dir + place + "/" + name); err == nil && strings.TrimSpace(string(b)) != want {
			t.Errorf("%s is %s", file, b)
		}
	}
	if err := p.Start("web"); err != nil {
		t.Error(err)
	}
	if status, err := p.Exec("web", ExecOptions{Args: []string{"true"}}); status != 0 || err != nil {
		t.Errorf("exec: %d, %v", status, err)
	}
	limit := int64(40)
	if err := p.Update("web", Changes{Resources: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}}); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]unit.Property{{Name: "TasksMax", Value: uint64(40), Files: true, Path: "linux.resources.pids.limit"}}, s.set); d != "" {
		t.Error(d)
	}
	p.CgroupManager = "" // the record knows
	if err := p.Delete("web", true); err != nil {
		t.Error(err)
	}
	if len(s.units) > 0 {
		t.Errorf("units: %v", s.units)
	}
	os.Remove(o.PIDFile)
	p.nothingLeft(p.before, "delete")
}

// Package hot links no driver: it must find out before it does anything.
func TestWithoutADriverNothingIsDone(t *testing.T) {
	p, s := newScope(t, scopeLimits, "")
	p.Drivers.Systemd = nil
	if err := p.Create("web", p.options()); !errors.Is(err, ErrDriver) {
		t.Errorf("create: %v", err)
	}
	if _, err := p.Run("web", RunOptions{CreateOptions: p.options()}); !errors.Is(err, ErrDriver) {
		t.Errorf("run: %v", err)
	}
	p.nothingLeft(p.before, "create and run")

	p.Drivers.Systemd = s
	if err := p.Create("web", p.options()); err != nil {
		t.Fatal(err)
	}
	p.Drivers.Systemd = nil
	there := p.census()
	limit := int64(40)
	for verb, do := range map[string]func() error{
		"update": func() error {
			return p.Update("web", Changes{Resources: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}})
		},
		"delete":         func() error { return p.Delete("web", false) },
		"delete --force": func() error { return p.Delete("web", true) },
	} {
		if err := do(); !errors.Is(err, ErrDriver) {
			t.Errorf("%s: %v", verb, err)
		}
		p.nothingLeft(there, verb)
	}
	p.Rootless = "true" // the process would have to be moved
	if _, err := p.Exec("web", ExecOptions{Args: []string{"true"}}); !errors.Is(err, ErrDriver) {
		t.Errorf("exec: %v", err)
	}
	p.Rootless = ""
	if _, err := p.State("web"); err != nil {
		t.Error(err)
	}
	if err := p.Start("web"); err != nil {
		t.Error(err)
	}
}

func TestAScopeThatFailsLeavesNothing(t *testing.T) {
	for _, fails := range []string{"Root", "Start", "Set"} {
		t.Run(fails, func(t *testing.T) {
			p, s := newScope(t, scopeLimits, "")
			s.fails = fails
			err := p.Create("web", p.options())
			if err == nil || !strings.Contains(err.Error(), fails+" fails") {
				t.Errorf("the error is %v", err)
			}
			if len(s.units) > 0 {
				t.Errorf("units: %v", s.units)
			}
			p.nothingLeft(p.before, fails)
		})
	}
	t.Run("a limit that the kernel refuses", func(t *testing.T) {
		p, s := newScope(t, `"cpu": {"cpus": "7777"}`, "")
		if err := p.Create("web", p.options()); err == nil || !strings.Contains(err.Error(), "7777") {
			t.Errorf("the error is %v", err)
		}
		if len(s.units) > 0 {
			t.Errorf("units: %v", s.units)
		}
		p.nothingLeft(p.before, "create")
	})
}

func TestAnUpdateThatSystemdRefusesIsPutBack(t *testing.T) {
	p, s := newScope(t, scopeLimits, "")
	if err := p.Create("web", p.options()); err != nil {
		t.Fatal(err)
	}
	s.fails = "Set"
	limit := int64(40)
	err := p.Update("web", Changes{Resources: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}})
	if err == nil || !strings.Contains(err.Error(), "Set fails") {
		t.Errorf("the error is %v", err)
	}
	b, err := os.ReadFile("/sys/fs/cgroup/pids" + p.cgroup + "/mrt.slice/mrt-a.slice/mrt-web.scope/pids.max")
	if err == nil && string(b) != "50\n" {
		t.Errorf("pids.max is %s", b)
	}
}

// An image can bring annotations: SEC-42.
func TestAnAnnotationThatSetsAnotherPropertyIsRefusedBeforeAnything(t *testing.T) {
	p, s := newScope(t, "", `"org.systemd.property.ExecStopPost": "'/bin/x'", "org.systemd.property.CollectMode": "5"`)
	err := p.Create("web", p.options())
	for _, want := range []string{
		`annotations["org.systemd.property.ExecStopPost"]: "'/bin/x'": not a property that an annotation may set (config.json:`,
		`annotations["org.systemd.property.CollectMode"]: "5": not a value of D-Bus type s`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v", err)
		}
	}
	if d := cmp.Diff([]string{"Root "}, s.calls); d != "" {
		t.Error(d)
	}
	p.nothingLeft(p.before, "create")
	if !strings.Contains(string(Features()), `"potentiallyUnsafeConfigAnnotations":["org.systemd.property."]`) {
		t.Error("features doesn't tell of these annotations")
	}
}

// A cgroup namespace that was made before the stage is in its cgroup would
// have the caller's for its root.
func TestAStageThatIsMovedWaitsBeforeItsCgroupNamespace(t *testing.T) {
	t.Parallel()
	const name = "default"
	for _, moved := range []bool{false, true} {
		s := exampleSpec(t, name)
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
		h := exampleHost(t, name, s, plan.AMD64)
		h.BornInCgroup, h.Moved, h.Tasks = !moved, moved, nil
		c, err := Compile(s, h)
		if err != nil {
			t.Fatal(err)
		}
		if born := c.Namespaces&unix.CLONE_NEWCGROUP != 0; born == moved {
			t.Errorf("moved %v: clone makes the cgroup namespace: %v", moved, born)
		}
		waits, unshares := -1, -1
		for i := range c.Steps {
			switch c.Steps[i].Call {
			case plan.Read:
				if waits < 0 {
					waits = i
				}
			case plan.Unshare:
				unshares = i
			}
		}
		if moved && !(waits >= 0 && waits < unshares) || !moved && unshares >= 0 {
			t.Errorf("moved %v: waits at step %d, unshares at step %d", moved, waits, unshares)
		}
	}
}
