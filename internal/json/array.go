package json

// array begins the next value, which must be an array.
func (d *Decoder) array() bool {
	if d.peek() != '[' {
		d.mismatch("an array")
		return false
	}
	d.pos++
	return d.deeper()
}

// element goes to the next element, n being the number of those before it, and is false when there is none.
func (d *Decoder) element(n int) bool {
	c := d.peek()
	switch {
	case c == ']':
		d.pos++
		d.depth--
		return false
	case n == 0 && c != 0:
		return true
	case n > 0 && c == ',':
		d.pos++
		if c = d.peek(); c != ']' && c != 0 {
			return true
		}
	case n > 0:
		d.unexpected(`"," or "]"`)
		return false
	}
	d.unexpected("a value")
	return false
}

// Slice takes an array whose elements are read by elem.
func Slice[T any](d *Decoder, elem func(*Decoder, *T)) []T {
	if !d.array() {
		return nil
	}
	s := []T{}
	for d.element(len(s)) {
		if len(s) == cap(s) {
			grown := make([]T, len(s), 4+2*len(s))
			copy(grown, s)
			s = grown
		}
		s = s[:len(s)+1]
		elem(d, &s[len(s)-1])
	}
	return s
}

// Strings takes an array of strings; a null in it is an empty one.
func Strings[T ~string](d *Decoder) []T {
	if !d.array() {
		return nil
	}
	var room [32]T // the usual lists fit, and are allocated once
	s := room[:0]
	for d.element(len(s)) {
		if d.Null() {
			s = append(s, "")
		} else {
			s = append(s, T(d.String()))
		}
	}
	exact := make([]T, len(s))
	copy(exact, s)
	return exact
}

// Map takes an object of any names, whose values are read by elem.
func Map[T any](d *Decoder, elem func(*Decoder, *T)) map[string]T {
	m := map[string]T{}
	o := d.Object()
	for o.Next() {
		if _, twice := m[o.Key]; twice {
			o.twice()
			continue
		}
		d.nulName(&o)
		var v T
		elem(d, &v)
		m[o.Key] = v
	}
	return m
}

// StringMap takes an object of any names, whose values are strings; a null in it is an empty one.
func StringMap(d *Decoder) map[string]string {
	return Map(d, func(d *Decoder, v *string) {
		if !d.Null() {
			*v = d.String()
		}
	})
}

// nulName notes a name in a map that holds U+0000; no other name can be one that a field takes.
func (d *Decoder) nulName(o *Object) {
	for i := range len(o.Key) {
		if o.Key[i] == 0 {
			d.note(Fault{Kind: NUL, Offset: o.key, Text: quote(o.Key) + " has a NUL byte"})
			return
		}
	}
}

// Any takes any value, as encoding/json gives it in an interface.
func (d *Decoder) Any() any {
	switch d.peek() {
	case '{':
		return Map(d, func(d *Decoder, v *any) { *v = d.Any() })
	case '[':
		return Slice(d, func(d *Decoder, v *any) { *v = d.Any() })
	case '"':
		return d.String()
	case 't', 'f':
		return d.Bool()
	case 'n':
		d.literal("null")
		return nil
	}
	return d.Float()
}

// Skip takes any value and keeps nothing of it; what is in it must be JSON all the same.
func (d *Decoder) Skip() {
	switch d.peek() {
	case '{':
		o := d.Object()
		for o.Next() {
			if !o.names.add(d, o.Key) {
				o.twice()
			} else {
				d.Skip()
			}
		}
	case '[':
		if d.array() {
			for n := 0; d.element(n); n++ {
				d.Skip()
			}
		}
	case '"':
		d.text()
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
}
