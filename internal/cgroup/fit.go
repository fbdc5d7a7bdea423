package cgroup

import (
	"errors"
	"strconv"
)

// Fit checks, after Make, that the group can be a new container's: nobody in
// it, and not frozen (config-linux.md, Control groups). What Make made itself
// is, and isn't looked at, unless a cgroup above may be frozen.
func (g *Group) Fit() error {
	if d := g.members(); d != nil && !d.leaf() {
		list, err := pids(nil, d.Path, true)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return errors.New("container's cgroup is not empty: " + strconv.Itoa(len(list)) + " process(es) found in " + d.Path)
		}
	}
	if d := g.freezer(); d != nil && len(parent(d.Path)) > len(d.Mount) || d != nil && !d.leaf() {
		frozen, err := d.frozen()
		if err != nil {
			return err
		}
		if frozen {
			return errors.New("container's cgroup unexpectedly frozen: " + d.Path)
		}
	}
	return nil
}
