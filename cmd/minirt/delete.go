package main

import "github.com/minirt/minirt/lifecycle"

type deleteFlags struct {
	Force bool `name:"force" short:"f" help:"Kill a running container first; a missing one is no error."`
	container
}

func (*deleteFlags) Help() string {
	return `Removes a stopped container: its state, its cgroup, and what create made for it; the bundle stays. A created container is killed first.`
}

func (*deleteFlags) Example() string {
	return `minirt delete web
minirt delete --force web`
}

func (f *deleteFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	return 0, r.Delete(f.ID, f.Force)
}
