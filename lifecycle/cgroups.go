package lifecycle

import (
	"errors"
	"os"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// seeCgroups finds the container's place in each hierarchy and the values that
// are to be written there.
func (r *Runtime) seeCgroups(v *sight, id string) (err error) {
	if r.CgroupManager == CgroupDisabled {
		return nil
	}
	if v.layout, err = cgroup.Find(); err != nil {
		return err
	}
	path := ""
	var resources *specs.LinuxResources
	if v.spec.Linux != nil {
		path, resources = v.spec.Linux.CgroupsPath, v.spec.Linux.Resources
	}
	if v.group, err = v.layout.Group(path, id); err != nil {
		return err
	}
	v.early, v.late, err = cgroup.Compile(resources, v.layout)
	v.host.BornInCgroup = v.layout.Unified()
	return err
}

// makeCgroups makes the container's cgroups and writes what doesn't hinder the
// stage. Where the caller has no rights to cgroups, and the config asks for no
// place and no limit, the container stays in the caller's, with a warning.
func (c *creation) makeCgroups() error {
	if c.group == nil {
		return nil
	}
	made := c.group
	c.undo.add(func() error { return made.Remove() })
	err := c.group.Make()
	if err != nil && c.mayDoWithout(err) {
		c.warn(err.Error() + ": the container stays in the caller's cgroup")
		c.group, c.late, c.Cgroups, c.host.Tasks, c.host.BornInCgroup = nil, nil, nil, nil, false
		return c.compile()
	}
	if err == nil {
		err = c.group.Apply(c.early)
	}
	return err
}

// mayDoWithout tells whether missing rights are no failure: see --rootless.
func (c *creation) mayDoWithout(err error) bool {
	rootless := c.Rootless == "true" || c.Rootless != "false" && (os.Geteuid() != 0 || inUserNamespace())
	return rootless && errors.Is(err, cgroup.ErrNoRights) && len(c.early) == 0 &&
		(c.spec.Linux == nil || c.spec.Linux.CgroupsPath == "")
}
