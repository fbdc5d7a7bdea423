package hot

import "github.com/minirt/minirt/lifecycle"

// Start is the verb "start".
type Start struct{ Container }

func (*Start) Help() string {
	return `Lets the waiting process of a created container run the program that config.json names. Returns when it runs, or says why it can't.`
}

func (*Start) Example() string { return "minirt start web" }

func (f *Start) Run(r *lifecycle.Runtime) (status int, err error) {
	return 0, r.Start(f.ID)
}
