package checklist

import (
	"fmt"
	"strings"
)

// words are a page's words for results.
var words = map[string]string{"pass": "passes", "fail": "**fails**", "skip": "skipped", "missing": "not run", "exempt": "exempt"}

// Page is docs/conformance.md: the rows with their tests and what became of
// them, and what the validation programs of runtime-tools say.
func Page(groups []*Group, result func(*Row) string, tools *Tools) string {
	var b strings.Builder
	hold, bind, exempt := Count(groups, result)
	fmt.Fprintf(&b, `# Conformance

Made by `+"`go run ./hack/conformance/run`"+`: don't edit.

The OCI runtime-spec 1.3.0 as a list of what it binds a runtime on Linux to, in our words; each row with
the tests that show it, and what became of them when this page was made. **%d of %d** rows hold`, hold, bind)
	if exempt > 0 {
		fmt.Fprintf(&b, "; %d more are exempt, with the reason", exempt)
	}
	b.WriteString(`.

MUST, SHOULD and MAY are the text's own. MUST\* has no such word in its sentence, and binds because every
property is applied or create fails, and invalid values are errors. OWN is our choice where the text is silent.
*Refuse* means: an exit status that isn't 0, an error that names the place in config.json and the value, and
nothing left behind. D-numbers are known mistakes of other runtimes. A test that skips where the machine lacks what it needs
was run in a guest that has it (hack/vm).
`)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n| Row | Level | What minirt does | Tests | Result |\n|---|---|---|---|---|\n", g.Title)
		for _, r := range g.Rows {
			tests := r.Exempt
			for i, t := range r.Tests {
				if i > 0 {
					tests += "<br>"
				}
				tests += "`" + t.String() + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.ID, r.Level, strings.ReplaceAll(r.Text, "|", `\|`), tests, words[result(r)])
		}
	}
	b.WriteString(tools.section())
	return b.String()
}

// Count counts the rows that hold, those that bind, and those that are exempt.
func Count(groups []*Group, result func(*Row) string) (hold, bind, exempt int) {
	for _, r := range Rows(groups) {
		switch result(r) {
		case "exempt":
			exempt++
			continue
		case "pass":
			hold++
		}
		bind++
	}
	return hold, bind, exempt
}

// Told reads the results out of a page.
func Told(page string) func(*Row) string {
	told := map[string]string{}
	for line := range strings.Lines(page) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		id, ok := strings.CutPrefix(cells[0], "| ")
		if !ok {
			continue
		}
		for result, word := range words {
			if strings.TrimSuffix(cells[len(cells)-1], " |") == word {
				told[id] = result
			}
		}
	}
	return func(r *Row) string { return told[r.ID] }
}
