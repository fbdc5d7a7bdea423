package json

import (
	"unicode/utf16"
	"unicode/utf8"
)

// String takes a string. One that holds U+0000 is noted.
func (d *Decoder) String() string {
	if d.peek() != '"' {
		d.mismatch("a string")
		return ""
	}
	at := d.pos
	s, nul := d.text()
	if nul {
		d.note(Fault{Kind: NUL, Offset: at, Text: quote(s) + " has a NUL byte"})
	}
	return s
}

// text takes the string that begins here. It is a part of the document unless
// it has escapes.
func (d *Decoder) text() (s string, nul bool) {
	doc, start := d.doc, d.pos+1
	for i := start; i < len(doc); i++ {
		switch c := doc[i]; {
		case c == '"':
			d.pos = i + 1
			return doc[start:i], false
		case c < ' ' || c == '\\' || c >= utf8.RuneSelf:
			return d.escaped(start, i)
		}
	}
	d.pos = len(doc)
	d.unexpected(`"`)
	return "", false
}

// escaped is the slow half of text: from start to i all is plain ASCII.
func (d *Decoder) escaped(start, i int) (s string, nul bool) {
	doc := d.doc
	var made []byte // nil until the first escape
	from := start   // doc[from:i] isn't in made yet
	for d.pos = i; d.pos < len(doc); {
		switch c := doc[d.pos]; {
		case c == '"':
			end := d.pos
			d.pos++
			if made == nil {
				return doc[start:end], false
			}
			return string(append(made, doc[from:end]...)), nul
		case c == '\\':
			made = append(made, doc[from:d.pos]...)
			r, ok := d.escape()
			if !ok {
				return "", false
			}
			nul = nul || r == 0
			made, from = utf8.AppendRune(made, r), d.pos
		case c < ' ':
			d.syntax("a control character must be written as an escape in a string, found " + d.here())
			return "", false
		case c < utf8.RuneSelf:
			d.pos++
		default:
			r, size := utf8.DecodeRuneInString(doc[d.pos:])
			if r == utf8.RuneError && size == 1 {
				d.syntax("invalid UTF-8 in a string, found " + d.here())
				return "", false
			}
			d.pos += size
		}
	}
	d.unexpected(`"`)
	return "", false
}

// escape takes the escape that begins here.
func (d *Decoder) escape() (r rune, ok bool) {
	d.pos++
	c := d.at()
	switch c {
	case '"', '\\', '/':
		r = rune(c)
	case 'b':
		r = '\b'
	case 'f':
		r = '\f'
	case 'n':
		r = '\n'
	case 'r':
		r = '\r'
	case 't':
		r = '\t'
	case 'u':
		return d.unicode()
	default:
		d.unexpected(`one of "\/bfnrtu after a backslash`)
		return 0, false
	}
	d.pos++
	return r, true
}

// unicode takes uXXXX, and the second half if it is the first of a surrogate pair.
func (d *Decoder) unicode() (r rune, ok bool) {
	at := d.pos - 1
	r = d.hex4()
	if utf16.IsSurrogate(r) {
		second := rune(-1)
		if d.pos+1 < len(d.doc) && d.doc[d.pos:d.pos+2] == `\u` {
			d.pos++
			second = d.hex4()
		}
		if r = utf16.DecodeRune(r, second); r == utf8.RuneError && !d.over {
			d.pos = at
			d.syntax("half of a surrogate pair in a string")
		}
	}
	return r, !d.over
}

// hex4 takes the u that stands here and the four digits behind it.
func (d *Decoder) hex4() (r rune) {
	for range 4 {
		d.pos++
		switch c := d.at(); {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			d.unexpected("four hexadecimal digits")
			return 0
		}
	}
	d.pos++
	return r
}
