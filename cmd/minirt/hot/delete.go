package hot

import "github.com/minirt/minirt/lifecycle"

// Delete is the verb "delete".
type Delete struct {
	Force bool `name:"force" short:"f" help:"Kill a running container first; a missing one is no error."`
	Container
}

func (*Delete) Help() string {
	return `Removes a stopped container: its state, its cgroup, and what create made for it; the bundle stays. A created container is killed first.`
}

func (*Delete) Example() string {
	return `minirt delete web
minirt delete --force web`
}

func (f *Delete) Run(r *lifecycle.Runtime) (status int, err error) {
	return 0, r.Delete(f.ID, f.Force)
}
