package json

import (
	"strconv"
	"unicode/utf8"
)

// A Decoder is the state of one reading. Its methods each take the next value.
type Decoder struct {
	doc     string
	pos     int
	depth   int
	over    bool // a fault has ended the reading; pos is at the end
	unknown bool // note unknown members
	faults  []Fault
	names   []string // names of open objects' members that no field takes
}

// peek goes to the next byte that is no white space and gives it, or 0 at the end.
func (d *Decoder) peek() byte {
	doc, i := d.doc, d.pos
	for i < len(doc) {
		c := doc[i]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			d.pos = i
			return c
		}
		i++
	}
	d.pos = i
	return 0
}

// note keeps a fault; too many of them end the reading.
func (d *Decoder) note(f Fault) {
	if d.over {
		return
	}
	d.faults = append(d.faults, f)
	if len(d.faults) == MaxFaults {
		d.syntax("too many faults, the rest was not read")
	}
}

// syntax notes a fault at the present place and ends the reading.
func (d *Decoder) syntax(text string) {
	if !d.over {
		d.over = true
		d.faults = append(d.faults, Fault{Kind: Syntax, Offset: d.pos, Text: text})
	}
	d.pos = len(d.doc)
}

// here words what stands at the present place.
func (d *Decoder) here() string {
	if d.pos >= len(d.doc) {
		return "end of the document"
	}
	r, size := utf8.DecodeRuneInString(d.doc[d.pos:])
	if r == utf8.RuneError && size == 1 {
		return "byte 0x" + strconv.FormatUint(uint64(d.doc[d.pos]), 16)
	}
	return strconv.QuoteRune(r)
}

// unexpected is the syntax fault of something else than want.
func (d *Decoder) unexpected(want string) {
	d.syntax("unexpected " + d.here() + ", want " + want)
}

// deeper enters an object or array.
func (d *Decoder) deeper() bool {
	if d.depth++; d.depth > MaxDepth {
		d.syntax("nested deeper than " + strconv.Itoa(MaxDepth))
	}
	return !d.over
}

// literal takes a word that must stand here.
func (d *Decoder) literal(word string) bool {
	if end := d.pos + len(word); end <= len(d.doc) && d.doc[d.pos:end] == word {
		d.pos = end
		return true
	}
	d.unexpected("a value")
	return false
}

// Null takes a null, if one is next.
func (d *Decoder) Null() bool {
	return d.peek() == 'n' && d.literal("null")
}

// Bool takes true or false.
func (d *Decoder) Bool() bool {
	switch d.peek() {
	case 't':
		return d.literal("true")
	case 'f':
		d.literal("false")
	default:
		d.mismatch("true or false")
	}
	return false
}

// mismatch notes that the next value is not what is wanted, and skips it.
func (d *Decoder) mismatch(want string) {
	at, found := d.pos, ""
	switch d.peek() {
	case '"':
		s, _ := d.text()
		found = quote(s) + " is a string"
	case '{':
		found = "is an object"
		d.Skip()
	case '[':
		found = "is an array"
		d.Skip()
	case 't', 'f', 'n':
		d.Skip()
		found = "is " + d.doc[at:d.pos]
	default:
		found = cut(d.number()) + " is a number"
	}
	d.note(Fault{Kind: Type, Offset: at, Text: found + ", want " + want})
}

// most is how much of a value goes into a fault's text, in bytes.
const most = 64

// quote words a string of the document; a long one is cut.
func quote(s string) string {
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}

// cut shortens a long number.
func cut(s string) string {
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
