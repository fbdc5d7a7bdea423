package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
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
	r.cycle = results{"minirt": times(10), "runc": times(100), "crun": times(11), floorName: times(8)}
	r.run = results{"minirt": times(10), floorName: times(2)}
	var missed []string
	for _, m := range r.allMarks() {
		if !m.met {
			missed = append(missed, m.what)
		}
	}
	want := []string{"create + start + delete, of crun's, wall time", "create + start + delete, of crun's, CPU time",
		"run, of the floor's, wall time", "run, of the floor's, CPU time"}
	if !slices.Equal(missed, want) {
		t.Errorf("missed %q, want %q", missed, want)
	}
}
