package main

import "github.com/minirt/minirt/lifecycle"

type resumeFlags struct{ container }

func (*resumeFlags) Help() string { return `Lets the processes of a paused container go on.` }

func (*resumeFlags) Example() string { return "minirt resume web" }

func (f *resumeFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	return 0, r.Resume(f.ID)
}
