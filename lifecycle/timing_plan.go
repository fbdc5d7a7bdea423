package lifecycle

import (
	"strings"

	"github.com/minirt/minirt/internal/plan"
)

// stamp makes the plan note the time, where somebody wants to know: of a
// container with a gate up to there, since nobody reads what comes behind it.
func (c *compiler) stamp() {
	f := &c.host.Files
	if f.Stamps == 0 {
		return
	}
	until := len(c.Steps)
	if f.Gate >= 0 {
		until = c.Gate
	}
	stamps, moved := c.Stamp(plan.Stamps{Memory: f.Stamps, Parent: f.Sync, Until: until, Each: c.host.StampEach})
	c.Stamps, c.Gate = stamps, moved[c.Gate]
}

// chaptersFrom names the chapter of a stamp. Behind a seccomp filter there are no
// more of them: the last one times the chapters that follow as well.
func (c *Compiled) chaptersFrom(s plan.Stamp) string {
	name := chapter(c.Steps[s.Step].Origin)
	if s != c.Stamps[len(c.Stamps)-1] {
		return name
	}
	for last, i := name, s.Step; i < len(c.Steps) && c.Steps[i].Call != plan.ExitGroup && i != c.Gate; i++ {
		if next := chapter(c.Steps[i].Origin); next != last {
			name, last = name+", "+next, next
		}
	}
	return name
}

// chapter is the part of a plan that a step's origin belongs to: a rule, or the
// property of config.json, with its first part for those that hold many.
func chapter(origin string) string {
	word, _, _ := strings.Cut(origin, " ")
	if strings.HasSuffix(word, ".md") {
		return origin
	}
	first, rest, found := strings.Cut(word, ".")
	if found && (first == "linux" || first == "process" || first == "root") {
		rest, _, _ = strings.Cut(rest, ".")
		rest, _, _ = strings.Cut(rest, "[")
		return first + "." + rest
	}
	first, _, _ = strings.Cut(first, "[")
	return first
}
