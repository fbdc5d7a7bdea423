package hot

import (
	"os"

	"github.com/minirt/minirt/lifecycle"
)

// State is the verb "state".
type State struct{ Container }

func (*State) Help() string {
	return `Prints the state of a container as JSON: ociVersion, id, pid (0 when stopped), status, bundle, rootfs, created, annotations, owner. The status is creating, created, running, paused or stopped.`
}

func (*State) Example() string { return "minirt state web" }

func (f *State) Run(r *lifecycle.Runtime) (status int, err error) {
	s, err := r.State(f.ID)
	if err != nil {
		return 0, err
	}
	_, err = os.Stdout.Write(append(s.AppendJSON(nil, "  "), '\n'))
	return 0, err
}
