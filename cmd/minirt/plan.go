package main

import (
	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/lifecycle"
)

type planFlags struct {
	bundleFlags
	Format string `name:"format" short:"f" placeholder:"FORMAT" enum:"text,json" default:"text" help:"How to print the plan."`
	ID     string `arg:"" name:"ID" optional:"" default:"container" help:"The container's name, which is part of its cgroup's path."`
}

func (*planFlags) Help() string {
	return `Prints every system call that the first process of a container would make before it runs the program, each with the place in config.json that asks for it. It needs no rights and changes nothing.`
}

func (*planFlags) Example() string {
	return `minirt plan --bundle hello
minirt plan --bundle hello --format json`
}

func (f *planFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	p, err := r.Plan(f.ID, f.Options())
	if err != nil {
		return 0, err
	}
	if f.Format == "json" {
		return 0, say(string(p.JSON(json.AppendString)))
	}
	return 0, say(p.Text())
}
