package main

import (
	"strings"

	"github.com/alecthomas/kong"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/lifecycle"
)

// completeFlags are those of a hidden verb, which the scripts of "completion"
// call: the words of a command line up to the cursor, the last of them
// unfinished or empty. A line of its result is a word that may stand there, a
// tab and what it means; or what the shell knows better: ":files",
// ":directories", ":commands".
type completeFlags struct {
	Words []string `arg:"" name:"WORDS" optional:"" help:"The words behind minirt, after --."`
}

func (*completeFlags) Help() string { return `Prints what may stand at the end of a command line.` }

func (*completeFlags) Example() string { return "minirt complete -- sta" }

func (f *completeFlags) Run(*lifecycle.Runtime) (status int, err error) {
	if len(f.Words) == 0 {
		f.Words = []string{""}
	}
	last := len(f.Words) - 1
	text := ""
	for _, c := range choices(f.Words[:last], f.Words[last]) {
		if strings.HasPrefix(c.word, f.Words[last]) || c.word[0] == ':' {
			text += c.word + "\t" + c.meaning + "\n"
		}
	}
	return 0, say(text)
}

// A choice is a word that may stand at the cursor; one that begins with a colon is an order for the shell.
type choice struct{ word, meaning string }

// choices are those that may stand behind the words, in place of last.
func choices(words []string, last string) []choice {
	var g globals
	c := cursor{node: model("", &g)}
	for i, word := range words {
		if c.walk(word); c.operands == 0 {
			continue
		}
		v := find(word)
		if v == nil {
			return nil
		}
		c = cursor{node: model(v.name, v.new())}
		for _, word := range words[i+1:] {
			c.walk(word)
		}
		break
	}
	return c.choices(&g, last)
}

// A cursor is where the words so far lead to.
type cursor struct {
	node     *kong.Node
	waiting  *kong.Flag // the next word is its value
	operands int        // how many there were
	closed   bool       // no more flags
}

// walk goes past one word: the same rules as split's, in parse.go.
func (c *cursor) walk(word string) {
	name, value, given := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-"), "=")
	switch {
	case c.waiting != nil:
		c.take(c.waiting, word)
		c.waiting = nil
	case word == "--" && !c.closed:
		c.closed = true
	case c.closed || word == "-" || word == "" || word[0] != '-':
		c.closed = c.closed || endsFlags(c.node, c.operands)
		c.operands++
	default:
		switch f := flagNamed(c.node, name); {
		case f == nil || f.IsBool():
		case given:
			c.take(f, value)
		case !f.Tag.Optional:
			c.waiting = f
		}
	}
}

// take keeps the one value that what is offered depends on.
func (c *cursor) take(f *kong.Flag, value string) {
	if f.Name == "root" {
		f.Target.SetString(value)
	}
}

// choices are those for the next word, as far as it is there.
func (c *cursor) choices(g *globals, last string) []choice {
	name, _, given := strings.Cut(last, "=")
	f := flagNamed(c.node, strings.TrimLeft(name, "-"))
	switch {
	case c.waiting != nil:
		return c.values(g, c.waiting.Value, c.waiting.PlaceHolder)
	case !c.closed && given && f != nil && last[0] == '-':
		list := c.values(g, f.Value, f.PlaceHolder)
		for i := range list {
			if list[i].word[0] != ':' {
				list[i].word = name + "=" + list[i].word
			}
		}
		return list
	case !c.closed && strings.HasPrefix(last, "-"):
		return flagChoices(c.node)
	case c.node.Name == "":
		return verbChoices()
	}
	most := len(c.node.Positional) - 1
	if most < 0 || c.operands > most && !c.node.Positional[most].IsSlice() {
		return nil
	}
	a := c.node.Positional[min(c.operands, most)]
	return c.values(g, a, a.Name)
}

// values are those of a flag or an argument: the words of its enum, or what its name stands for in the help.
func (c *cursor) values(g *globals, v *kong.Value, name string) (list []choice) {
	if v.Enum != "" {
		for word := range strings.SplitSeq(v.Enum, ",") {
			list = append(list, choice{word, ""})
		}
		return list
	}
	switch name {
	case "ID":
		return containers(g, c.node.Name)
	case "VERB":
		return verbChoices()
	case "SIGNAL":
		return signals()
	case "BUNDLE", "BUNDLE1", "BUNDLE2", "DIR":
		return []choice{{":directories", ""}}
	case "PROGRAM", "PROGRAMS":
		return []choice{{":commands", ""}}
	case "NAMES":
		for _, name := range bundles.DataNames() {
			list = append(list, choice{name, ""})
		}
		return list
	case "FILE", "PATH", "SOCKET", "PROFILE", "ARGS", "SOURCE[:PATH[:OPTIONS]]", "HOST:PATH[:OPTIONS]":
		return []choice{{":files", ""}}
	}
	return nil
}

func verbChoices() (list []choice) {
	for i := range verbs {
		if verbs[i].group != "" {
			list = append(list, choice{verbs[i].name, verbs[i].help})
		}
	}
	return list
}

func flagChoices(n *kong.Node) (list []choice) {
	for _, f := range n.Flags {
		if !f.Hidden {
			meaning, _, _ := strings.Cut(f.Help, ". ")
			list = append(list, choice{"--" + f.Name, strings.TrimSuffix(meaning, ".")})
		}
	}
	return list
}

func signals() (list []choice) {
	for n := 1; n <= 31; n++ {
		list = append(list, choice{strings.TrimPrefix(kernel.SignalName(n), "SIG"), ""})
	}
	return list
}

// fits tells whether a verb has a use for a container in that state.
func fits(verb string, s specs.ContainerState) bool {
	switch verb {
	case "create", "run": // want a new name
		return false
	case "start":
		return s == specs.StateCreated
	case "exec", "pause":
		return s == specs.StateRunning
	case "resume":
		return s == lifecycle.StatusPaused
	}
	return true
}

// containers are those below the root of the command line that the verb has a use for.
func containers(g *globals, verb string) (list []choice) {
	r, err := g.Runtime(func(string) {})
	if err != nil {
		return nil
	}
	states, _ := r.List() // whoever can't read them sees none
	for _, s := range states {
		if fits(verb, s.Status) {
			list = append(list, choice{s.ID, string(s.Status)})
		}
	}
	return list
}
