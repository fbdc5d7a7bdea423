package plan

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Text prints the whole plan, one step a line, in the grammar of docs/plan.md.
func (p *Plan) Text() string {
	lines := make([]string, len(p.Steps))
	width := 0
	for i := range p.Steps {
		lines[i] = number(i) + "  " + p.Line(i)
		if n := len(lines[i]); n <= 110 {
			width = max(width, n)
		}
	}
	var b strings.Builder
	for i, l := range lines {
		b.WriteString(l)
		if o := p.Steps[i].Origin; o != "" {
			b.WriteString(strings.Repeat(" ", max(width-len(l), 0)+2))
			b.WriteString(o)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func number(i int) string {
	s := strconv.Itoa(i)
	return strings.Repeat(" ", max(4-len(s), 0)) + s
}

// Line prints one step without its number and origin.
func (p *Plan) Line(i int) string {
	s := &p.Steps[i]
	var b strings.Builder
	if s.Result != None {
		b.WriteString(p.name(uint32(s.Result)) + " = ")
	}
	b.WriteString(p.Sentence(i))
	tolerated := ""
	for _, e := range s.Tolerated {
		if e != 0 {
			tolerated += "|" + unix.ErrnoName(unix.Errno(e))
		}
	}
	if tolerated != "" {
		b.WriteString("  or " + tolerated[1:])
		if s.OnTolerated > 0 {
			b.WriteString(" then skip " + strconv.Itoa(int(s.OnTolerated)))
		}
	}
	if s.Flags&ZeroFails != 0 {
		b.WriteString("  0 fails")
	}
	switch {
	case s.OnSuccess == 0:
	case s.Flags&IfZero != 0:
		b.WriteString("  if 0 skip " + strconv.Itoa(int(s.OnSuccess)))
	default:
		b.WriteString("  then skip " + strconv.Itoa(int(s.OnSuccess)))
	}
	return b.String()
}

// Sentence prints the call of a step alone, as strace would: name and arguments.
func (p *Plan) Sentence(i int) string {
	return p.Steps[i].Call.Name() + "(" + strings.Join(p.Arguments(i), ", ") + ")"
}

// Arguments prints the arguments of a step.
func (p *Plan) Arguments(i int) []string {
	s := &p.Steps[i]
	args := make([]string, s.Argc)
	for j := range args {
		f := calls[s.Call].params[j]
		switch s.Kinds[j] {
		case Value:
			args[j] = p.name(uint32(s.Args[j]))
		case InCells:
			args[j] = "&" + p.name(uint32(s.Args[j]))
		case InData:
			args[j] = p.memory(s, j, f)
		default:
			args[j] = p.constant(s, j, f)
		}
	}
	return args
}

// JSON prints the plan as one JSON array of steps.
func (p *Plan) JSON(quote func(dst []byte, s string) []byte) []byte {
	b := []byte("[")
	for i := range p.Steps {
		s := &p.Steps[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n  {\"step\": "...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = quote(append(b, `, "call": `...), s.Call.Name())
		b = append(b, `, "arguments": [`...)
		for j, a := range p.Arguments(i) {
			if j > 0 {
				b = append(b, ", "...)
			}
			b = quote(b, a)
		}
		b = append(b, ']')
		if s.Result != None {
			b = quote(append(b, `, "result": `...), p.name(uint32(s.Result)))
		}
		b = quote(append(b, `, "line": `...), p.Line(i))
		b = quote(append(b, `, "origin": `...), s.Origin)
		b = append(b, '}')
	}
	return append(b, "\n]\n"...)
}
