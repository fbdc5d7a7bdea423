package json

import "strings"

// An Object is the reading of one object, member by member:
//
//	o := d.Object()
//	for o.Next() {
//		switch o.Key {
//		case "a":
//			if o.Once(1 << 0) {
//				v.A = d.String()
//			}
//		default:
//			o.Unknown("a")
//		}
//	}
//
// Each member must be taken by Once and a read of its value, or by Unknown.
type Object struct {
	Key string // the name of the present member

	d     *Decoder
	at    int    // where the object begins
	key   int    // where the name begins
	seen  uint64 // members that were given
	set   uint64 // members that were given and are not null
	names names
	state state
}

type state uint8

const (
	first  state = iota // nothing read yet
	later               // a member was read
	closed              // read whole, or null
	failed              // not an object
)

// Object begins the next value, which must be an object. null is an object without members.
func (d *Decoder) Object() (o Object) {
	c := d.peek()
	o.d, o.at, o.names.base = d, d.pos, len(d.names)
	switch {
	case c == '{':
		d.pos++
		if !d.deeper() {
			o.state = failed
		}
	case c == 'n' && d.literal("null"):
		o.state = closed
	default:
		o.state = failed
		d.mismatch("an object")
	}
	return o
}

// Next goes to the next member's value, and is false when there is none.
func (o *Object) Next() bool {
	if o.state >= closed {
		return false
	}
	d := o.d
	c := d.peek()
	if c == '}' {
		return o.close()
	}
	if o.state == later {
		if c != ',' {
			return o.fail(`"," or "}"`)
		}
		d.pos++
		c = d.peek()
	}
	if c != '"' {
		return o.fail("a member's name")
	}
	o.state, o.key = later, d.pos
	o.Key, _ = d.text()
	if d.peek() != ':' {
		return o.fail(`":"`)
	}
	d.pos++
	return true
}

func (o *Object) close() bool {
	o.d.pos++
	o.d.depth--
	o.d.names = o.d.names[:o.names.base]
	o.state = closed
	return false
}

func (o *Object) fail(want string) bool {
	o.d.unexpected(want)
	o.state = failed
	return false
}

// Once tells whether to read the present member's value: not if its bit says
// that it was given before, which is a fault, and not if it is null, which is
// then taken.
func (o *Object) Once(bit uint64) bool {
	if o.seen&bit != 0 {
		o.twice()
		return false
	}
	o.seen |= bit
	if o.d.Null() {
		return false
	}
	o.set |= bit
	return true
}

// twice notes that the present member was given before, and skips it.
func (o *Object) twice() {
	o.d.note(Fault{Kind: Duplicate, Offset: o.key, Text: "is given twice"})
	o.d.Skip()
}

// Unknown skips the present member, which no field takes. known are the names
// that the object could have, with commas between them.
func (o *Object) Unknown(known string) {
	if !o.names.add(o.d, o.Key) {
		o.twice()
		return
	}
	if o.d.unknown {
		o.d.note(Fault{Kind: Unknown, Offset: o.key, Text: known})
	}
	o.d.Skip()
}

// Lacks tells, of an object that was read whole, whether one of the members with these bits was not given.
func (o *Object) Lacks(bits uint64) bool {
	return o.set&bits != bits && o.state == closed
}

// Absent notes each of the members with these bits that was not given; names
// has all their names in the order of the bits, with commas between them.
func (o *Object) Absent(bits uint64, names string) {
	for name := range strings.SplitSeq(names, ",") {
		bit := bits & -bits
		bits &^= bit
		if o.set&bit == 0 {
			o.d.note(Fault{Kind: Absent, Offset: o.at, Name: name, Text: "is required"})
		}
	}
}

// names are the unknown names of one object: on the decoder's stack from base,
// and in a map as well when there are so many that comparing gets slow.
type names struct {
	base int
	all  map[string]struct{}
}

// add is false if the object had the name before.
func (n *names) add(d *Decoder, name string) bool {
	const few = 32
	if n.all != nil {
		if _, twice := n.all[name]; twice {
			return false
		}
		n.all[name] = struct{}{}
		return true
	}
	own := d.names[n.base:]
	for _, o := range own {
		if o == name {
			return false
		}
	}
	if len(own) == few {
		n.all = make(map[string]struct{}, 4*few)
		for _, o := range own {
			n.all[o] = struct{}{}
		}
		n.all[name] = struct{}{}
		return true
	}
	d.names = append(d.names, name)
	return true
}
