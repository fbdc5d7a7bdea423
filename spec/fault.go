package spec

import (
	"slices"
	"strconv"
	"strings"
)

// A Fault is one thing that is wrong with a config, or, among warnings, odd.
type Fault struct {
	Path         string // as in mounts[2].destination; "" for the document as a whole
	Line, Column int    // from 1, in characters; 0 where unknown
	Text         string // as in "srv" is not absolute
	File         string // name of the document; "" is config.json
}

// Before tells whether f's place in the document is before that of g.
func (f *Fault) Before(g *Fault) bool {
	return f.Line < g.Line || f.Line == g.Line && f.Column < g.Column
}

// Error gives the fault on one line: path, text, place.
func (f Fault) Error() string {
	text := f.Text
	if f.Path != "" {
		text = f.Path + ": " + text
	}
	file := f.File
	if file == "" {
		file = "config.json"
	}
	if f.Line == 0 {
		return text + " (" + file + ")"
	}
	return text + " (" + file + ":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column) + ")"
}

// Faults are all that is wrong with a config, in the order of the document.
type Faults []Fault

// Error gives all faults on one line.
func (fs Faults) Error() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.Error()
	}
	return strings.Join(texts, "; ")
}

// In gives the faults as those of a document with another name.
func (fs Faults) In(file string) Faults {
	named := slices.Clone(fs)
	for i := range named {
		named[i].File = file
	}
	return named
}
