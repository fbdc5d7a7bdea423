package lifecycle

import (
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// StatusPaused is the one status beside those of runtime.md: the container's
// processes are frozen.
const StatusPaused specs.ContainerState = "paused"

// container is a container that exists: its directory and what is recorded there.
type container struct {
	*dir
	*Record
}

// load opens a container.
func (r *Runtime) load(id string) (*container, error) {
	d, err := r.find(id)
	if err != nil {
		return nil, err
	}
	rec, err := d.record()
	if err != nil {
		d.close()
		return nil, err
	}
	return &container{d, rec}, nil
}

// status finds out the container's status. It is never stored:
//
//	no process recorded, its creator lives    creating
//	no process recorded                       stopped   create was killed
//	the process has ended, a zombie too       stopped
//	its cgroup is frozen                      paused
//	somebody reads the gate                   created
//	else                                      running
func (c *container) status() specs.ContainerState {
	if c.Process.PID == 0 {
		if c.Creator.alive() {
			return specs.StateCreating
		}
		return specs.StateStopped
	}
	if !c.Process.alive() {
		return specs.StateStopped
	}
	if frozen, err := c.group().Frozen(); err == nil && frozen {
		return StatusPaused
	}
	if c.waiting() {
		return specs.StateCreated
	}
	return specs.StateRunning
}

// waiting tells whether the process still stands at its gate: only a FIFO that
// somebody reads can be opened for writing without waiting. It needs no right
// to look into the process, and takes nothing that start is to read.
func (c *container) waiting() bool {
	fd, err := unix.Openat(c.fd, gateFile, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

// state is the state document's value for a status.
func (c *container) state(status specs.ContainerState) *State {
	created, _ := time.Parse(time.RFC3339Nano, c.Created)
	s := &State{
		State: specs.State{
			Version: c.OCIVersion, ID: c.ID, Status: status, Bundle: c.Bundle, Annotations: c.Annotations,
		},
		Rootfs: c.Rootfs, Created: created,
	}
	if status != specs.StateStopped {
		s.Pid = c.Process.PID
	}
	return s
}
