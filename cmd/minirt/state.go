package main

import "github.com/minirt/minirt/lifecycle"

type stateFlags struct{ container }

func (*stateFlags) Help() string {
	return `Prints the state of a container as JSON: ociVersion, id, pid (0 when stopped), status, bundle, rootfs, created, annotations, owner. The status is creating, created, running, paused or stopped.`
}

func (*stateFlags) Example() string { return "minirt state web" }

func (f *stateFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	s, err := r.State(f.ID)
	if err != nil {
		return 0, err
	}
	return 0, say(string(s.AppendJSON(nil, "  ")) + "\n")
}
