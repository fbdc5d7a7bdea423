// Package checklist knows what the OCI runtime-spec 1.3.0 binds a runtime to
// (checklist.txt), and which tests of this tree show it.
//
// A test shows a row when the row's number stands in its comment, its body, or a
// table or function of its package that it uses; a script of testdata is a
// subtest of TestScripts. Where neither will do, the row itself names the test.
package checklist

import (
	_ "embed"
	"fmt"
	"strings"
)

// A Group is a chapter of the specification.
type Group struct {
	Title string
	Rows  []*Row
}

// A Row is one thing that the specification asks for.
type Row struct {
	ID, Level, Text string
	Also            []string // tests that show it beside those that name it: "internal/cgroup.TestX"
	Exempt          string   // why no test can show it
	Tests           []Test   // found by Scan
}

//go:embed checklist.txt
var text string

// Read gives the checklist.
func Read() (groups []*Group, err error) {
	for n, line := range strings.Split(text, "\n") {
		title, isTitle := strings.CutPrefix(line, "## ")
		switch {
		case isTitle:
			groups = append(groups, &Group{Title: title})
		case line == "" || line[0] == '#':
		default:
			r, err := readRow(line)
			if err != nil || len(groups) == 0 {
				return nil, fmt.Errorf("checklist.txt:%d: %q: %w", n+1, line, err)
			}
			g := groups[len(groups)-1]
			g.Rows = append(g.Rows, r)
		}
	}
	return groups, nil
}

func readRow(line string) (*Row, error) {
	cells := strings.Split(line, " | ")
	if len(cells) < 3 {
		return nil, fmt.Errorf("want three cells")
	}
	r := &Row{ID: cells[0], Level: cells[1], Text: cells[2]}
	for _, c := range cells[3:] {
		also, isAlso := strings.CutPrefix(c, "also: ")
		exempt, isExempt := strings.CutPrefix(c, "exempt: ")
		switch {
		case isAlso:
			r.Also = strings.Fields(also)
		case isExempt:
			r.Exempt = exempt
		default:
			return nil, fmt.Errorf("%q is neither also: nor exempt:", c)
		}
	}
	return r, nil
}

// Rows are those of all groups.
func Rows(groups []*Group) (rows []*Row) {
	for _, g := range groups {
		rows = append(rows, g.Rows...)
	}
	return rows
}
