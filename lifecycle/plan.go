package lifecycle

import (
	"github.com/minirt/minirt/internal/plan"
)

// Plan gives the plan that Create would run for a bundle: the system calls of
// the container's first process. It changes nothing, and needs no rights.
func (r *Runtime) Plan(id string, o CreateOptions) (p *plan.Plan, err error) {
	defer wrap("plan", "", &err)
	v, err := r.see(id, &o, true)
	if err != nil {
		return nil, err
	}
	defer v.points.Close()
	c, err := Compile(v.spec, &v.host)
	if err != nil {
		return nil, v.locate(err)
	}
	return c.Plan, nil
}
