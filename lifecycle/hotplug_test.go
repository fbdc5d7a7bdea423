package lifecycle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// plugged is a container that has a node of the host's fuse device, and no rule
// for it; edit may change its config.
func plugged(t *testing.T, edit func(config map[string]any)) *proof {
	t.Helper()
	var st unix.Stat_t
	if unix.Stat("/dev/fuse", &st) != nil || uint64(st.Rdev) != unix.Mkdev(10, 229) {
		t.Skip("the host has no /dev/fuse")
	}
	return newHost(t, func(c map[string]any) {
		c["linux"].(map[string]any)["devices"] = []any{map[string]any{"path": "/dev/known", "type": "c", "major": 10, "minor": 229}}
		if edit != nil {
			edit(c)
		}
	})
}

// opens tells what becomes of opening a file in the container: "" if it is well.
func (p *proof) opens(path string) string {
	p.t.Helper()
	c := p.verb("exec", "web", "sh", "-c", ": <"+path)
	if c.status == 0 {
		return ""
	}
	said := strings.TrimSpace(c.stderr)
	return said[strings.LastIndex(said, ": ")+2:]
}

// dev is what the container's /dev holds, with types and modes; and the rules
// of the cgroup.
func (p *proof) dev() []string {
	p.t.Helper()
	c := p.verb("exec", "web", "sh", "-c", "busybox find /dev | busybox xargs busybox stat -c '%n %F %a %u:%g'")
	lines := strings.Split(strings.TrimSpace(c.stdout), "\n")
	if c.status != 0 || len(lines) < 7 {
		p.t.Fatal(c)
	}
	return append(lines, p.limits()["devices.list"])
}

const (
	forbidden = "Operation not permitted"
	missing   = "no such file"
)

func TestADeviceIsGivenAndTakenAwayWithItsRule(t *testing.T) {
	p := plugged(t, nil)
	before := p.dev()
	want := func(when, known, plug string) {
		t.Helper()
		if got := p.opens("/dev/known"); got != known && !strings.EqualFold(got, known) {
			t.Errorf("%s: open of the node that was there: %q, not %q", when, got, known)
		}
		if got := p.opens("/dev/sub/dir/plug"); !strings.Contains(strings.ToLower(got), strings.ToLower(plug)) || (plug == "") != (got == "") {
			t.Errorf("%s: open of the node that is given: %q, not %q", when, got, plug)
		}
	}
	update := func(u Changes) {
		t.Helper()
		if err := p.Update("web", u); err != nil {
			t.Fatal(err)
		}
	}
	want("before", forbidden, missing)
	update(Changes{AddDevices: []Device{{"/dev/fuse", "/dev/sub/dir/plug", ""}}})
	want("given", "", "")
	update(Changes{Resources: &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}}, Pids: &specs.LinuxPids{Limit: ptr(int64(60))}}})
	want("after an update of limits", "", "")
	if err := p.Pause("web"); err != nil {
		t.Fatal(err)
	}
	update(Changes{AddDevices: []Device{{"/dev/full", "/dev/second", "r"}}})
	if err := p.Resume("web"); err != nil {
		t.Fatal(err)
	}
	if got := p.opens("/dev/second"); got != "" {
		t.Errorf("open of what a paused container was given: %s", got)
	}
	update(Changes{RemoveDevices: []string{"/dev/sub/dir/plug", "//dev/second"}})
	want("taken away", forbidden, missing)
	if diff := cmp.Diff(before, p.dev()); diff != "" {
		t.Errorf("something is left (-before +after):\n%s", diff)
	}
	update(Changes{AddDevices: []Device{{"/dev/fuse", "/dev/plug", "rw"}}})
	update(Changes{RemoveDevices: []string{"/dev/plug"}, AddDevices: []Device{{"/dev/fuse", "/dev/plug", "w"}}})
	if got := p.opens("/dev/plug"); got == "" {
		t.Error("read of what may be written alone")
	}
}

func ptr[T any](v T) *T { return &v }

func TestADeviceThatCannotBeGivenLeavesNeitherRuleNorNode(t *testing.T) {
	p := plugged(t, func(c map[string]any) {
		c["mounts"] = append(c["mounts"].([]any), map[string]any{"destination": "/host", "type": "bind", "source": t.TempDir(), "options": []string{"bind"}},
			map[string]any{"destination": "/nodev", "type": "tmpfs", "source": "tmpfs", "options": []string{"nodev"}})
	})
	if c := p.verb("exec", "web", "sh", "-c", "busybox ln -s /host /dev/link && mkdir /dev/real && busybox ln -s /dev/real /dev/inner"); c.status != 0 {
		t.Fatal(c)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	before := p.dev()
	fuse := func(path, access string) Changes {
		return Changes{AddDevices: []Device{{"/dev/fuse", path, access}}}
	}
	for want, u := range map[string]Changes{
		`"/dev/known" exists already in the container`:              fuse("/dev/known", ""),
		`"/dev/link/x" in the container: not a directory`:           fuse("/dev/link/x", ""),  // out of /dev
		`"/dev/inner/x" in the container: not a directory`:          fuse("/dev/inner/x", ""), // not even within
		`"/dev/known/x" in the container: not a directory`:          fuse("/dev/known/x", ""),
		`"/x" is not on a tmpfs of the container's own`:             fuse("/x", ""),
		`"/host/x" is not on a tmpfs of the container's own`:        fuse("/host/x", ""),
		`"/proc/x" is not on a tmpfs of the container's own`:        fuse("/proc/x", ""),
		`"/nodev/x" is on a tmpfs that is mounted nodev`:            fuse("/nodev/x", ""),
		`"dev/x" is not the absolute path of a node`:                fuse("dev/x", ""),
		`"/dev/../x" is not the absolute path of a node`:            fuse("/dev/../x", ""),
		`access "rx" is not made of r, w and m`:                     fuse("/dev/x", "rx"),
		`it is not a device node`:                                   {AddDevices: []Device{{file, "/dev/x", ""}}},
		`add device "/nowhere": no such file or directory`:          {AddDevices: []Device{{"/nowhere", "", ""}}},
		`remove device "/dev/known": it was not added by an update`: {RemoveDevices: []string{"/dev/known"}},
		`add device "/dev/full": "/dev/full" exists already`:        {AddDevices: []Device{{"/dev/fuse", "/dev/a/b", ""}, {"/dev/full", "", ""}}},
		`"/dev/plug" was added already`:                             {AddDevices: []Device{{"/dev/fuse", "/dev/plug", ""}, {"/dev/fuse", "/dev/plug", ""}}},
		`no group of resctrl`:                                       {MemBwSchema: "MB:0=1"},
	} {
		if err := p.Update("web", u); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "update web: ") {
			t.Errorf("%v, not %s", err, want)
		}
	}
	if diff := cmp.Diff(before, p.dev()); diff != "" {
		t.Errorf("something is left (-before +after):\n%s", diff)
	}
	if got := p.opens("/dev/known"); got != forbidden {
		t.Errorf("open of the device: %q", got)
	}
}

// Every step of the stage is made to fail once, when a node is made, and when it
// is removed: then all is as it was.
func TestEachFailingStepOfAChangeOfDevicesIsTakenBack(t *testing.T) {
	p := plugged(t, nil)
	defer func() { imageOf = stage.Image }()
	add := Changes{AddDevices: []Device{{"/dev/fuse", "/dev/sub/plug", ""}}}
	remove := Changes{RemoveDevices: []string{"/dev/sub/plug"}}
	for _, u := range []Changes{add, remove} {
		before := p.dev()
		steps := 0
		for step := 0; ; step++ {
			first := true
			imageOf = func(q *plan.Plan) ([]byte, error) {
				if !first { // what takes it back
					return stage.Image(q)
				}
				first, steps = false, len(q.Steps)
				return stage.Image(broken(q, step))
			}
			if step > 0 && step >= steps-1 { // the last ends the stage
				break
			}
			if err := p.Update("web", u); err == nil {
				t.Errorf("step %d of %d can fail unseen", step, steps)
			}
			imageOf = stage.Image
			if diff := cmp.Diff(before, p.dev()); diff != "" {
				t.Fatalf("step %d (-before +after):\n%s", step, diff)
			}
		}
		imageOf = stage.Image
		if err := p.Update("web", u); err != nil {
			t.Fatal(err)
		}
	}
}

// broken is a plan one step of which fails.
func broken(q *plan.Plan, step int) *plan.Plan {
	b := *q
	b.Steps = append([]plan.Step(nil), q.Steps...)
	b.Steps[step].Call = plan.Fail
	b.Steps[step].Argc, b.Steps[step].Kinds[0], b.Steps[step].Args[0] = 1, plan.Const, uint64(unix.EIO)
	return &b
}

// In a user namespace the host's node is bound: a node of a tmpfs that belongs to
// the container can't be opened.
func TestADeviceIsGivenToAContainerWithAUserNamespace(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	node := filepath.Join(dir, "fuse")
	if err := unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(10, 229))); err != nil {
		t.Skip("no node can be made: ", err)
	}
	if err := unix.Chmod(node, 0o666); err != nil {
		t.Fatal(err)
	}
	if fd, err := unix.Open(node, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		t.Skip("a node in ", dir, " can't be opened: ", err)
	} else {
		unix.Close(fd)
	}
	p := newHost(t, func(c map[string]any) {
		linux := c["linux"].(map[string]any)
		linux["namespaces"] = append(linux["namespaces"].([]any), map[string]any{"type": "user"})
		ids := []any{map[string]any{"containerID": 0, "hostID": 100000, "size": 65536}}
		linux["uidMappings"], linux["gidMappings"] = ids, ids
	})
	before := p.dev()
	if err := p.Update("web", Changes{AddDevices: []Device{{node, "/dev/sub/plug", ""}}}); err != nil {
		t.Fatal(err)
	}
	if got := p.opens("/dev/sub/plug"); got != "" {
		t.Errorf("open: %s", got)
	}
	if err := p.Update("web", Changes{RemoveDevices: []string{"/dev/sub/plug"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, p.dev()); diff != "" {
		t.Errorf("something is left (-before +after):\n%s", diff)
	}
	add := Changes{AddDevices: []Device{{node, "/dev/sub/plug", ""}}}
	defer func() { imageOf = stage.Image }()
	for step, steps := 0, 2; step < steps-1; step++ {
		first := true
		imageOf = func(q *plan.Plan) ([]byte, error) {
			if !first {
				return stage.Image(q)
			}
			first, steps = false, len(q.Steps)
			return stage.Image(broken(q, step))
		}
		if err := p.Update("web", add); err == nil {
			t.Errorf("step %d of %d can fail unseen", step, steps)
		}
		imageOf = stage.Image
		if diff := cmp.Diff(before, p.dev()); diff != "" {
			t.Fatalf("step %d (-before +after):\n%s", step, diff)
		}
	}
}

func TestADeviceIsRefusedWithoutTheHostsRoot(t *testing.T) {
	p := plugged(t, nil)
	c := p.verb("exec", "web", "true")
	if c.status != 0 {
		t.Fatal(c)
	}
	load, err := p.load("web")
	if err != nil {
		t.Fatal(err)
	}
	defer load.close()
	var done undo
	without := *load.Record
	without.Cgroups = nil
	q := plug{Runtime: p.Runtime, container: &container{load.dir, &without}, target: -1, done: &done}
	if err := q.changeDevices(&Changes{RemoveDevices: []string{"/dev/x"}}); err == nil || !strings.Contains(err.Error(), "no cgroup of its own") {
		t.Error(err)
	}
	if b, err := json.Marshal(load.Devices); err != nil || string(b) != "null" {
		t.Errorf("%s, %v", b, err)
	}
}
