package unit

import (
	"strconv"
	"strings"
)

// parse reads a value of a D-Bus type that is known, in the text form of GVariant
// (GLib, GVariant Text Format), as far as the types of annotated go: b, i, t, s,
// as, ay. (The one of godbus never ends for some texts, such as "෩\xb7".)
func parse(s, signature string) (v any, ok bool) {
	p := parser{s}
	p.typed(signature)
	switch signature {
	case "b":
		v, ok = p.bool()
	case "i":
		var n int64
		n, ok = p.int()
		v = int32(n)
	case "t":
		v, ok = p.uint(64)
	case "s":
		v, ok = p.string()
	case "as":
		v, ok = list(&p, p.string)
	case "ay":
		v, ok = list(&p, func() (byte, bool) { p.typed("y"); n, ok := p.uint(8); return byte(n), ok })
	}
	p.blank()
	return v, ok && p.rest == ""
}

// parser is at the beginning of what is left of a text.
type parser struct{ rest string }

func (p *parser) blank() { p.rest = strings.TrimLeft(p.rest, " \t\n") }

// take takes a token, if it is the next.
func (p *parser) take(token string) (ok bool) {
	p.blank()
	p.rest, ok = strings.CutPrefix(p.rest, token)
	return ok
}

// typed takes the type that may stand before a value: "uint64 5", "@t 5".
func (p *parser) typed(signature string) {
	for _, t := range [...]struct{ signature, word string }{
		{"b", "boolean "}, {"i", "int32 "}, {"t", "uint64 "}, {"s", "string "}, {"y", "byte "},
	} {
		if t.signature == signature && p.take(t.word) {
			return
		}
	}
	p.take("@" + signature + " ")
}

func (p *parser) bool() (v, ok bool) {
	if p.take("true") {
		return true, true
	}
	return false, p.take("false")
}

// word takes what looks like a number.
func (p *parser) word() (w string) {
	p.blank()
	n := strings.IndexAny(p.rest, " \t\n,]")
	if n < 0 {
		n = len(p.rest)
	}
	w, p.rest = p.rest[:n], p.rest[n:]
	return w
}

func (p *parser) uint(bits int) (uint64, bool) {
	n, err := strconv.ParseUint(p.word(), 0, bits)
	return n, err == nil
}

func (p *parser) int() (int64, bool) {
	n, err := strconv.ParseInt(p.word(), 0, 32)
	return n, err == nil
}

// string takes a text between quotes of either kind, in which a backslash
// quotes a quote or itself.
func (p *parser) string() (string, bool) {
	quote := byte('\'')
	if !p.take("'") {
		if quote = '"'; !p.take(`"`) {
			return "", false
		}
	}
	var b []byte
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			p.rest = p.rest[i+1:]
			return string(b), true
		case c < ' ' || c >= 0x7f: // no name of systemd's has such a byte
			return "", false
		case c == '\\':
			if i++; i == len(p.rest) || !strings.ContainsRune(`\'"`, rune(p.rest[i])) {
				return "", false
			}
			b = append(b, p.rest[i])
		default:
			b = append(b, c)
		}
	}
	return "", false
}

func list[T any](p *parser, element func() (T, bool)) ([]T, bool) {
	values := []T{}
	if !p.take("[") {
		return nil, false
	}
	for !p.take("]") {
		if len(values) > 0 && !p.take(",") {
			return nil, false
		}
		v, ok := element()
		if !ok {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}
