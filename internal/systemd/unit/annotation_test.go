package unit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An image can bring annotations: SEC-42 (CVE-2024-3154).
func TestAnAnnotationSetsNoPropertyThatIsNotOnTheList(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"ExecStopPost", "ExecStart", "Slice", "PIDs", "Delegate", "Description", "Wants", "Requires", "BindsTo", "Conflicts", "OnFailure",
		"DevicePolicy", "DeviceAllow", "BPFProgram", "IPIngressFilterPath", "SourcePath", "User", "NoSuchThing", "", "Sec", "timeoutStopUSec", "TimeoutStopUSec ",
	} {
		if p, why := Annotated(name, "'x'"); why == "" {
			t.Errorf("%q: %v", name, p)
		}
	}
}

func TestAnnotationsAreInGVariantsTextForm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       string
		value      any
	}{
		{"TimeoutStopUSec", "uint64 5", "TimeoutStopUSec", uint64(5)},
		{"TimeoutStopUSec", "5", "TimeoutStopUSec", uint64(5)},
		{"TimeoutStopSec", "uint64 5", "TimeoutStopUSec", uint64(5_000_000)},
		{"TimeoutStopSec", "1.5", "TimeoutStopUSec", uint64(1_500_000)},
		{"CollectMode", "'inactive-or-failed'", "CollectMode", "inactive-or-failed"},
		{"CollectMode", `"inactive"`, "CollectMode", "inactive"},
		{"DefaultDependencies", "true", "DefaultDependencies", true},
		{"After", "['crio.service', 'a.target']", "After", []string{"crio.service", "a.target"}},
		{"KillSignal", "int32 37", "KillSignal", int32(37)},
		{"KillSignal", "37", "KillSignal", int32(37)},
		{"AllowedCPUs", "[byte 3]", "AllowedCPUs", []byte{3}},
		{"MemoryHigh", "uint64 0x100000", "MemoryHigh", uint64(1 << 20)},
	} {
		p, why := Annotated(tt.name, tt.text)
		if why != "" {
			t.Errorf("%s %s: %s", tt.name, tt.text, why)
			continue
		}
		if d := cmp.Diff(Property{Name: tt.want, Value: tt.value}, p); d != "" {
			t.Errorf("%s %s: %s", tt.name, tt.text, d)
		}
	}
	for _, tt := range [][2]string{
		{"TimeoutStopUSec", "'5'"}, {"TimeoutStopUSec", "-5"}, {"TimeoutStopUSec", ""}, {"TimeoutStopUSec", "int32 5"}, {"TimeoutStopSec", "-1"}, {"TimeoutStopSec", "NaN"},
		{"TimeoutStopSec", "1e99"}, {"TimeoutStopSec", "uint64"}, {"CollectMode", "inactive"}, {"CollectMode", "5"}, {"DefaultDependencies", "1"}, {"After", "'x'"}, {"After", "["},
		{"KillSignal", "99999999999"},
	} {
		if p, why := Annotated(tt[0], tt[1]); why == "" {
			t.Errorf("%s %q: %v", tt[0], tt[1], p)
		}
	}
}

func FuzzAnnotated(f *testing.F) {
	f.Add("After", "['x', @as []]")
	f.Add("TimeoutStopSec", "uint64 5")
	f.Add("MemoryMax", "{'a': <1>}")
	f.Fuzz(func(t *testing.T, name, text string) {
		if p, why := Annotated(name, text); why == "" && p.Value == nil {
			t.Error("no value")
		}
	})
}
