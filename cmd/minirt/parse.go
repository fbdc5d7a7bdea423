package main

import (
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/minirt/minirt/cmd/minirt/hot"
)

// errHelp says that -h or --help was among the arguments.
const errHelp = usageError("help asked for")

// parse reads args into the struct that n was made from. The globals, which
// have no arguments, end at the first word that isn't a flag; it and what
// follows are given back.
//
// Engines write flags as runc takes them, with one dash or two and with values
// that may begin with a dash; kong has other rules. So each flag is first
// brought into the one form on which both agree, --name=value.
func parse(n *kong.Node, args []string) (rest []string, err error) {
	flags, operands, err := split(n, args)
	if err != nil {
		return nil, err
	}
	if n.Name == "" {
		rest, operands = operands, nil
	}
	if err := count(n, operands); err != nil {
		return nil, err
	}
	flags = append(append(flags, "--"), operands...)
	c, err := kong.Trace(&kong.Kong{Model: &kong.Application{Node: n}}, flags)
	if err == nil {
		err = c.Error
	}
	if err != nil {
		return nil, err
	}
	_, err = c.Apply()
	return rest, err
}

// split separates flags, in the form --name=value, from operands.
func split(n *kong.Node, args []string) (flags, operands []string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return flags, append(operands, args[i+1:]...), nil
		case arg == "-" || arg == "" || arg[0] != '-':
			if endsFlags(n, len(operands)) {
				return flags, withoutDashes(n, append(operands, args[i:]...)), nil
			}
			operands = append(operands, arg)
			continue
		}
		name, value, given := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		f := flagNamed(n, name)
		switch {
		case f == nil:
			return nil, nil, usageError("flag provided but not defined: -" + name + suggestion(n))
		case f.Name == "help":
			return nil, nil, errHelp
		case given:
			flags = append(flags, "--"+f.Name+"="+value)
		case f.IsBool():
			flags = append(flags, "--"+f.Name)
		case f.Tag.Optional:
			flags = append(flags, "--"+f.Name+"="+hot.Alone)
		case i+1 == len(args):
			return nil, nil, usageError("flag needs an argument: --" + f.Name)
		default:
			i++
			flags = append(flags, "--"+f.Name+"="+args[i])
		}
	}
	return flags, operands, nil
}

// endsFlags tells whether the i-th operand ends the flags.
func endsFlags(n *kong.Node, i int) bool {
	return n.Name == "" || i < len(n.Positional) && n.Positional[i].Tag.Passthrough
}

// withoutDashes drops a "--" between a container's ID and what belongs to the
// verb's last arguments: nobody has a program of that name.
func withoutDashes(n *kong.Node, operands []string) []string {
	if n.Name != "" && len(operands) > 1 && operands[1] == "--" {
		return append(operands[:1:1], operands[2:]...)
	}
	return operands
}

// flagNamed finds a flag by its long or its short name.
func flagNamed(n *kong.Node, name string) *kong.Flag {
	for _, f := range n.Flags {
		if f.Name == name || len(name) == 1 && f.Short == rune(name[0]) {
			return f
		}
	}
	return nil
}

// count refuses too few and too many operands.
func count(n *kong.Node, operands []string) error {
	for i, p := range n.Positional {
		if i >= len(operands) && p.Required {
			return usageError("argument " + p.Name + " is missing; usage: " + usageLine(n))
		}
	}
	most := len(n.Positional)
	if len(operands) > most && (most == 0 || !n.Positional[most-1].IsSlice()) {
		return usageError("too many arguments, from " + quote(operands[most]) + " on; usage: " + usageLine(n))
	}
	return nil
}

func suggestion(n *kong.Node) string {
	if n.Name == "" {
		return `; see "minirt --help"`
	}
	return `; see "minirt ` + n.Name + ` --help"`
}

// listed spells the words of an enum tag out.
func listed(enum string) string { return strings.ReplaceAll(enum, ",", ", ") }

func quote(s string) string { return strconv.Quote(s) }
