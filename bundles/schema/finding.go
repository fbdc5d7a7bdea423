package schema

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// opinions are the places where the schema asks for more than the text of the
// specification: file modes end at 0777, without the setuid bit, and pids
// without a limit are an error, though the text has made it optional since 1.3.
var opinions = []struct{ path, text string }{
	{`^linux\.devices\[\d+\]\.fileMode$`, "is more than 511"},
	{`^linux\.resources\.pids$`, `"limit" is required`},
}

// find notes a finding, and whether it is the schema's opinion alone.
func (c *checker) find(path, format string, args ...any) {
	f := Finding{Path: path, Text: fmt.Sprintf(format, args...)}
	for _, o := range opinions {
		if strings.Contains(f.Text, o.text) && regexp.MustCompile(o.path).MatchString(path) {
			f.Opinion = true
			f.Text += " (the schema's opinion only: the text of the specification allows it)"
		}
	}
	c.findings = append(c.findings, f)
}

// sorted gives each finding once, in the order of paths and texts.
func (c *checker) sorted() []Finding {
	sort.Slice(c.findings, func(i, j int) bool {
		a, b := &c.findings[i], &c.findings[j]
		return a.Path < b.Path || a.Path == b.Path && a.Text < b.Text
	})
	return slices.Compact(c.findings)
}
