package hot

import (
	"reflect"
	"strings"
)

// A Call is a command line that has been read.
type Call struct {
	Globals Globals
	Name    string // of the verb
	Verb    Verb
}

// Read reads a command line that asks for a hot verb, in any form that is right
// and needs no words; for every other one it gives nil.
func Read(args []string) *Call {
	c := new(Call)
	globals := formOf(&c.Globals)
	globals.last = true
	rest, ok := globals.flagsIn(args)
	if g := &c.Globals; !ok || len(rest) == 0 || g.Version || g.Debug || g.LogLevel == "debug" {
		return nil
	}
	c.Name = rest[0]
	if c.Verb = Named(c.Name); c.Verb == nil {
		return nil
	}
	verb := formOf(c.Verb)
	operands, ok := verb.flagsIn(rest[1:])
	if !ok || !verb.take(operands) {
		return nil
	}
	return c
}

// A form is what a struct says of the words that fill it.
type form struct {
	flags, operands []field
	last            bool // the first operand ends the flags
}

// A field is a flag or an operand.
type field struct {
	name   string
	tag    reflect.StructTag
	target reflect.Value
}

func formOf(flags any) *form {
	f := &form{flags: make([]field, 0, 20)} // enough for each, at once
	f.add(reflect.ValueOf(flags).Elem())
	return f
}

// add adds the fields of a struct, and of those that it embeds, and sets their defaults.
func (f *form) add(v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		s, target := t.Field(i), v.Field(i)
		if s.Anonymous {
			f.add(target)
			continue
		}
		next := field{s.Tag.Get("name"), s.Tag, target}
		if next.is(reflect.String) {
			if word, ok := s.Tag.Lookup("default"); ok {
				target.SetString(word)
			}
		}
		if !strings.HasPrefix(string(s.Tag), "arg:") { // it is the first key of those that have it
			f.flags = append(f.flags, next)
			continue
		}
		f.last = f.last || len(f.operands) == 0 && next.has("passthrough")
		f.operands = append(f.operands, next)
	}
}

func (f *field) has(key string) bool {
	_, ok := f.tag.Lookup(key)
	return ok
}

func (f *field) set(word string) bool { return Set(f.target, f.tag.Get("enum"), word) == nil }

func (f *field) is(kind reflect.Kind) bool { return f.target.Kind() == kind }

// flagsIn sets the flags that stand among args, and gives the operands. The
// forms are those that main's parser takes.
func (f *form) flagsIn(args []string) (operands []string, ok bool) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(operands, args[i+1:]...), true
		case arg == "" || arg == "-" || arg[0] != '-':
			if f.last {
				return f.withoutDashes(args[i:]), true
			}
			operands = append(operands, arg)
			continue
		}
		name, word, given := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		flag := f.flag(name)
		switch {
		case flag == nil:
			return nil, false
		case given:
		case flag.is(reflect.Bool):
			word = "true"
		case flag.has("optional"):
			word = Alone
		case i+1 == len(args):
			return nil, false
		default:
			i++
			word = args[i]
		}
		if !flag.set(word) {
			return nil, false
		}
	}
	return operands, true
}

// withoutDashes drops a "--" behind a container's ID.
func (f *form) withoutDashes(words []string) []string {
	if len(f.operands) > 0 && len(words) > 1 && words[1] == "--" {
		return append(words[:1:1], words[2:]...)
	}
	return words
}

// flag finds a flag by its long or its short name.
func (f *form) flag(name string) *field {
	for i := range f.flags {
		if f.flags[i].name == name || len(name) == 1 && f.flags[i].tag.Get("short") == name {
			return &f.flags[i]
		}
	}
	return nil
}

// take sets the operands, if there are neither too few words nor too many.
func (f *form) take(words []string) bool {
	for i := range f.operands {
		o := &f.operands[i]
		if len(words) == 0 && !o.has("optional") && !o.has("default") {
			return false
		}
		for many := true; many && len(words) > 0; many = o.is(reflect.Slice) {
			if !o.set(words[0]) {
				return false
			}
			words = words[1:]
		}
	}
	return len(words) == 0
}
