package checklist

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const page = "../../../docs/conformance.md"

// All but the results, which only a run of the tests can tell.
func TestThePageIsCurrent(t *testing.T) {
	groups, err := Read()
	if err == nil {
		err = Scan("../../..", Rows(groups))
	}
	if err != nil {
		t.Fatal(err)
	}
	tools, err := ReadTools()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Page(groups, Told(string(have)), tools), string(have)); diff != "" {
		t.Errorf("docs/conformance.md is not current; go run ./hack/conformance/run (-want +have):\n%s", diff)
	}
}

func TestThePageTellsOfNoFailure(t *testing.T) {
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(have)) {
		for _, result := range []string{"fail", "missing", "skip"} {
			if strings.HasSuffix(line, "| "+words[result]+" |\n") {
				t.Error(line)
			}
		}
	}
}

func TestEveryProgramOfRuntimeToolsThatFailsIsExplained(t *testing.T) {
	tools, err := ReadTools()
	if err != nil {
		t.Fatal(err)
	}
	if got := tools.Unexplained(); len(got) > 0 {
		t.Errorf("no reason for %q", got)
	}
	if n := len(tools.programs); n != 58 {
		t.Errorf("%d programs, want 58", n)
	}
}

func TestResultsOfSubtestsThatNameARowAreTheRows(t *testing.T) {
	r := Results{}
	events := `{"Action":"pass","Package":"m/a","Test":"TestX/ND-01_one"}
{"Action":"fail","Package":"m/a","Test":"TestX/ND-02_two"}
{"Action":"fail","Package":"m/a","Test":"TestX"}
{"Action":"skip","Package":"m/a","Test":"TestY"}
{"Action":"output","Package":"m/a","Test":"TestZ"}
`
	if err := r.Add(strings.NewReader(events), "m"); err != nil {
		t.Fatal(err)
	}
	x, y, z := Test{"a", "TestX"}, Test{"a", "TestY"}, Test{"a", "TestZ"}
	for _, c := range []struct {
		row  *Row
		want string
	}{
		{&Row{ID: "ND-01", Tests: []Test{x, y}}, "pass"},
		{&Row{ID: "ND-02", Tests: []Test{x}}, "fail"},
		{&Row{ID: "ND-03", Tests: []Test{x, y}}, "fail"},
		{&Row{ID: "ND-04", Tests: []Test{y, z}}, "skip"},
		{&Row{ID: "ND-05", Tests: []Test{z}}, "missing"},
		{&Row{ID: "ND-06", Exempt: "why"}, "exempt"},
	} {
		if got := r.Of(c.row); got != c.want {
			t.Errorf("%s: %s, want %s", c.row.ID, got, c.want)
		}
	}
	if err := r.Add(strings.NewReader(`{"Action":"pass","Package":"guest:a,user","Test":"TestY"}`), "m"); err != nil || r.Of(&Row{Tests: []Test{y}}) != "pass" {
		t.Errorf("a guest's result doesn't count: %v", err)
	}
}
