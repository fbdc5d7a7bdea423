package plan

import (
	"strconv"
	"strings"
)

// widest is the longest line that the column of origins gives way to.
const widest = 110

// Text prints the whole plan, one step a line, and then what its cells hold at
// the start, in the grammar of docs/plan.md.
func (p *Plan) Text() string {
	lines := make([]string, len(p.Steps))
	width := 0
	for i := range p.Steps {
		lines[i] = number(i) + "  " + p.Line(i)
		if n := len(lines[i]); n <= widest {
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
	p.printCells(&b)
	return b.String()
}

// printCells prints what the cells hold at the start.
func (p *Plan) printCells(b *strings.Builder) {
	for _, n := range p.names {
		if contents := p.contents(n); contents != "" {
			b.WriteString("   &  " + n.name + " = " + contents + "\n")
		}
	}
}

func number(i int) string {
	s := strconv.Itoa(i)
	return strings.Repeat(" ", max(4-len(s), 0)) + s
}

// Unnumbered is Text without numbers and columns: a jump is told by how many
// steps it passes over. So a step that is put in changes no line but those of
// jumps over it, and two plans can be compared line by line.
func (p *Plan) Unnumbered() string {
	var b strings.Builder
	for i := range p.Steps {
		b.WriteString(p.line(i, over))
		if o := p.Steps[i].Origin; o != "" {
			b.WriteString("  " + o)
		}
		b.WriteByte('\n')
	}
	p.printCells(&b)
	return b.String()
}

// Line prints one step without its number and origin.
func (p *Plan) Line(i int) string { return p.line(i, skip) }

// line is Line with jumps told in one way or the other.
func (p *Plan) line(i int, skip func(i int, steps uint16) string) string {
	s := &p.Steps[i]
	l := p.Sentence(i)
	if s.Result != None {
		l = p.registerName(uint32(s.Result)) + " = " + l
	}
	if s.Flags&ZeroFails != 0 {
		l += "  0 fails"
	}
	if s.OnSuccess > 0 {
		if s.Flags&IfZero != 0 {
			l += "  if 0"
		} else {
			l += "  then"
		}
		l += skip(i, s.OnSuccess)
	}
	if t := s.tolerated(); len(t) > 0 {
		l += "  or " + strings.Join(t, "|")
		if s.Flags&KeepErrno != 0 {
			l += " kept"
		}
		if s.OnTolerated > 0 {
			l += " then" + skip(i, s.OnTolerated)
		}
	}
	return l
}

func skip(i int, steps uint16) string { return " skip to " + strconv.Itoa(i+1+int(steps)) }

func over(_ int, steps uint16) string { return " skip " + strconv.Itoa(int(steps)) + " steps" }

func (s *Step) tolerated() (names []string) {
	for _, e := range s.Tolerated {
		if e != 0 {
			names = append(names, errnoName(uint64(e)))
		}
	}
	return names
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
			args[j] = p.registerName(uint32(s.Args[j]))
		case InCells:
			args[j] = "&" + p.cellName(uint32(s.Args[j]))
		case InData:
			args[j] = p.memory(s, j, f)
		default:
			args[j] = p.constant(s, j, f)
		}
	}
	return args
}

// registerName names the eight bytes at offset: a register made by Within may
// lie where its buffer begins.
func (p *Plan) registerName(offset uint32) string {
	for i := len(p.names) - 1; i >= 0; i-- {
		if n := &p.names[i]; n.offset == offset && n.size == 8 {
			return n.name
		}
	}
	return p.cellName(offset)
}

// cellName names the place at offset by the buffer that holds it.
func (p *Plan) cellName(offset uint32) string {
	for i := range p.names {
		if n := &p.names[i]; n.offset == offset {
			return n.name
		}
	}
	for i := range p.names {
		if n := &p.names[i]; n.offset < offset && offset < n.offset+n.size {
			return n.name + "+" + strconv.Itoa(int(offset-n.offset))
		}
	}
	return "cells+" + strconv.Itoa(int(offset))
}

// contents prints what a buffer holds at the start, word by word, or "" if that is nothing.
func (p *Plan) contents(n cellName) string {
	if p.cellName(n.offset) != n.name { // a register within another buffer
		return ""
	}
	var words []string
	something := false
	for at := n.offset; at < n.offset+n.size; at += 8 {
		w := hexadecimal(word(p.Cells[at:], 0))
		if t := p.pointer(at); t != "" {
			w = t
		}
		words, something = append(words, w), something || w != "0"
	}
	if !something {
		return ""
	}
	return "{" + strings.Join(words, ", ") + "}"
}

// pointer names the target of the pointer that stands at offset in the cells, if one does.
func (p *Plan) pointer(offset uint32) string {
	for _, f := range p.fixups {
		if f.Writable && f.Offset == offset {
			if f.Kind == InCells {
				return "&" + p.cellName(f.Target)
			}
			return "data"
		}
	}
	return ""
}
