package hot

import "github.com/minirt/minirt/lifecycle"

// Run is the verb "run".
type Run struct {
	Making
	Detach      bool `name:"detach" short:"d" help:"Return as soon as the program runs."`
	Keep        bool `name:"keep" help:"Leave the stopped container."`
	NoSubreaper bool `name:"no-subreaper" help:"Don't become the parent of processes whose parent has ended."`
}

func (*Run) Help() string {
	return `Creates a container and starts it; waits for its end, passes signals on to it meanwhile, deletes it, and ends with its exit status.`
}

func (*Run) Example() string {
	return `minirt run --bundle hello web
minirt run --detach --pid-file web.pid --bundle hello web`
}

func (f *Run) Run(r *lifecycle.Runtime) (status int, err error) {
	return r.Run(f.NewID, lifecycle.RunOptions{
		CreateOptions: f.Options(),
		Detach:        f.Detach,
		Keep:          f.Keep,
		NoSubreaper:   f.NoSubreaper,
	})
}
