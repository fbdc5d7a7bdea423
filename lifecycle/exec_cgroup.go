package lifecycle

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// cgroups finds out which cgroups are to be joined: the container's, or those
// below that the options name (SEC-58).
func (e *entrance) cgroups() (err error) {
	g := e.group()
	e.attached = e.Scope.Name != "" && e.rootless() && len(e.options.Cgroup) == 0
	if e.attached {
		if err := e.needsSystemd(e.Record); err != nil {
			return err
		}
	}
	for _, o := range e.options.Cgroup {
		names, path, ok := strings.Cut(o, ":")
		var controllers []string
		if !ok {
			path = o
		} else if names != "" {
			controllers = strings.Split(names, ",")
		}
		if len(g.Dirs) == 0 {
			return text("cgroup " + quote(o) + ": the container has no cgroup of its own")
		}
		if g, err = g.Below(controllers, path); err != nil {
			return err
		}
	}
	for i := range g.Dirs {
		if d := &g.Dirs[i]; !d.V2 {
			e.host.Tasks = append(e.host.Tasks, d.Path+"/tasks")
		}
	}
	e.joined = g
	return nil
}

// enterCgroups lets the stage join the cgroups of version 1 (see joinCgroups).
func (c *compiler) enterCgroups() {
	file := c.register("file")
	for _, tasks := range c.host.Tasks {
		c.Do(plan.Openat, atFDCWD, tasks, unix.O_WRONLY|unix.O_CLOEXEC, 0).To(file)
		c.Do(plan.Write, file, "0", 1)
		c.Do(plan.Close, file)
	}
}

// start starts the stage in the cgroup of version 2, if there is one. Where
// processes can't be in it any more, since it has children with limits, the
// one of the container's process takes its place.
func (e *entrance) start(image int) (stage.Process, error) {
	dir := ""
	for i := range e.joined.Dirs {
		if d := &e.joined.Dirs[i]; d.V2 && !e.attached {
			dir = d.Path
		}
	}
	p, err := e.startIn(image, dir)
	if (err == unix.EBUSY || err == unix.EOPNOTSUPP) && dir != "" && len(e.options.Cgroup) == 0 {
		if dir, err = e.initCgroup(); err == nil {
			p, err = e.startIn(image, dir)
		}
	}
	if (err == unix.EACCES || err == unix.EPERM) && dir != "" && e.rootless() {
		e.stays("process", because("cgroup "+dir, err))
		p, err = e.startIn(image, "")
	}
	return p, err
}

func (e *entrance) startIn(image int, dir string) (p stage.Process, err error) {
	born := -1
	if dir != "" {
		if born, err = unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
			return p, because("cgroup "+dir, err)
		}
		defer unix.Close(born)
	}
	p, err = stage.Start(image, []string{"minirt", "stage", e.ID}, e.files, 0, born)
	var errno unix.Errno
	if errors.As(err, &errno) {
		return p, errno
	}
	return p, err
}

// initCgroup is where the container's process is: below the container's cgroup
// of version 2, which the container may have divided.
func (e *entrance) initCgroup() (string, error) {
	b, err := readFile("/proc/"+strconv.Itoa(e.Process.PID)+"/cgroup", 1<<16)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(b)) {
		if place, ok := strings.CutPrefix(line, "0::"); ok {
			for _, d := range e.joined.Dirs {
				path := d.Mount + strings.TrimSuffix(place, "\n")
				if d.V2 && strings.HasPrefix(path, d.Path+"/") && !strings.Contains(path, "/../") {
					return path, nil
				}
			}
		}
	}
	return "", text("the container's process is not below its cgroup, which takes no processes")
}

// rootless tells whether missing rights to cgroups are only warned of.
func (r *Runtime) rootless() bool {
	return r.Rootless == "true" || r.Rootless != "false" && (os.Geteuid() != 0 || inUserNamespace())
}

// namespacesIn lists the kinds of namespaces that flags has.
func namespacesIn(flags uintptr) (list []kernel.Namespace) {
	for _, n := range kernel.Namespaces {
		if flags&uintptr(n.Flag) != 0 {
			list = append(list, n)
		}
	}
	return list
}

// sharedNamespace tells whether a process is in the caller's own namespace of a kind.
func sharedNamespace(pid int, file string) (bool, error) {
	var ours, theirs unix.Stat_t
	if err := unix.Stat("/proc/self/ns/"+file, &ours); err != nil {
		return false, because("/proc/self/ns/"+file, err)
	}
	name := "/proc/" + strconv.Itoa(pid) + "/ns/" + file
	if err := unix.Stat(name, &theirs); err != nil {
		return false, because(name, err)
	}
	return ours.Dev == theirs.Dev && ours.Ino == theirs.Ino, nil
}
