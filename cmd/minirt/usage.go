package main

import (
	"strings"

	"github.com/alecthomas/kong"
)

// columns is the width that help is made for.
const columns = 80

const about = `minirt runs OCI containers. A container is made of a bundle, a directory with a config.json and mostly a root file system; "deploy" and "spec" make bundles.`

const statuses = `0 if all went well, 1 for any error. A container that "run" waits for passes its own on: the program's exit status, or 128 and the number of the signal that ended it.`

const logging = `Errors go to standard error, one line each; where there is one thing to do about one, a line of advice follows. With --log FILE they are appended to FILE too, with level, msg and time, and there is no advice.`

// overview is the help of minirt as a whole.
func overview() string {
	var p page
	p.line("Usage: minirt [GLOBAL FLAGS] VERB [FLAGS] [ARGUMENTS]")
	p.paragraph(about)
	for _, group := range [...]string{running, looking, bundled, itself} {
		p.heading(group)
		for i := range verbs {
			if verbs[i].group == group {
				p.row(verbs[i].name, verbs[i].help, 10)
			}
		}
	}
	p.heading("Global flags, before the verb")
	p.flags(model("", new(globals)))
	p.heading("To begin")
	p.line("  minirt deploy --run hello /bin/echo hello")
	p.paragraph("Exit status: " + statuses)
	p.paragraph(logging)
	p.paragraph(`"minirt help VERB" explains a verb.`)
	return p.text.String()
}

// page is the help of a verb.
func (v *verb) page(c command) string {
	n := model(v.name, c)
	var p page
	p.line("Usage: " + usageLine(n))
	for paragraph := range strings.SplitSeq(c.Help(), "\n\n") {
		p.paragraph(paragraph)
	}
	if len(n.Positional) > 0 {
		p.heading("Arguments")
		for _, a := range n.Positional {
			p.row(a.Name, helpOf(a), 10)
		}
	}
	p.heading("Flags")
	p.flags(n)
	p.heading("For example")
	for line := range strings.SplitSeq(c.Example(), "\n") {
		p.line("  " + line)
	}
	p.paragraph(`Global flags stand before the verb: see "minirt --help".`)
	return p.text.String()
}

// usageLine is the form of a verb's command lines.
func usageLine(n *kong.Node) string {
	line := "minirt " + n.Name
	for _, f := range n.Flags {
		if f.Name != "help" {
			line += " [FLAGS]"
			break
		}
	}
	for _, a := range n.Positional {
		name := a.Name
		if a.IsSlice() {
			name += "..."
		}
		if !a.Required {
			name = "[" + name + "]"
		}
		line += " " + name
	}
	return line
}

// helpOf is what a flag or an argument means, with its words and its default.
func helpOf(v *kong.Value) string {
	text := v.Help
	if v.Enum != "" {
		text += " One of " + listed(v.Enum) + "."
	}
	if v.Default != "" {
		text = strings.TrimSuffix(text, ".") + " (default: " + v.Default + ")."
	}
	return text
}

// names are the forms of a flag: -b, --bundle DIR.
func names(f *kong.Flag) string {
	text := "    --" + f.Name
	if f.Short != 0 {
		text = "-" + string(f.Short) + ", --" + f.Name
	}
	switch {
	case f.Tag.Optional:
		text += "[=" + f.PlaceHolder + "]"
	case !f.IsBool():
		text += " " + f.PlaceHolder
	}
	return text
}

// A page is help in the making.
type page struct{ text strings.Builder }

func (p *page) line(s string) { p.text.WriteString(s + "\n") }

func (p *page) heading(s string) { p.line("\n" + s + ":") }

func (p *page) paragraph(s string) {
	p.line("")
	for _, l := range wrap(s, columns) {
		p.line(l)
	}
}

// flags adds a row for each flag.
func (p *page) flags(n *kong.Node) {
	width := 0
	for _, f := range n.Flags {
		width = max(width, len(names(f)))
	}
	for _, f := range n.Flags {
		if !f.Hidden {
			p.row(names(f), helpOf(f.Value), width)
		}
	}
}

// row puts text into the second of two columns, whose first has the given width.
func (p *page) row(name, text string, width int) {
	margin := strings.Repeat(" ", width+4)
	for i, l := range wrap(text, columns-len(margin)) {
		if i == 0 {
			l = "  " + name + margin[min(2+len(name), len(margin)-2):] + l
		} else {
			l = margin + l
		}
		p.line(l)
	}
}

// wrap breaks text into lines of at most width letters, but for longer words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
