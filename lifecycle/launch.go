package lifecycle

import (
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

// seal makes the program of a plan, ready for stage.Start; dir serves where
// memfds can't be run.
func seal(p *plan.Plan, dir string) (fd int, err error) {
	image, err := imageOf(p)
	if err != nil {
		return -1, err
	}
	return stage.Seal(image, dir)
}

// launch starts the stage with its descriptors.
func (c *creation) launch() error {
	c.phase("write the image")
	fd, err := seal(c.plan.Plan, c.path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ours, theirs, err := socketPair()
	if err != nil {
		return err
	}
	c.sync, c.files[c.host.Files.Sync] = ours, uintptr(theirs)
	if err := c.openNamespaces(); err != nil {
		return err
	}
	born, err := c.birthplace()
	if err != nil {
		return err
	}
	if err := c.options.Timing.share(c.plan, c.files, c.host.Files.Stamps); err != nil {
		return err
	}
	c.phase("clone and execve")
	c.options.Timing.stageBorn()
	p, err := stage.Start(fd, []string{"minirt", "stage", c.ID}, c.files, c.plan.Namespaces, born)
	unix.Close(theirs)
	c.files[c.host.Files.Sync] = none
	if n := c.host.Files.Stamps; n > 0 {
		c.files[n] = none
	}
	if born >= 0 {
		unix.Close(born)
	}
	if err != nil {
		return because("start the stage", advised(err, c.plan.Namespaces))
	}
	if c.Deaf {
		report := &c.files[c.host.Files.Report]
		c.report, *report = int(*report), none
	}
	c.Process.PID, c.pidfd = p.PID, p.PIDFD
	c.options.Timing.bears(p.PID)
	c.undo.add(c.end)
	return nil
}

// closeFiles closes what the stage has inherited by now.
func (c *creation) closeFiles() {
	c.log.closeTheirs()
	for i := c.host.Files.First; i < len(c.files); i++ {
		if c.files[i] != none {
			unix.Close(int(c.files[i]))
		}
	}
}

// end kills the container's process, and reaps it.
func (c *creation) end() error {
	if c.pidfd >= 0 {
		unix.PidfdSendSignal(c.pidfd, unix.SIGKILL, nil, 0)
		wait(c.Process.PID)
		waitGroup(c.Process.PID) // what it has borne and not told of
		unix.Close(c.pidfd)
		c.pidfd, c.Process.PID = -1, 0
	}
	c.closeReport()
	return nil
}
