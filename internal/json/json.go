// Package json reads JSON as strictly as RFC 8259 allows and writes its strings.
//
// The law: a document is taken whole or refused. Refused are bad UTF-8, halves
// of surrogate pairs, a member given twice in any object at any depth, numbers
// that do not fit their type exactly, nesting deeper than MaxDepth, documents
// larger than MaxSize, and anything behind the document's end. Names match by
// case. null leaves a value as it was made: zero.
//
// The reading is pulled by generated code (hack/decoder), one function for each
// struct, so it needs no reflection. A fault of one value stops nothing: it is
// noted with its offset, the value is skipped, the reading goes on. A fault of
// syntax ends it. Offsets become paths, lines and columns only when somebody
// asks (place.go), by a second walk that good documents never pay for.
//
// All strings that are read are parts of one copy of the document, which lives
// as long as one of them does.
package json

import "strconv"

// Limits of a document. Nothing that describes a container comes near them.
const (
	MaxSize   = 16 << 20 // bytes
	MaxDepth  = 100      // objects and arrays inside each other
	MaxFaults = 100      // faults that are noted before the reading ends
)

// Kind tells what sort of fault a Fault is.
type Kind uint8

const (
	Syntax    Kind = iota // not JSON; the reading ended here
	Type                  // a value of the wrong type or out of range
	Duplicate             // a member given a second time
	Absent                // a required member is missing; Name has it
	Unknown               // a member that no field takes; Text lists those that exist. Noted on request only
	NUL                   // a string that holds U+0000, which no C string can. Noted, and no fault of JSON's
)

// A Fault is what is wrong at one offset of a document.
type Fault struct {
	Kind   Kind
	Offset int    // bytes from the start, at the value, or at the name for Duplicate and Unknown
	Name   string // the missing member, for Absent
	Text   string // what was found and what is allowed, in one line
}

// Decode reads doc into v by the generated function decode. It gives all faults
// in the order of the document; v is whole only if there is none (NUL apart).
func Decode[T any](doc string, v *T, decode func(*Decoder, *T)) []Fault {
	d := Decoder{doc: doc}
	return run(&d, v, decode)
}

// DecodeUnknown is Decode that also notes the members that no field takes.
func DecodeUnknown[T any](doc string, v *T, decode func(*Decoder, *T)) []Fault {
	d := Decoder{doc: doc, unknown: true}
	return run(&d, v, decode)
}

func run[T any](d *Decoder, v *T, decode func(*Decoder, *T)) []Fault {
	if len(d.doc) > MaxSize {
		return []Fault{{Kind: Syntax, Text: "the document has " + strconv.Itoa(len(d.doc)) +
			" bytes, more than " + strconv.Itoa(MaxSize)}}
	}
	decode(d, v)
	if d.peek() != 0 || d.pos < len(d.doc) {
		d.syntax("unexpected " + d.here() + " after the document's end")
	}
	return d.faults
}

// Error is the first fault of a document, as an error for those who keep no places.
type Error struct {
	Fault
	Path         string
	Line, Column int
}

func (e *Error) Error() string {
	text := e.Text
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	return text + " (line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column) + ")"
}

// Unmarshal reads data into v by the generated function decode. The error is
// an *Error, for the first fault.
func Unmarshal[T any](data []byte, v *T, decode func(*Decoder, *T)) error {
	doc := string(data)
	for _, f := range Decode(doc, v, decode) {
		if f.Kind == NUL {
			continue
		}
		line, column := LineColumn(doc, f.Offset)
		return &Error{f, f.Path(doc), line, column}
	}
	return nil
}
