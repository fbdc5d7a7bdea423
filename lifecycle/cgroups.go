package lifecycle

import (
	"errors"
	"slices"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
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
	if r.CgroupManager == CgroupSystemd {
		err = r.seeScope(v, path, id)
	} else {
		v.group, err = v.layout.Group(path, id)
	}
	if err != nil {
		return err
	}
	for i := range v.group.Dirs {
		if d := &v.group.Dirs[i]; !d.V2 {
			v.host.Tasks = append(v.host.Tasks, d.Path+"/tasks")
		}
	}
	if v.early, v.late, err = cgroup.Compile(resources, v.layout); err != nil {
		return err
	}
	if v.scope != nil {
		v.scope.limit(v.early, v.late)
	}
	v.host.BornInCgroup = v.layout.Unified() && v.scope == nil
	return nil
}

// makeBirthplace makes the one cgroup that must be there before the stage: the
// one of version 2 that it is born in.
func (c *creation) makeBirthplace() error {
	if c.group == nil {
		return nil
	}
	c.phase("make cgroups")
	made := c.group
	c.undo.add(func() error { return made.Remove() })
	return c.spare(c.makeDirs(true))
}

// makeCgroups makes the others, and writes what doesn't hinder the stage.
func (c *creation) makeCgroups() error {
	if c.group == nil {
		return nil
	}
	c.phase("make cgroups")
	err := c.makeDirs(false)
	if err == nil {
		err = c.group.Apply(c.early)
	}
	return c.spare(err)
}

// makeDirs makes the directories of the one version or the other.
func (c *creation) makeDirs(v2 bool) error {
	for i := range c.group.Dirs {
		if c.group.Dirs[i].V2 != v2 {
			continue
		}
		g := cgroup.Group{Dirs: c.group.Dirs[i : i+1]}
		if err := g.Make(); err != nil {
			return err
		}
		if err := g.Fit(); err != nil { // before the stage is in it
			return &pathError{"linux.cgroupsPath", quote(c.group.Dirs[i].Path[len(c.group.Dirs[i].Mount):]), err}
		}
	}
	return nil
}

// birthplace opens the cgroup of version 2 for clone3(2), or gives -1.
func (c *creation) birthplace() (fd int, err error) {
	if c.group == nil || c.scope != nil {
		return -1, nil
	}
	for i := range c.group.Dirs {
		if d := &c.group.Dirs[i]; d.V2 {
			if fd, err = unix.Open(d.Path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
				return -1, because("cgroup "+d.Path, err)
			}
			return fd, nil
		}
	}
	return -1, nil
}

// admit tells the stage that its cgroups of version 1 are made, or that systemd
// has moved it.
func (c *creation) admit() error {
	if len(c.host.Tasks) == 0 && !c.host.Moved {
		return nil
	}
	if _, err := unix.Write(c.sync, []byte{1}); err != nil && err != unix.EPIPE { // serve hears why it has gone
		return err
	}
	return nil
}

// spare forgives missing rights to cgroups where the config asks for no place
// and no limit: the container stays in the caller's, with a warning. A stage
// that waits for its cgroups is started anew.
func (c *creation) spare(err error) error {
	if err == nil {
		return nil
	}
	if !c.mayDoWithout(err) {
		return c.noRights(err)
	}
	c.stays("container", err)
	c.group, c.late, c.Cgroups, c.host.Tasks, c.host.BornInCgroup = nil, nil, nil, nil, false
	c.host.Rootfs.Cgroups = nil
	if c.plan, err = Compile(c.spec, &c.host); err != nil || c.pidfd < 0 { // its warnings have been told
		return err
	}
	unix.Close(c.sync)
	c.end()
	return c.launch()
}

// stays warns that what was to have a cgroup of its own stays in the caller's.
// An engine that made the user namespace which we are in (rootless Podman) knows
// that, and would show the warning among the container's own words.
func (r *Runtime) stays(what string, err error) {
	if !inUserNamespace() {
		r.warn(err.Error() + ": the " + what + " stays in the caller's cgroup")
	}
}

// mayDoWithout tells whether missing rights are no failure: see --rootless.
func (c *creation) mayDoWithout(err error) bool {
	return c.rootless() && errors.Is(err, cgroup.ErrNoRights) && len(c.early) == 0 && !slices.ContainsFunc(c.late, isLimit) &&
		(c.spec.Linux == nil || c.spec.Linux.CgroupsPath == "")
}
