package checklist

import (
	"fmt"
	"regexp"
	"testing"
)

func read248(t *testing.T) []*Row {
	t.Helper()
	groups, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	rows := Rows(groups)
	if err := Scan("../../..", rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestEveryRowHasATestOrAReason(t *testing.T) {
	rows := read248(t)
	for _, r := range rows {
		switch {
		case len(r.Tests) == 0 && r.Exempt == "":
			t.Errorf("%s: no test names it, and no reason says why none can", r.ID)
		case len(r.Tests) > 0 && r.Exempt != "":
			t.Errorf("%s is exempt, and has the test %v", r.ID, r.Tests[0])
		}
	}
	if len(rows) != 248 {
		t.Errorf("%d rows, want 248", len(rows))
	}
}

func TestRowsAreNumberedWithoutAGap(t *testing.T) {
	level := regexp.MustCompile(`^(MUST\*?|SHOULD|MAY|OWN)$`)
	next := map[string]int{}
	for _, r := range read248(t) {
		g := r.ID[:2]
		next[g]++
		if want := fmt.Sprintf("%s-%02d", g, next[g]); r.ID != want {
			t.Errorf("%s stands where %s is due", r.ID, want)
		}
		if !level.MatchString(r.Level) || r.Text == "" {
			t.Errorf("%s: level %q, text %q", r.ID, r.Level, r.Text)
		}
	}
}
