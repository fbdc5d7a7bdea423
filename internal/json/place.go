package json

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Path gives the path of what the fault is about, as in mounts[2].destination.
func (f *Fault) Path(doc string) string {
	path := PathAt(doc, f.Offset)
	if f.Kind == Absent {
		return Join(path, f.Name)
	}
	return path
}

// LineColumn gives the line and column, both from 1, of an offset; a column is a character.
func LineColumn(doc string, offset int) (line, column int) {
	before := doc[:min(offset, len(doc))]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])
}

// Join appends a member's name to a path: .name, or ["name"] where a dot would mislead.
func Join(path, name string) string {
	for i := range len(name) {
		c := name[i]
		if c != '_' && c != '-' && (c < '0' || c > '9' || i == 0) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return path + "[" + strconv.Quote(name) + "]"
		}
	}
	if name == "" {
		return path + `[""]`
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// Index appends an element's number to a path.
func Index(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

// PathAt gives the path of the value or name at an offset. The document may be broken from there on.
func PathAt(doc string, offset int) string {
	w := walk{d: Decoder{doc: doc}}
	for w.next() && w.pos < offset && w.key != offset {
	}
	path := ""
	for _, s := range w.stack {
		if s.array {
			path = Index(path, max(s.index, 0))
		} else if s.named {
			path = Join(path, s.name)
		}
	}
	return path
}

// A walk goes over the values of a document in its order and knows where each one stands.
type walk struct {
	d     Decoder
	stack []step // the containers around the present value
	key   int    // where the present value's name begins, or the value if it has none
	pos   int    // where the present value begins
	begun bool
}

// A step is one container on the way, and where in it the walk is.
type step struct {
	array bool
	named bool
	name  string
	index int
}

// next goes to the next value, into containers too; false at the end and where the document is broken.
func (w *walk) next() bool {
	d := &w.d
	if !w.begun {
		w.begun = true
		return w.value()
	}
	switch c := d.peek(); c {
	case '{', '[':
		d.pos++
		w.stack = append(w.stack, step{array: c == '[', index: -1})
	default:
		d.Skip()
	}
	for len(w.stack) > 0 && !d.over {
		top := &w.stack[len(w.stack)-1]
		switch c := d.peek(); c {
		case '}', ']':
			d.pos++
			w.stack = w.stack[:len(w.stack)-1]
			continue
		case ',':
			d.pos++
			d.peek()
		}
		if top.array {
			top.index++
			return w.value()
		}
		return w.member(top)
	}
	return false
}

// member goes to the value of the member that begins here.
func (w *walk) member(top *step) bool {
	d := &w.d
	if d.at() != '"' {
		return false
	}
	key := d.pos
	name, _ := d.text()
	top.name, top.named = name, !d.over
	if d.peek() != ':' {
		return false
	}
	d.pos++
	w.value()
	w.key = key
	return true
}

// value makes what is next the present value.
func (w *walk) value() bool {
	w.d.peek()
	w.key, w.pos = w.d.pos, w.d.pos
	return w.pos < len(w.d.doc)
}

// Find gives the offset of the value that stands at a path. If there is none,
// ok is false and the offset is that of the nearest object or array around it.
func Find(doc, path string) (offset int, ok bool) {
	d := Decoder{doc: doc}
	for d.peek(); ; d.peek() {
		offset = d.pos
		if path == "" {
			return offset, true
		}
		var s step
		if s, path = firstStep(path); !d.enter(s) {
			return offset, false
		}
	}
}

// firstStep takes the first step off a path; what can't be read of it is a name that nothing has.
func firstStep(path string) (s step, rest string) {
	if path[0] != '[' {
		path = strings.TrimPrefix(path, ".")
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		return step{name: path[:end]}, path[end:]
	}
	if quoted, err := strconv.QuotedPrefix(path[1:]); err == nil {
		name, _ := strconv.Unquote(quoted)
		return step{name: name}, strings.TrimPrefix(path[1+len(quoted):], "]")
	}
	number, rest, _ := strings.Cut(path[1:], "]")
	index, err := strconv.Atoi(number)
	return step{array: err == nil, index: index, name: path}, rest
}

// enter goes from a container to the value that is one step inside.
func (d *Decoder) enter(s step) bool {
	switch c := d.peek(); {
	case s.array && c == '[' && d.array():
		for n := 0; d.element(n); n++ {
			if n == s.index {
				return true
			}
			d.Skip()
		}
	case !s.array && c == '{':
		for o := d.Object(); o.Next(); d.Skip() {
			if o.Key == s.name {
				return true
			}
		}
	}
	return false
}
