package lifecycle

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/rootfs"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write the golden plans of bundles/examples anew")

// The architectures that the examples have golden plans for.
var arches = [...]plan.Arch{plan.AMD64, plan.ARM64}

// A review of the golden plans shows what a change does to the kernel's side.
// They are those of a host that is the same everywhere (see exampleHost): where
// the test runs must not matter, nor which architecture it was built for.
func TestGoldenPlansOfTheExamples(t *testing.T) {
	for _, name := range exampleNames(t) {
		s := exampleSpec(t, name)
		for _, arch := range arches {
			t.Run(name+"-"+arch.String(), func(t *testing.T) {
				c := compileExample(t, name, s, arch)
				if err := c.Check(); err != nil {
					t.Error(err)
				}
				if arch.String() == runtime.GOARCH { // a plan for another machine can be printed, not run
					imageBytes(t, c)
				}
				golden(t, filepath.Join(examples, name, "plan-"+arch.String()+".txt"), c.Text())
			})
		}
	}
}

// Equal input gives an equal plan, and neither the config nor the facts are
// changed by it: Compile keeps nothing for the next time.
func TestCompileIsPure(t *testing.T) {
	own, ok := plan.ArchOf(runtime.GOARCH)
	if !ok {
		t.Skip("no stage for " + runtime.GOARCH)
	}
	for _, name := range exampleNames(t) {
		s, h := exampleSpec(t, name), exampleHost(t, name, exampleSpec(t, name), own)
		facts := *h
		first, err := Compile(s, h)
		if err != nil {
			t.Fatal(name, err)
		}
		if d := cmp.Diff(exampleSpec(t, name), s); d != "" {
			t.Errorf("%s: the config was changed (-before +after):\n%s", name, d)
		}
		if d := cmp.Diff(&facts, h, cmp.AllowUnexported(Files{})); d != "" {
			t.Errorf("%s: the facts were changed (-before +after):\n%s", name, d)
		}
		for _, other := range exampleNames(t) { // what was compiled in between leaves no trace
			compileExample(t, other, exampleSpec(t, other), plan.ARM64)
		}
		again, err := Compile(exampleSpec(t, name), h)
		if err != nil {
			t.Fatal(name, err)
		}
		if d := cmp.Diff(first.Text(), again.Text()); d != "" {
			t.Errorf("%s: another plan the second time (-first +second):\n%s", name, d)
		}
		if d := cmp.Diff(imageBytes(t, first), imageBytes(t, again)); d != "" {
			t.Errorf("%s: another image the second time:\n%s", name, d)
		}
		if d := cmp.Diff(outline(first), outline(again)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// outline is what a Compiled has beside its plan.
func outline(c *Compiled) Compiled {
	o := *c
	o.Plan = nil
	return o
}

func imageBytes(t *testing.T, c *Compiled) []byte {
	t.Helper()
	b, err := stage.Image(c.Plan)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func exampleNames(t testing.TB) (names []string) {
	t.Helper()
	files, err := filepath.Glob(examples + "/*/config.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	for _, f := range files {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	return names
}

func exampleSpec(t testing.TB, name string) *specs.Spec {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, name, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := spec.Load(b)
	if err != nil {
		t.Fatal(name, err)
	}
	return s
}

func compileExample(t testing.TB, name string, s *specs.Spec, arch plan.Arch) *Compiled {
	t.Helper()
	c, err := Compile(s, exampleHost(t, name, s, arch))
	if err != nil {
		t.Fatal(name, err)
	}
	return c
}

// exampleHost is the host that an example's golden plan is for: fixedHost, and
// the kinds of the files that lie in the example's directory.
func exampleHost(t testing.TB, name string, s *specs.Spec, arch plan.Arch) *Host {
	t.Helper()
	h := fixedHost(s, arch)
	switch name {
	case "docker", "limits":
		hybrid(h)
	case "rootless":
		ordinaryUser(h)
	}
	for i := range s.Mounts {
		m := &s.Mounts[i]
		if rootfs.IsBind(m) {
			info, err := os.Stat(filepath.Join(examples, name, m.Source))
			h.Rootfs.Mounts[i].File = m.Source == "/etc/hosts" || err == nil && info.Mode().IsRegular()
		}
	}
	return h
}

// fixedHost is a neutral host: root with all capabilities on a new kernel, a
// cgroup of version 2, and a root file system that has all it needs.
func fixedHost(s *specs.Spec, arch plan.Arch) *Host {
	v := sight{spec: s}
	v.number(&CreateOptions{}, true)
	h := &v.host
	h.Arch, h.ID = arch, "web"
	h.LastCapability, h.Permitted = kernel.LastCapability, 1<<(kernel.LastCapability+1)-1
	h.Umask, h.NewKeyring, h.BornInCgroup = 0o022, true, true
	for i := range h.HardLimits {
		h.HardLimits[i] = unix.RLIM_INFINITY
	}
	h.AppArmor, h.SELinux = true, true
	h.Rootfs = *rootfs.Ordinary(s, "/bundle/rootfs", "/bundle")
	h.Rootfs.Holder = "/bundle"
	h.Rootfs.Cgroups = []rootfs.Hierarchy{{Name: "", Source: "/sys/fs/cgroup/web"}}
	for i := range s.Mounts { // the trees that the parent makes
		if mapped, _ := rootfs.Idmap(&s.Mounts[i]); mapped || rootfs.IsCopyUp(&s.Mounts[i]) {
			h.Rootfs.Mounts[i].Tree = h.Files.next
			h.Files.next++
		}
	}
	return h
}

// hybrid makes it a host that has both versions of cgroups: some controllers
// of version 1, two of which share a hierarchy, and version 2 without any.
func hybrid(h *Host) {
	h.BornInCgroup = false
	h.Rootfs.Cgroups, h.Tasks = nil, nil
	for _, name := range [...]string{"cpu,cpuacct", "cpuset", "devices", "memory", "pids", "unified"} {
		dir := "/sys/fs/cgroup/" + name + "/web"
		h.Rootfs.Cgroups = append(h.Rootfs.Cgroups, rootfs.Hierarchy{Name: name, Source: dir})
		if name != "unified" {
			h.Tasks = append(h.Tasks, dir+"/tasks")
		}
	}
	h.Rootfs.Aliases = []rootfs.Alias{{Name: "cpu", Target: "cpu,cpuacct"}, {Name: "cpuacct", Target: "cpu,cpuacct"}}
}

// ordinaryUser makes it the host as one without rights finds it.
func ordinaryUser(h *Host) {
	h.Permitted, h.SetgroupsDenied, h.BornInCgroup = 0, true, false
	h.HardLimits[unix.RLIMIT_NOFILE] = 4096
	h.Rootfs.Cgroups = []rootfs.Hierarchy{{Name: "", Source: ""}}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got), go test ./lifecycle -run Golden -update writes it anew:\n%s", file, d)
	}
}
