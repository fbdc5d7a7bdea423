package lifecycle

import "golang.org/x/sys/unix"

// A container may be paused after exec has looked. What comes into it then is
// frozen too, and exec would wait for ever: so exec keeps pause out until its
// stage runs, and while it waits for the stage's words it looks at the freezer
// again and again, which others can use as well.

// errPaused is why nothing can be run in a paused container.
const errPaused = text("cannot exec in a paused container (use --ignore-paused to override)")

// hold locks the container against a pause that comes in between (LOCK_SH), or
// against execs that are on their way (LOCK_EX), until the descriptor is closed.
// In a frozen cgroup of version 2 a stage would be born frozen, and clone(2) would
// not come back before it is thawed. config.json is what is locked: the
// directory's own lock is start's, whose hooks may exec. A container that is being
// created has none yet, and is refused: -1.
func (c *container) hold(how int) (fd int, err error) {
	fd, err = unix.Openat(c.fd, configFile, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return -1, nil
	}
	if err != nil {
		return -1, because(c.path+"/"+configFile, err)
	}
	if err = flock(fd, how); err != nil {
		unix.Close(fd)
		return -1, because("lock "+c.path+"/"+configFile, err)
	}
	return fd, nil
}

// silence is how many milliseconds a stage may be silent before exec looks at
// the freezer.
const silence = 100

// hear waits for the stage's next word.
func (e *entrance) hear() error {
	for !readable(e.sync, silence) {
		if e.options.IgnorePaused {
			readable(e.sync, -1)
			return nil
		}
		if frozen, err := e.group().Frozen(); err == nil && frozen {
			e.thawStage()
			return errPaused
		}
	}
	return nil
}

// thawStage takes the stage out of the container's freezer of version 1, where
// no signal would end it. The rest of the container stays as it is. A process
// that the stage has borne and not told of finds end of file when it goes on,
// and ends.
func (e *entrance) thawStage() {
	unix.PidfdSendSignal(e.pidfd, unix.SIGKILL, nil, 0) // first: it is not to run any more
	e.group().LeaveFreezer(e.pid)
}
