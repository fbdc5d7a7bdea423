package cgroup

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// freezing is how long Freeze and Thaw wait for the kernel.
const freezing = 2 * time.Second

// freezer is the directory by which the group is frozen: version 1's freezer,
// else version 2; nil if there is neither.
func (g *Group) freezer() *Dir {
	if d := g.dir("freezer"); d != nil {
		return d
	}
	return g.v2()
}

// Freeze stops all processes of the group, those below it too, and returns
// when they have stopped. If they don't in 2 s, they go on and it is an error.
func (g *Group) Freeze() error { return g.freeze(freezing) }

func (g *Group) freeze(patience time.Duration) error {
	d := g.freezer()
	if d == nil {
		return errors.New("the container has no cgroup that can be frozen")
	}
	file, on, off := d.freezerWords()
	for end, pause := time.Now().Add(patience), 50*time.Microsecond; ; pause = min(2*pause, 10*time.Millisecond) {
		// Version 1 wants to be asked again (Linux, freezer-subsystem.rst): a
		// process that couldn't be stopped is tried again only by a new write.
		if err := write(file, on); err != nil {
			return err
		}
		frozen, err := d.frozen()
		if frozen || err != nil {
			return err
		}
		if time.Now().After(end) {
			write(file, off)
			return &PathError{"freeze", d.Path, "some process doesn't stop", unix.ETIMEDOUT}
		}
		time.Sleep(pause)
	}
}

// Thaw lets the processes go on. A group that is gone is no error.
func (g *Group) Thaw() error {
	d := g.freezer()
	if d == nil {
		return nil
	}
	file, _, off := d.freezerWords()
	err := write(file, off)
	if e, ok := err.(*PathError); ok && (e.Err == unix.ENOENT || e.Err == unix.ENODEV) {
		return nil
	}
	return err
}

// ThawAll is Thaw for the cgroups below the group, too, which its processes or
// others may have frozen: version 1 holds those who have been killed there.
func (g *Group) ThawAll() error {
	if err := g.Thaw(); err != nil {
		return err
	}
	if d := g.dir("freezer"); d != nil {
		return thawBelow(d.Path)
	}
	return nil
}

func thawBelow(dir string) error {
	below, err := children(dir)
	for i := 0; i < len(below) && err == nil; i++ {
		sub := dir + "/" + below[i]
		err = write(sub+"/freezer.state", "THAWED")
		if e, ok := err.(*PathError); ok && (e.Err == unix.ENOENT || e.Err == unix.ENODEV) {
			err = nil
			continue
		}
		if err == nil {
			err = thawBelow(sub)
		}
	}
	return err
}

// Frozen says whether the processes are stopped, by the group or one above it.
// A group that is gone isn't.
func (g *Group) Frozen() (bool, error) {
	d := g.freezer()
	if d == nil {
		return false, nil
	}
	frozen, err := d.frozen()
	if e, ok := err.(*PathError); ok && (e.Err == unix.ENOENT || e.Err == unix.ENODEV) {
		return false, nil
	}
	return frozen, err
}

func (d *Dir) freezerWords() (file, on, off string) {
	if d.V2 {
		return d.Path + "/cgroup.freeze", "1", "0"
	}
	return d.Path + "/freezer.state", "FROZEN", "THAWED"
}

// FreezerFile is the file that tells whether the processes are stopped; "" if
// there is none.
func (g *Group) FreezerFile() string {
	if d := g.freezer(); d != nil {
		return d.stateFile()
	}
	return ""
}

func (d *Dir) stateFile() string {
	if d.V2 {
		return d.Path + "/cgroup.events"
	}
	return d.Path + "/freezer.state"
}

func (d *Dir) frozen() (bool, error) {
	b, err := read(d.stateFile())
	if d.V2 {
		return bytes.Contains(b, []byte("frozen 1")), err
	}
	return string(bytes.TrimSpace(b)) == "FROZEN", err
}
