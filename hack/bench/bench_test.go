package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestSeriesAreReadAtTheirShares(t *testing.T) {
	var s series
	for i := range 200 {
		s = append(s, time.Duration(200-i))
	}
	if s.min() != 1 || s.median() != 101 || s.p99() != 199 {
		t.Errorf("min %d, median %d, p99 %d of 1 to 200", s.min(), s.median(), s.p99())
	}
	if (series{}).median() != 0 {
		t.Error("an empty series has a median")
	}
}

func TestContendersAreCalledInTheirOwnWords(t *testing.T) {
	h := &host{dir: t.TempDir(), group: "/g"}
	tests := []struct{ spec, verb, want string }{
		{"/bin/true", "create", "/bin/true --root R create --bundle B id"},
		{"/bin/true", "delete", "/bin/true --root R delete --force id"},
		{"/bin/true {verb} {bundle} {id}", "run", "/bin/true run --bundle B id"},
		{"/bin/true -x {verb} {id}", "delete", "/bin/true -x delete --force id"},
	}
	for _, tt := range tests {
		c, err := newContender("c", tt.spec, h)
		if err != nil {
			t.Fatal(err)
		}
		var flags []string
		if tt.verb == "delete" {
			flags = []string{"--force"}
		}
		got := strings.Join(c.command(tt.verb, "id", flags...), " ")
		got = strings.NewReplacer(c.root, "R", c.bundle, "B").Replace(got)
		if got != tt.want {
			t.Errorf("%q, %s: %s, want %s", tt.spec, tt.verb, got, tt.want)
		}
	}
}

func TestTheReportNamesNoPathOfThisMachine(t *testing.T) {
	old := os.Args
	t.Cleanup(func() { os.Args = old })
	os.Args = []string{"bench", "-rounds", "5", "-contender", "a=/somewhere/b/c {verb}", "-contender", "d=/somewhere/e"}
	want := "go -C hack/bench run . -rounds 5 -contender 'a=c {verb}' -contender d=e"
	if got := commandLine(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMarksCompareTheSubjectWithEachPeer(t *testing.T) {
	times := func(d time.Duration) *result { return &result{whole: series{d}, cpu: series{d}} }
	r := newReport(&options{subject: "minirt"}, nil)
	r.experiments = []*experiment{
		{title: cycleTitle, goals: []goal{{"runc", 0.25}, {"crun", 0.55}, {floorName, 1.8}, {"minirt without it", 1.08}},
			took: results{"minirt": times(10), "runc": times(100), "crun": times(11), floorName: times(8), "minirt without it": times(5)}},
		{title: runTitle, goals: []goal{{floorName, 1.6}, {"absent", 0.1}}, took: results{"minirt": times(10), floorName: times(2)}},
	}
	var missed []string
	for _, m := range r.allMarks() {
		if !m.met {
			missed = append(missed, m.what)
		}
	}
	want := []string{"create + start + delete, of crun's, wall time", "create + start + delete, of crun's, CPU time",
		"create + start + delete, of minirt's without it, wall time", "create + start + delete, of minirt's without it, CPU time",
		"run, of the floor's, wall time", "run, of the floor's, CPU time"}
	if !slices.Equal(missed, want) {
		t.Errorf("missed %q, want %q", missed, want)
	}
}

func TestAMarkNamesWhatItIsOf(t *testing.T) {
	for name, want := range map[string]string{"runc": "runc's", floorName: "the floor's", "minirt without it": "minirt's without it"} {
		if got := possessive(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

func TestBareCallsOpenAFileOnceForItsValues(t *testing.T) {
	var c bareCall
	for _, file := range []string{"a", "b", "b", "a"} {
		c.add(file, []byte("1"))
	}
	var got []string
	for _, w := range c.writes {
		got = append(got, w.file+strings.Repeat("1", len(w.values)))
	}
	if want := []string{"a1", "b11", "a1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAVariantHasItsProgramItsCgroupAndTheProfile(t *testing.T) {
	dir := t.TempDir()
	built := filepath.Join(dir, "built")
	if err := os.WriteFile(built, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	c := &contender{name: "c", bundle: filepath.Join(dir, "c"), group: "/g/c", program: trueProgram}
	all, err := (&tools{true: built, pause: built}).variants([]*contender{c}, "held", func(c *contender) {
		c.program, c.profile = pauseProgram, true
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "c-held/config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s specs.Spec
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	if s.Linux.CgroupsPath != "/g/c-held" || all[0].group != "/g/c-held" || s.Process.Args[0] != pauseProgram {
		t.Errorf("cgroup %s of %s, program %s", s.Linux.CgroupsPath, all[0].group, s.Process.Args[0])
	}
	if p := s.Linux.Seccomp; p == nil || len(p.Syscalls) < 40 || runtime.GOARCH == "amd64" && len(p.Architectures) != 3 {
		t.Errorf("the profile is %+v", p)
	}
	if c.program != trueProgram || c.profile {
		t.Error("the variant has changed the contender")
	}
}
