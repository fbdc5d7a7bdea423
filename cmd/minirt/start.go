package main

import "github.com/minirt/minirt/lifecycle"

type startFlags struct{ container }

func (*startFlags) Help() string {
	return `Lets the waiting process of a created container run the program that config.json names. Returns when it runs, or says why it can't.`
}

func (*startFlags) Example() string { return "minirt start web" }

func (f *startFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	return 0, r.Start(f.ID)
}
