package checklist

import (
	"fmt"
	"strings"

	_ "embed"
)

// Tools are the verdicts of runtime-tools' validation programs, and why some fail.
type Tools struct {
	columns  []string
	programs []string
	verdicts map[string][]string // pass or fail, one a column
	reasons  map[string][2]string
}

//go:embed tools.txt
var toolsText string

//go:embed reasons.txt
var reasonsText string

// ReadTools reads tools.txt, which hack/conformance/runtime-tools writes, and reasons.txt.
func ReadTools() (*Tools, error) {
	t := &Tools{verdicts: map[string][]string{}, reasons: map[string][2]string{}}
	for line := range strings.Lines(toolsText) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if t.columns == nil {
			t.columns = f[1:]
			continue
		}
		if len(f) != len(t.columns)+1 {
			return nil, fmt.Errorf("tools.txt: %q has not %d columns", line, len(t.columns)+1)
		}
		t.programs, t.verdicts[f[0]] = append(t.programs, f[0]), f[1:]
	}
	for line := range strings.Lines(reasonsText) {
		f := strings.Split(strings.TrimSpace(line), " | ")
		if len(f) != 3 || t.verdicts[f[0]] == nil {
			return nil, fmt.Errorf("reasons.txt: %q is not PROGRAM | WHOSE FAULT | WHY", line)
		}
		t.reasons[f[0]] = [2]string{f[1], f[2]}
	}
	return t, nil
}

// section is the page's part about them.
func (t *Tools) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, `
## opencontainers/runtime-tools

Its %d validation programs (v0.9.0, which knows the specification up to 1.0.1), built and run by
`+"`go run ./hack/conformance/runtime-tools`"+`. A program passes if it ends with status 0, prints no "not ok", and no error
where it prints no check at all. "guest" is a pass in hack/vm's guest, which has AppArmor and all capabilities,
of what fails here for want of them (minirt and runc alone were tried there). They are built so that Go leaves the limit of open files alone, as it
did when they were written.

| | %s |
|---|%s
`, len(t.programs), strings.Join(t.columns, " | "), strings.Repeat("---|", len(t.columns)))
	sums := make([]string, len(t.columns))
	for i := range t.columns {
		n := 0
		for _, p := range t.programs {
			if t.verdicts[p][i] != "fail" {
				n++
			}
		}
		sums[i] = fmt.Sprintf("**%d**", n)
	}
	fmt.Fprintf(&b, "| **pass** | %s |\n", strings.Join(sums, " | "))
	for _, p := range t.programs {
		fmt.Fprintf(&b, "| %s | %s |\n", p, strings.Join(t.verdicts[p], " | "))
	}
	b.WriteString("\nWhy minirt fails, or may:\n\n| Program | Because of | Why |\n|---|---|---|\n")
	for _, p := range t.programs {
		if r, ok := t.reasons[p]; ok {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", p, r[0], r[1])
		}
	}
	return b.String()
}

// Unexplained are the programs that minirt fails and no reason is given for.
func (t *Tools) Unexplained() (programs []string) {
	for _, p := range t.programs {
		if _, ok := t.reasons[p]; !ok && t.verdicts[p][0] != "pass" {
			programs = append(programs, p)
		}
	}
	return programs
}
