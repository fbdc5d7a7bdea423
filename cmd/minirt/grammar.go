package main

import (
	"reflect"

	"github.com/alecthomas/kong"

	"github.com/minirt/minirt/cmd/minirt/hot"
)

// model reads kong's model of a verb from the tags of its flags' struct, and
// gives each flag its default.
//
// kong.New would read the same (a test holds the two together), but takes 0.28
// ms for it: a registry of forty types, a regular expression over each text and
// a parser of tags that we don't need. This takes 0.02. Only these tags are
// read: name, short, placeholder, help, default, enum, hidden, arg, optional
// (of a flag: it may stand without its value), and passthrough on an argument,
// from which on there are no more flags.
func model(name string, flags any) *kong.Node {
	v := reflect.ValueOf(flags).Elem()
	n := &kong.Node{Name: name, Target: v, Tag: new(kong.Tag)}
	addFields(n, v)
	help := &kong.Flag{Value: &kong.Value{
		Name:   "help",
		Help:   "Print this help.",
		Tag:    n.Tag,
		Target: reflect.New(reflect.TypeFor[bool]()).Elem(),
		Mapper: mapper,
	}, Short: 'h'}
	help.Value.Flag = help
	n.Flags = append(n.Flags, help)
	return n
}

// addFields adds the flags and arguments of a struct and of those that it embeds.
func addFields(n *kong.Node, v reflect.Value) {
	for i := range v.NumField() {
		field, target := v.Type().Field(i), v.Field(i)
		if field.Anonymous {
			addFields(n, target)
			continue
		}
		value := valueOf(field.Tag, target)
		if _, ok := field.Tag.Lookup("arg"); ok {
			_, optional := field.Tag.Lookup("optional")
			value.Required = !optional && !value.HasDefault
			value.Position = len(n.Positional)
			n.Positional = append(n.Positional, value)
			continue
		}
		value.Flag = flagOf(field.Tag, value)
		n.Flags = append(n.Flags, value.Flag)
	}
}

// valueOf is what a flag and an argument have in common.
func valueOf(tag reflect.StructTag, target reflect.Value) *kong.Value {
	v := &kong.Value{
		Name:   tag.Get("name"),
		Help:   tag.Get("help"),
		Enum:   tag.Get("enum"),
		Tag:    new(kong.Tag),
		Target: target,
		Mapper: mapper,
	}
	_, v.Tag.Passthrough = tag.Lookup("passthrough")
	_, v.Tag.Optional = tag.Lookup("optional")
	if v.Default, v.HasDefault = tag.Lookup("default"); v.HasDefault {
		target.SetString(v.Default)
	}
	return v
}

func flagOf(tag reflect.StructTag, v *kong.Value) *kong.Flag {
	f := &kong.Flag{Value: v, PlaceHolder: tag.Get("placeholder")}
	if short := tag.Get("short"); short != "" {
		f.Short = rune(short[0])
	}
	_, f.Hidden = tag.Lookup("hidden")
	return f
}

// mapper writes what kong read into the field of a flag or an argument.
var mapper = kong.MapperFunc(decode)

func decode(c *kong.DecodeContext, target reflect.Value) error {
	if c.Value.IsBool() && c.Scan.Peek().Type != kong.FlagValueToken { // --flag alone
		target.SetBool(true)
		return nil
	}
	// A flag that is a list may be given again; an argument takes all that is left.
	for more := true; more; more = c.Value.IsSlice() && c.Value.Flag == nil && !c.Scan.Peek().IsEOL() {
		if err := hot.Set(target, c.Value.Enum, c.Scan.Pop().String()); err != nil {
			return err
		}
	}
	return nil
}
