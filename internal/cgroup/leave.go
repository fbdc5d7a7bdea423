package cgroup

import "strconv"

// LeaveFreezer moves a thread out of a frozen group of version 1, to the top of
// the hierarchy, where it goes on, and ends if it was killed: in version 1 no
// signal ends what is frozen. In version 2 signals do, and there is nothing to do.
func (g *Group) LeaveFreezer(tid int) error {
	d := g.dir("freezer")
	if d == nil || d.V2 {
		return nil
	}
	return write(d.Mount+"/tasks", strconv.Itoa(tid))
}
