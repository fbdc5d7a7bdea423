package checklist

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
)

// Results are what became of tests: package.Test, with subtests, to pass, fail or skip.
type Results map[string]string

// Add reads the events of `go test -json` of a module. Where a test was run more
// than once, as on a guest that has what this machine lacks, one that passes
// makes up for one that is skipped, and one that fails for none.
func (r Results) Add(events io.Reader, module string) error {
	s := bufio.NewScanner(events)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		var e struct{ Action, Package, Test string }
		if json.Unmarshal(s.Bytes(), &e) != nil || e.Test == "" {
			continue
		}
		pkg := strings.TrimPrefix(strings.TrimPrefix(e.Package, "guest:"), module+"/")
		pkg, _, _ = strings.Cut(pkg, ",") // guest:internal/cgroup,user
		name := pkg + "." + e.Test
		switch e.Action {
		case "fail", "pass", "skip":
			r[name] = worse(r[name], e.Action)
		}
	}
	return s.Err()
}

// worse is what two results are together.
func worse(a, b string) string {
	for _, one := range [...]string{"fail", "pass", "skip"} {
		if a == one || b == one {
			return one
		}
	}
	return "missing"
}

// Of is what became of a row: fail, if one of its tests failed; else pass, if one
// passed; else skip; missing where none was run. Of a test with subtests that name
// rows only the row's own count.
func (r Results) Of(row *Row) string {
	if row.Exempt != "" {
		return "exempt"
	}
	result := ""
	for _, t := range row.Tests {
		own := ""
		for name, one := range r {
			if below, ok := strings.CutPrefix(name, t.String()+"/"); ok && strings.Contains(below, row.ID) {
				own = worse(own, one)
			}
		}
		if own == "" {
			own = r[t.String()]
		}
		result = worse(result, own)
	}
	return result
}
