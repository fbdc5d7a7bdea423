package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// groups are the checklist's that need a whole runtime, and how many rows each has.
var groups = []struct {
	name string
	rows int
}{
	{"LC", 22}, {"ST", 8}, {"BN", 8}, {"EX", 3}, {"AN", 4}, {"RT", 4}, {"PR", 22}, {"RL", 4}, {"CP", 4}, {"HT", 3}, {"HK", 13},
	{"NS", 8}, {"US", 4}, {"TM", 3}, {"SY", 3}, {"PN", 3}, {"MP", 3}, {"CG", 14}, {"DC", 6}, {"MM", 7}, {"CU", 5}, {"PI", 3},
}

// A row that no test names must stand in README.md, with the reason.
func TestEveryRowHasATestOrAReason(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, name := range append(files, "README.md") {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	for _, g := range groups {
		for n := 1; n <= g.rows; n++ {
			if row := fmt.Sprintf("%s-%02d", g.name, n); !strings.Contains(text.String(), row) {
				t.Errorf("%s: no test names it, and README.md gives no reason", row)
			}
		}
	}
}
