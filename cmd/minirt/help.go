package main

import "github.com/minirt/minirt/lifecycle"

type helpFlags struct {
	Verb string `arg:"" name:"VERB" optional:"" help:"The verb to explain; all of minirt without one."`
}

func (*helpFlags) Help() string { return `Explains a verb: the same as "minirt VERB --help".` }

func (*helpFlags) Example() string { return "minirt help run" }

func (f *helpFlags) Run(*lifecycle.Runtime) (status int, err error) {
	if f.Verb == "" {
		return 0, say(overview())
	}
	v := find(f.Verb)
	if v == nil {
		return 0, unknownVerb(f.Verb)
	}
	return 0, say(v.page(v.new()))
}
