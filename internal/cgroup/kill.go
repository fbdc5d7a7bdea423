package cgroup

import (
	"time"

	"golang.org/x/sys/unix"
)

// killing is how long Kill waits for the last process to go.
const killing = 2 * time.Second

// Kill sends the signal to every process in the group and below it.
//
// SIGKILL reaches those too that are born meanwhile, and frozen ones: by
// cgroup.kill (version 2, Linux 5.14), which returns at once; else by freezing,
// killing and thawing until the group is empty, for at most 2 s. Of other
// signals each process gets one; a frozen group stays frozen.
func (g *Group) Kill(sig unix.Signal) error {
	if sig == unix.SIGKILL {
		return g.killAll()
	}
	was, err := g.Frozen()
	if err != nil {
		return err
	}
	if !was {
		defer g.Thaw()
	}
	return g.signal(sig, was)
}

// signal sends one signal while nobody can be born, die or hand on his pid:
// frozen, or as good as it goes where there's no freezer.
func (g *Group) signal(sig unix.Signal, frozen bool) error {
	if !frozen {
		g.freeze(100 * time.Millisecond)
	}
	list, err := g.Pids(true)
	if err != nil {
		return err
	}
	for _, pid := range list {
		if err := unix.Kill(pid, sig); err != nil && err != unix.ESRCH {
			return &PathError{Op: "kill", Path: number(int64(pid)), Err: err}
		}
	}
	return nil
}

func (g *Group) killAll() error {
	if d := g.v2(); d != nil {
		err := write(d.Path+"/cgroup.kill", "1")
		if err == nil {
			return g.ThawAll() // version 1's freezer holds the dying, too
		}
		if e := err.(*PathError); e.Err != unix.ENOENT && e.Err != unix.EOPNOTSUPP && e.Err != unix.ENODEV {
			return err
		}
	}
	for end, pause := time.Now().Add(killing), 100*time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		list, err := g.Pids(true)
		if err != nil || len(list) == 0 {
			g.ThawAll()
			return err
		}
		if time.Now().After(end) {
			return alive("kill", g.members().Path, list[0], unix.ETIMEDOUT)
		}
		err = g.signal(unix.SIGKILL, false)
		if thaw := g.ThawAll(); err == nil {
			err = thaw
		}
		if err != nil {
			return err
		}
		time.Sleep(pause)
	}
}
