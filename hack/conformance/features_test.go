package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// featuresOf asks the runtime for its features document.
func featuresOf(t *testing.T) (raw []byte, f *features.Features) {
	t.Helper()
	raw, err := exec.Command(programOrSkip(t), "features").Output()
	if err != nil {
		t.Skipf("the runtime has no features document: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatalf("not what specs-go of 1.3.0 knows: %v", err)
	}
	return raw, f
}

func programOrSkip(t *testing.T) string {
	t.Helper()
	if program == "" {
		t.Skip("the runtime is only built for root")
	}
	return program
}

// FE-01: it tells of the program, and not of the host.
func TestFeaturesAreTheSameWithoutAHost(t *testing.T) {
	t.Parallel()
	here, _ := featuresOf(t)
	if !ours {
		t.Skip("a program that isn't static can't run in an empty root")
	}
	root := t.TempDir()
	b, err := os.ReadFile(program)
	if err == nil {
		err = os.WriteFile(filepath.Join(root, "runtime"), b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("/runtime", "features")
	c.Dir, c.Env = "/", []string{"A=b"}
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Cloneflags: syscall.CLONE_NEWNET}
	os.Chmod(root, 0o755)
	there, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(here), string(there)); diff != "" {
		t.Errorf("in an empty root (-here +there):\n%s", diff)
	}
}

// FE-02: each version of the range is taken.
func TestTheVersionsOfFeaturesAreAccepted(t *testing.T) {
	t.Parallel()
	_, f := featuresOf(t)
	semver := regexp.MustCompile(`^1\.(\d+)\.(\d+)$`)
	if !semver.MatchString(f.OCIVersionMin) || !semver.MatchString(f.OCIVersionMax) || f.OCIVersionMin > f.OCIVersionMax {
		t.Errorf("from %q to %q", f.OCIVersionMin, f.OCIVersionMax)
	}
	for _, v := range []string{f.OCIVersionMin, f.OCIVersionMax} {
		newBox(t, set("ociVersion", v)).see()
	}
}

// FE-03, FE-04: nothing but what the schema of 1.3.0 and specs-go know, and no list or object that is empty.
func TestFeaturesAreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	raw, _ := featuresOf(t)
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		t.Skipf("no module: %v", err)
	}
	c := jsonschema.NewCompiler()
	s, err := c.Compile(filepath.Join(strings.TrimSpace(string(out)), "schema", "features-schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Error(err)
	}
	full(t, "", v)
}

func full(t *testing.T, path string, v any) {
	switch v := v.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case []any:
		if len(v) == 0 {
			t.Errorf("%s is an empty list", path)
		}
	case map[string]any:
		if len(v) == 0 {
			t.Errorf("%s is an empty object", path)
		}
		for k, m := range v {
			full(t, path+"."+k, m)
		}
	}
}

// FE-05: whatever the document lists is taken by create.
func TestWhatFeaturesListIsAccepted(t *testing.T) {
	t.Parallel()
	_, f := featuresOf(t)
	accept := func(name string, edits ...edit) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, all(edits...), args("/bin/true"))
			b.must("run", "--bundle", b.dir, b.id)
		})
	}
	for _, h := range f.Hooks {
		edit := set("hooks."+h+"[+].path", "/bin/true")
		if h == "startContainer" {
			edit = set("hooks."+h+"[+].path", "/bin/busybox")
			edit = all(edit, set("hooks."+h+"[0].args", []string{"true"}))
		}
		accept("hook "+h, edit)
	}
	for _, o := range f.MountOptions {
		m := specs.Mount{Destination: "/m", Type: "tmpfs", Source: "tmpfs", Options: []string{o}}
		switch o {
		case "bind", "rbind":
			m.Type, m.Source = "none", "/tmp"
		case "idmap", "ridmap":
			ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 1000}}
			m = specs.Mount{Destination: "/m", Type: "bind", Source: "/tmp", Options: []string{"bind", o}, UIDMappings: ids, GIDMappings: ids}
		case "remount":
			m.Destination = "/dev"
		}
		accept("mount option "+o, set("mounts[+]", m))
	}
	accept("namespaces", user(oneMore), func(t *testing.T, c any) any {
		for _, n := range f.Linux.Namespaces {
			if !slices.Contains([]string{"pid", "mount", "ipc", "uts", "network", "user"}, n) {
				c = set(oneMore+".type", n)(t, c)
			}
		}
		return c
	})
	accept("capabilities", set("process.capabilities.bounding", f.Linux.Capabilities), set("process.capabilities.permitted", f.Linux.Capabilities))
	p := f.Linux.Seccomp
	filter := func(s string) edit { return set("linux.seccomp", raw(s)) }
	for _, a := range p.Actions {
		if a != string(specs.ActNotify) { // needs an agent
			accept("action "+a, filter(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["ptrace"],"action":"`+a+`"}]}`))
		}
	}
	for _, o := range p.Operators {
		accept("operator "+o, filter(`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["ptrace"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":1,"op":"`+o+`"}]}]}`))
	}
	for _, a := range p.Archs {
		accept("architecture "+a, filter(`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["`+a+`"],"syscalls":[{"names":["ptrace"],"action":"SCMP_ACT_ERRNO"}]}`))
	}
	for _, g := range p.SupportedFlags {
		accept("flag "+g, filter(`{"defaultAction":"SCMP_ACT_ALLOW","flags":["`+g+`"],"syscalls":[{"names":["ptrace"],"action":"SCMP_ACT_ERRNO"}]}`))
		if !slices.Contains(p.KnownFlags, g) {
			t.Errorf("flag %s is supported, and not known", g)
		}
	}
	for _, m := range f.Linux.MemoryPolicy.Modes {
		nodes := `,"nodes":"0"`
		if m == string(specs.MpolDefault) || m == string(specs.MpolLocal) {
			nodes = ""
		}
		accept("memory policy "+m, set("linux.memoryPolicy", raw(`{"mode":"`+m+`"`+nodes+`}`)))
	}
	for _, g := range f.Linux.MemoryPolicy.Flags {
		accept("memory policy with "+g, set("linux.memoryPolicy", raw(`{"mode":"MPOL_BIND","nodes":"0","flags":["`+g+`"]}`)))
	}
}

// FE-06
func TestMountOptionsOfFeaturesAreNoFileSystems(t *testing.T) {
	t.Parallel()
	_, f := featuresOf(t)
	for _, o := range f.MountOptions {
		if slices.Contains([]string{"mode", "size", "uid", "gid", "nr_inodes", "newinstance", "ptmxmode", "hidepid", "lowerdir"}, o) || strings.ContainsAny(o, "=, ") {
			t.Errorf("%s is a file system's", o)
		}
	}
}

// FE-07: what is said to be there isn't refused for being unknown, and what isn't
// said isn't there. All that 1.3.0 asks about is told.
func TestFeaturesTellTheTruth(t *testing.T) {
	t.Parallel()
	_, f := featuresOf(t)
	l := f.Linux
	for name, b := range map[string]*bool{
		"cgroup.v1": l.Cgroup.V1, "cgroup.v2": l.Cgroup.V2, "cgroup.systemd": l.Cgroup.Systemd, "cgroup.systemdUser": l.Cgroup.SystemdUser, "cgroup.rdma": l.Cgroup.Rdma,
		"seccomp": l.Seccomp.Enabled, "apparmor": l.Apparmor.Enabled, "selinux": l.Selinux.Enabled,
		"intelRdt": l.IntelRdt.Enabled, "intelRdt.schemata": l.IntelRdt.Schemata, "intelRdt.monitoring": l.IntelRdt.Monitoring,
		"mountExtensions.idmap": l.MountExtensions.IDMap.Enabled, "netDevices": l.NetDevices.Enabled,
	} {
		if b == nil || !*b {
			t.Errorf("%s isn't said to be there", name)
		}
	}
	for _, c := range []struct {
		name string
		edit edit
		want string // in the error of a host without it
	}{
		{"apparmor", set("process.apparmorProfile", "p"), "is not enabled on this host"},
		{"selinux", set("process.selinuxLabel", "l"), "is not enabled on this host"},
		{"intelRdt", set("linux.intelRdt", raw(`{"closID":"c","schemata":["MB:0=10"],"enableMonitoring":true}`)), "resctrl"},
		{"netDevices", set("linux.netDevices", raw(`{"nosuch0":{}}`)), "no such device"},
		{"rdma", set("linux.resources.rdma", raw(`{"nosuch0":{"hcaHandles":1}}`)), ""},
	} {
		b := newBox(t, c.edit)
		if r := b.call("create", "--bundle", b.dir, b.id); r.status != 0 && (strings.Contains(r.stderr, "not supported") || !strings.Contains(r.stderr, c.want)) {
			t.Errorf("%s: %v", c.name, r)
		}
	}
}

// FE-08: annotations follow the rules of config.md, and a dot at the end stands for all that begins so.
func TestAnnotationsOfFeaturesHaveNames(t *testing.T) {
	t.Parallel()
	_, f := featuresOf(t)
	for key := range f.Annotations {
		if key == "" {
			t.Error("an annotation without a name")
		}
	}
	for _, a := range f.PotentiallyUnsafeConfigAnnotations {
		if a == "" || a == "." || strings.HasPrefix(a, "org.opencontainers.") {
			t.Errorf("%q names no annotation", a)
		}
	}
}
