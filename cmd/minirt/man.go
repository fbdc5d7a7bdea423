package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/minirt/minirt/lifecycle"
)

//go:generate go run . man ../../docs/man

// manFlags are those of a hidden verb: pages are made of the grammar, which
// only this package can see.
type manFlags struct {
	Dir string `arg:"" name:"DIR" help:"Where minirt.1 and minirt-VERB.1 are written."`
}

func (*manFlags) Help() string { return `Writes the man pages into a directory that exists.` }

func (*manFlags) Example() string { return "minirt man docs/man" }

func (f *manFlags) Run(*lifecycle.Runtime) (status int, err error) {
	if err := os.WriteFile(filepath.Join(f.Dir, "minirt.1"), []byte(manOverview()), 0o644); err != nil {
		return 0, err
	}
	for i := range verbs {
		v := &verbs[i]
		if v.group == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(f.Dir, "minirt-"+v.name+".1"), []byte(v.man()), 0o644); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// manOverview is minirt(1).
func manOverview() string {
	p := newRoff("minirt", "run OCI containers")
	p.section("SYNOPSIS")
	p.text(".B minirt\n[GLOBAL FLAGS] VERB [FLAGS] [ARGUMENTS]\n")
	p.section("DESCRIPTION")
	p.paragraph(about)
	for _, group := range [...]string{running, looking, bundled, itself} {
		p.section(strings.ToUpper(group))
		for i := range verbs {
			if verbs[i].group == group {
				p.item("minirt-"+verbs[i].name+"(1)", verbs[i].help)
			}
		}
	}
	p.section("GLOBAL FLAGS")
	p.paragraph("They stand before the verb. A flag may be written with one dash or with two, and its value behind a space or behind =.")
	p.flags(model("", new(globals)))
	p.section("EXIT STATUS")
	p.paragraph(statuses)
	p.section("ERRORS")
	p.paragraph(logging)
	p.paragraph("A failure is exactly one entry of FILE. Warnings are told at the end; on a failure they are part of its text.")
	p.section("EXAMPLES")
	p.example("minirt deploy --run hello /bin/echo hello")
	return p.String()
}

// man is minirt-VERB(1).
func (v *verb) man() string {
	c := v.new()
	n := model(v.name, c)
	p := newRoff("minirt-"+v.name, v.help)
	p.section("SYNOPSIS")
	p.text(".B minirt\n[GLOBAL FLAGS] " + roffEscape(strings.TrimPrefix(usageLine(n), "minirt ")) + "\n")
	p.section("DESCRIPTION")
	for paragraph := range strings.SplitSeq(c.Help(), "\n\n") {
		p.paragraph(paragraph)
	}
	if len(n.Positional) > 0 {
		p.section("ARGUMENTS")
		for _, a := range n.Positional {
			p.item(a.Name, helpOf(a))
		}
	}
	p.section("FLAGS")
	p.flags(n)
	p.section("EXIT STATUS")
	p.paragraph(statuses)
	p.section("EXAMPLES")
	p.example(c.Example())
	p.section("SEE ALSO")
	p.paragraph("minirt(1)")
	return p.String()
}

// A roff is a man page in the making (groff_man(7)).
type roff struct{ strings.Builder }

func newRoff(name, purpose string) *roff {
	p := new(roff)
	p.text(`.\" Made by "go generate ./cmd/minirt". DO NOT EDIT.` + "\n")
	p.text(".TH " + strings.ToUpper(roffEscape(name)) + ` 1 "" minirt "OCI containers"` + "\n")
	p.section("NAME")
	p.text(roffEscape(name) + ` \- ` + roffEscape(purpose) + "\n")
	return p
}

func (p *roff) text(s string)      { p.WriteString(s) }
func (p *roff) section(s string)   { p.text(".SH " + s + "\n") }
func (p *roff) paragraph(s string) { p.text(".PP\n" + roffEscape(s) + "\n") }

func (p *roff) item(name, text string) {
	p.text(".TP\n.B " + roffEscape(name) + "\n" + roffEscape(text) + "\n")
}

func (p *roff) flags(n *kong.Node) {
	for _, f := range n.Flags {
		if !f.Hidden {
			p.item(strings.TrimSpace(names(f)), helpOf(f.Value))
		}
	}
}

func (p *roff) example(s string) { p.text(".PP\n.nf\n" + roffEscape(s) + "\n.fi\n") }

// roffEscape keeps roff from reading text as its own words.
func roffEscape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
