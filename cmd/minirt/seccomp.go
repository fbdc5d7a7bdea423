package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/internal/seccomp"
	"github.com/minirt/minirt/lifecycle"
)

type seccompFlags struct {
	Explain string   `name:"explain" short:"e" placeholder:"CALL" help:"Tell only what becomes of this call, a name or a number, and which entry decides it."`
	Machine string   `name:"machine" placeholder:"GOARCH" help:"The machine that the filter is for, amd64 or arm64, if not this one."`
	Profile string   `arg:"" name:"PROFILE" optional:"" default:"." help:"A bundle, a config.json, or a file with what could stand in its linux.seccomp."`
	Args    []string `arg:"" name:"ARGS" optional:"" help:"The arguments of CALL, numbers; those that aren't given are 0."`
}

func (*seccompFlags) Help() string {
	return `Prints the filter that minirt makes of a seccomp profile: its program, an instruction a line, and for each system call of each architecture how many instructions the kernel runs, and the answer. It needs no rights and loads nothing.

With --explain it tells what becomes of one call: without ARGS all that may decide it, in order, the first whose condition holds does; with ARGS the answer, and the entry of the profile that gives it.

A profile as engines keep it, with archMap, includes or excludes, is none yet: an engine makes one of it, for a machine and the capabilities of a container. Give the config.json that it wrote.`
}

func (*seccompFlags) Example() string {
	return `minirt seccomp hello
minirt seccomp hello --explain personality
minirt seccomp --explain socket profile.json 16 3 9`
}

func (f *seccompFlags) Check() error {
	if f.Explain == "" && len(f.Args) > 0 {
		return usageError("ARGS are those of a call: --explain CALL says of which")
	}
	if len(f.Args) > 6 {
		return usageError("a system call has at most 6 arguments")
	}
	return nil
}

func (f *seccompFlags) Run(*lifecycle.Runtime) (status int, err error) {
	text, err := f.text()
	if err != nil {
		return 0, &lifecycle.Error{Verb: "seccomp", Err: err}
	}
	return 0, say(text)
}

func (f *seccompFlags) text() (string, error) {
	p, err := openProfile(f.Profile)
	if err != nil {
		return "", err
	}
	x, warnings, err := seccomp.Explain(p.seccomp, cmp.Or(f.Machine, runtime.GOARCH))
	if err != nil {
		return "", err
	}
	if f.Explain != "" {
		return p.explain(x, f.Explain, f.Args)
	}
	return p.listing(x, warnings), nil
}

// listing is the filter as a whole.
func (p *profile) listing(x *seccomp.Explanation, warnings []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d instructions of at most %d; flags: %s; calls are those of Linux %s\n",
		p.file, len(x.Filter.Instructions), seccomp.MaxInstructions, seccomp.FlagsText(x.Filter.Flags), seccomp.Kernel)
	for _, w := range warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	fmt.Fprintf(&b, "\n%s", x.Filter.Text())
	for _, abi := range x.Architectures {
		fmt.Fprintf(&b, "\n%s\n%6s  %-28s  cost   answer\n", abi, "number", "call")
		for number, name := range seccomp.Calls(abi) {
			rules := x.Rules(abi, number)
			fmt.Fprintf(&b, "%6s  %-28s  %-5s  %s\n", numberText(number), name, cost(x, abi, number), answers(rules))
		}
	}
	return b.String() + "\nany other architecture: KILL_THREAD\n"
}

// answers are the actions of rules, and what decides if it's one alone.
func answers(rules []seccomp.Rule) string {
	if len(rules) == 1 {
		return seccomp.ActionText(rules[0].Action) + "  " + rules[0].Path[1:]
	}
	var all []string
	for _, r := range rules {
		if text := seccomp.ActionText(r.Action); len(all) == 0 || all[len(all)-1] != text {
			all = append(all, text)
		}
	}
	return strings.Join(all, " or ") + "  by its arguments"
}

func cost(x *seccomp.Explanation, abi specs.Arch, number uint32) string {
	least, most := x.Filter.Cost(number, seccomp.Audit(abi))
	if least == most {
		return strconv.Itoa(least)
	}
	return strconv.Itoa(least) + "-" + strconv.Itoa(most)
}

// numberText is decimal, but for the numbers that begin at x32's bit.
func numberText(number uint32) string {
	if number < 1<<30 {
		return strconv.FormatUint(uint64(number), 10)
	}
	return fmt.Sprintf("%#x", number)
}

// explain tells what becomes of a call in each ABI.
func (p *profile) explain(x *seccomp.Explanation, call string, words []string) (string, error) {
	args, err := arguments(words)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	found := false
	for _, abi := range x.Architectures {
		number, ok := numberOf(abi, call)
		if !ok {
			fmt.Fprintf(&b, "%s: no call %s\n", abi, call)
			continue
		}
		found = true
		name := cmp.Or(seccomp.Name(abi, number), "no call of that name")
		if len(words) > 0 {
			value, cost := x.Filter.Run(seccomp.Call{Number: number, Arch: seccomp.Audit(abi), Args: args})
			fmt.Fprintf(&b, "%s: %s, number %s: %s after %d instructions\n", abi, name, numberText(number), seccomp.ActionText(value), cost)
		} else {
			fmt.Fprintf(&b, "%s: %s, number %s: %s instructions\n", abi, name, numberText(number), cost(x, abi, number))
		}
		rules := x.Rules(abi, number)
		if len(words) > 0 {
			decides := slices.IndexFunc(rules, func(r seccomp.Rule) bool { return r.Holds(args) })
			rules = rules[decides : decides+1]
		}
		for i := range rules {
			b.WriteString("  " + p.rule(&rules[i], len(rules) > 1) + "\n")
		}
	}
	if !found {
		return "", fmt.Errorf("unknown system call %q: Linux %s has none of that name in the architectures of this profile", call, seccomp.Kernel)
	}
	return b.String(), nil
}

// rule is what a rule, perhaps one of several, says, and where it stands.
func (p *profile) rule(r *seccomp.Rule, several bool) string {
	text := seccomp.ActionText(r.Action)
	switch {
	case r.When != "":
		text += " if " + r.When
	case several:
		text = "else " + text
	}
	text += ": " + p.place(r.Path)
	if r.Newest != "" {
		text += "; the call is newer than " + r.Newest + ", the newest that the profile names"
	}
	return text
}

// numberOf reads a call's name, or a number that the ABI's calls may have.
func numberOf(abi specs.Arch, call string) (uint32, bool) {
	if n, err := strconv.ParseUint(call, 0, 32); err == nil {
		return uint32(n), seccomp.Possible(abi, uint32(n))
	}
	for number, name := range seccomp.Calls(abi) {
		if name == call {
			return number, true
		}
	}
	return 0, false
}

// arguments reads numbers of up to 64 bits, of either sign.
func arguments(words []string) (args [6]uint64, err error) {
	for i, word := range words {
		if args[i], err = strconv.ParseUint(word, 0, 64); err == nil {
			continue
		}
		signed, err := strconv.ParseInt(word, 0, 64)
		if err != nil {
			return args, usageError("argument " + strconv.Itoa(i) + ", " + quote(word) + ", is no number of 64 bits")
		}
		args[i] = uint64(signed)
	}
	return args, nil
}
