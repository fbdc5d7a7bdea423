package lifecycle

import (
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// Plan gives the plan that Create would run for a bundle: the system calls of
// the container's first process. It changes nothing, and needs no rights. A root
// file system that isn't there yet is taken for an empty one, with a warning.
func (r *Runtime) Plan(id string, o CreateOptions) (p *plan.Plan, err error) {
	defer wrap("plan", "", &err)
	o.foresee = true
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

// absent tells that there is nothing at a path.
func absent(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == unix.ENOENT && unix.Lstat(path, &st) == unix.ENOENT
}
