package bundles

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// runcSpec is what the installed runc's `spec` writes.
func runcSpec(t *testing.T, args ...string) *specs.Spec {
	t.Helper()
	if _, err := exec.LookPath("runc"); err != nil {
		t.Skip("runc isn't installed")
	}
	dir := t.TempDir()
	if out, err := exec.Command("runc", append([]string{"spec", "-b", dir}, args...)...).CombinedOutput(); err != nil {
		t.Skipf("runc spec: %v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	check(t, err)
	spec := new(specs.Spec)
	check(t, json.Unmarshal(text, spec))
	return spec
}

// differ makes of runc's default what ours is, and so lists how they differ by intent.
func differ(t *testing.T, spec *specs.Spec) {
	t.Helper()
	spec.Version = "1.3.0"                      // the version that minirt holds to
	spec.Hostname = "minirt"                    // runc's is "runc"
	spec.Process.Capabilities.Ambient = nil     // runc's too, since 1.2
	spec.Process.Capabilities.Inheritable = nil // SEC-11; runc's too, since 1.1.2
	spec.Linux.MaskedPaths = append(spec.Linux.MaskedPaths, "/proc/interrupts", "/sys/devices/virtual/powercap")
	for i, m := range spec.Mounts {
		for j, o := range m.Options {
			if m.Source == "/sys" && o == "ro" {
				spec.Mounts[i].Options[j] = "rro" // SEC-12: the mounts below, too
			}
		}
	}
}

func hasCgroupNamespace(spec *specs.Spec) bool {
	for _, n := range spec.Linux.Namespaces {
		if n.Type == specs.CgroupNamespace {
			return true
		}
	}
	return false
}

func TestDefaultIsWhatRuncWritesButForTheListedDifferences(t *testing.T) {
	t.Parallel()
	want := runcSpec(t)
	differ(t, want)
	if diff := cmp.Diff(want, Default(hasCgroupNamespace(want))); diff != "" {
		t.Errorf("(-runc and differences +Default):\n%s", diff)
	}
}

func TestRootlessIsWhatRuncWritesButForTheListedDifferences(t *testing.T) {
	t.Parallel()
	want := runcSpec(t, "--rootless")
	differ(t, want)
	got := Rootless(uint32(os.Geteuid()), uint32(os.Getegid()), hasCgroupNamespace(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-runc and differences +Rootless):\n%s", diff)
	}
}

func TestDefaultGivesNoInheritableOrAmbientCapability(t *testing.T) { // SEC-11
	t.Parallel()
	for name, spec := range map[string]*specs.Spec{"default": Default(true), "rootless": Rootless(1, 2, true)} {
		if c := spec.Process.Capabilities; len(c.Inheritable)+len(c.Ambient) > 0 {
			t.Errorf("%s: inheritable %v, ambient %v", name, c.Inheritable, c.Ambient)
		}
	}
}

func TestDefaultMasksWhatEnginesMask(t *testing.T) { // SEC-31
	t.Parallel()
	masked := "\n" + strings.Join(Default(false).Linux.MaskedPaths, "\n") + "\n"
	for _, path := range []string{"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
		"/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
		"/sys/devices/virtual/powercap", "/sys/firmware"} {
		if !strings.Contains(masked, "\n"+path+"\n") {
			t.Errorf("%s isn't masked", path)
		}
	}
}

func TestACgroupNamespaceIsThereIfAskedFor(t *testing.T) {
	t.Parallel()
	for _, want := range []bool{false, true} {
		if got := hasCgroupNamespace(Default(want)); got != want {
			t.Errorf("default: %v, not %v", got, want)
		}
		if got := hasCgroupNamespace(Rootless(1, 1, want)); got != want {
			t.Errorf("rootless: %v, not %v", got, want)
		}
	}
}

func TestRootlessMapsTheCallerAlone(t *testing.T) {
	t.Parallel()
	spec := Rootless(1000, 4294967294, false)
	want := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 1}, {ContainerID: 0, HostID: 4294967294, Size: 1}}
	if diff := cmp.Diff(want, append(spec.Linux.UIDMappings, spec.Linux.GIDMappings...)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEachDefaultIsAValueOfItsOwn(t *testing.T) {
	t.Parallel()
	a := Default(false)
	a.Process.Args[0], a.Process.Capabilities.Bounding[0], a.Mounts[1].Options[0] = "x", "x", "x"
	a.Linux.MaskedPaths[0], a.Linux.Namespaces[0].Type = "x", "x"
	if diff := cmp.Diff(Default(false), Default(false)); diff != "" || Default(false).Process.Args[0] != "sh" {
		t.Errorf("changed by a change to another: %s", diff)
	}
	if c := Default(false).Process.Capabilities; c.Bounding[0] == "x" || c.Effective[0] == "x" {
		t.Error("capabilities are shared")
	}
}

func TestWriteMakesWhatOpenReads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := Default(true)
	want.Process.Args = []string{"sh", "-c", "a <b >&c \u2028 é"}
	check(t, Write(dir, want))
	b, err := Open(dir)
	check(t, err)
	var got *specs.Spec
	check(t, json.Unmarshal(b.Config, &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, part := range []string{"{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": true,\n", "a <b >&c"} {
		if !strings.Contains(string(b.Config), part) {
			t.Errorf("%q isn't in\n%s", part, b.Config)
		}
	}
}

func TestWriteLeavesAnExistingFileAlone(t *testing.T) {
	t.Parallel()
	dir := bundleWith(t, "mine")
	err := Write(dir, Default(false))
	if err == nil || !strings.Contains(err.Error(), "config.json") || !strings.Contains(err.Error(), "exists") {
		t.Errorf("error %v", err)
	}
	if text, err := os.ReadFile(dir + "/config.json"); err != nil || string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestWriteDoesNotFollowADanglingLink(t *testing.T) {
	t.Parallel()
	dir, target := t.TempDir(), t.TempDir()+"/made"
	check(t, os.Symlink(target, dir+"/config.json"))
	if err := Write(dir, Default(false)); err == nil {
		t.Error("no error")
	}
	if _, err := os.Lstat(target); err == nil {
		t.Error("made the link's target")
	}
}

func TestWriteToAMissingDirectorySaysSo(t *testing.T) {
	t.Parallel()
	if err := Write("/nowhere", Default(false)); err == nil || !strings.Contains(err.Error(), "no such file or directory") {
		t.Errorf("error %v", err)
	}
}

// The umask belongs to the whole process: not in parallel.
func TestWriteFollowsTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o022, 0o077} {
		dir := t.TempDir()
		old := unix.Umask(mask)
		err := Write(dir, Default(false))
		unix.Umask(old)
		check(t, err)
		info, err := os.Stat(dir + "/config.json")
		check(t, err)
		if want := 0o666 &^ os.FileMode(mask); info.Mode() != want {
			t.Errorf("umask %o: mode %o, not %o", mask, info.Mode(), want)
		}
	}
}
