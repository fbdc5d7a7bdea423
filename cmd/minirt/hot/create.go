package hot

import "github.com/minirt/minirt/lifecycle"

// Create is the verb "create".
type Create struct{ Making }

func (*Create) Help() string {
	return `Makes a container of a bundle, all but the program: namespaces, cgroup, mounts, devices and limits are there, and one process waits. "start" lets it run the program.

The program is looked for now, so a missing one is an error of create. If create fails, nothing is left.`
}

func (*Create) Example() string {
	return `minirt create --bundle hello --pid-file hello.pid web
minirt start web
minirt create --timing=create.json --bundle hello web`
}

func (f *Create) Run(r *lifecycle.Runtime) (status int, err error) {
	return f.timed("create", f.NewID, func(t *lifecycle.Timing) (int, error) {
		o := f.Options()
		o.Timing = t
		return 0, r.Create(f.NewID, o)
	})
}
