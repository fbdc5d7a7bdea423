package main

import "github.com/minirt/minirt/lifecycle"

type pauseFlags struct{ container }

func (*pauseFlags) Help() string {
	return `Freezes all processes of a container that is created or running, by its cgroup. Returns when they are frozen.`
}

func (*pauseFlags) Example() string { return "minirt pause web" }

func (f *pauseFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	return 0, r.Pause(f.ID)
}
