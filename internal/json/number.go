package json

import "strconv"

// number takes a number as RFC 8259 writes it, and gives its text.
func (d *Decoder) number() string {
	start := d.pos
	if d.at() == '-' {
		d.pos++
	}
	switch c := d.at(); {
	case c == '0':
		d.pos++
	case '1' <= c && c <= '9':
		d.digits()
	default:
		d.unexpected("a value")
		return ""
	}
	if d.at() == '.' {
		d.pos++
		d.digits()
	}
	if c := d.at(); c == 'e' || c == 'E' {
		d.pos++
		if c := d.at(); c == '+' || c == '-' {
			d.pos++
		}
		d.digits()
	}
	if d.over {
		return ""
	}
	return d.doc[start:d.pos]
}

// at gives the byte at the present place, or 0 at the end.
func (d *Decoder) at() byte {
	if d.pos < len(d.doc) {
		return d.doc[d.pos]
	}
	return 0
}

// digits takes one digit or more.
func (d *Decoder) digits() {
	start := d.pos
	for c := d.at(); '0' <= c && c <= '9'; c = d.at() {
		d.pos++
	}
	if d.pos == start {
		d.unexpected("a digit")
	}
}

// Int takes an integer that fits in bits with its sign. 1.0 and 1e3 are not
// written as integers and refused, as encoding/json does.
func (d *Decoder) Int(bits int) int64 {
	c := d.peek()
	if c != '-' && (c < '0' || c > '9') {
		d.mismatch("an integer")
		return 0
	}
	at := d.pos
	text := d.number()
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		d.badNumber(at, text, intRange(bits))
		return 0
	}
	return n
}

// Uint takes an integer from 0 that fits in bits.
func (d *Decoder) Uint(bits int) uint64 {
	c := d.peek()
	if c != '-' && (c < '0' || c > '9') {
		d.mismatch("an integer from 0")
		return 0
	}
	at := d.pos
	text := d.number()
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		d.badNumber(at, text, uintRange(bits))
		return 0
	}
	return n
}

// Float takes any number that fits in 64 bits.
func (d *Decoder) Float() float64 {
	c := d.peek()
	if c != '-' && (c < '0' || c > '9') {
		d.mismatch("a number")
		return 0
	}
	at := d.pos
	text := d.number()
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		d.note(Fault{Kind: Type, Offset: at, Text: cut(text) + " is out of range, want a number of 64 bits"})
		return 0
	}
	return n
}

// badNumber notes a number that an integer type cannot hold.
func (d *Decoder) badNumber(at int, text, want string) {
	why := " is out of range"
	for i := range len(text) {
		if c := text[i]; c == '.' || c == 'e' || c == 'E' {
			why = " is not written as an integer"
		}
	}
	d.note(Fault{Kind: Type, Offset: at, Text: cut(text) + why + ", want " + want})
}

func intRange(bits int) string {
	least := int64(-1) << (bits - 1)
	return "an integer from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(-(least+1), 10)
}

func uintRange(bits int) string {
	return "an integer from 0 to " + strconv.FormatUint(^uint64(0)>>(64-bits), 10)
}
