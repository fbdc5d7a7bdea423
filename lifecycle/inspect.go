package lifecycle

import (
	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A Subject is a container whose process lives, for somebody who looks at it
// from outside. The process is held by its pidfd: until that tells of its end, its
// number is not another's.
type Subject struct {
	*State
	Spec    *specs.Spec   // config.json as create has read it
	Group   *cgroup.Group // its cgroup; nil where it has none of its own
	Added   []string      // paths below the root of the devices that update has added
	PIDFD   int
	waiting bool
	images  string
}

// Inspect opens a container for a look at its process. It changes nothing. The
// error is ErrNotRunning where there is no process any more, or not yet.
func (r *Runtime) Inspect(id string) (s *Subject, err error) {
	defer wrap("explain", id, &err)
	c, err := r.load(id)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.measurable(); err != nil {
		return nil, err
	}
	s = &Subject{State: c.state(c.status()), waiting: c.waiting(), images: c.path}
	if s.Spec, err = c.config(); err != nil {
		return nil, err
	}
	if len(c.Cgroups) > 0 {
		s.Group = c.group()
	}
	for _, d := range c.Devices {
		s.Added = append(s.Added, d.Path)
	}
	if s.PIDFD, err = c.Process.open(); err != nil {
		return nil, because("container with id "+id+" is not running", ErrNotRunning)
	}
	return s, nil
}

// Close lets the process go.
func (s *Subject) Close() { unix.Close(s.PIDFD) }

// Waiting tells whether the process still stood at its gate: what the steps
// behind that do is not in force yet.
func (s *Subject) Waiting() bool { return s.waiting }
