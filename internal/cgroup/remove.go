package cgroup

import (
	"bytes"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// removing is how long Remove waits in all for processes that are dying.
const removing = 2 * time.Second

// Remove takes away the directories in Made, and those that the container made
// below its own. What isn't there is no error, nor a parent that others use by
// now. A directory can be busy for a while after its last process has died; if
// one is for longer than 2 s, the error names who is inside.
func (g *Group) Remove() error {
	end := time.Now().Add(removing)
	var first error
	for i := range g.Dirs {
		d := &g.Dirs[i]
		if !d.leaf() {
			d.removeParents(len(d.Made))
			continue
		}
		if err := removeTree(d.Path, end); err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		d.removeParents(len(d.Made) - 1)
	}
	return first
}

// removeParents removes the first n of Made, innermost first, as far as they
// are empty: when another container has moved in, they are its own now.
func (d *Dir) removeParents(n int) {
	for n--; n >= 0; n-- {
		if err := unix.Rmdir(d.Made[n]); err != nil && err != unix.ENOENT {
			return
		}
	}
}

func removeTree(dir string, end time.Time) error {
	for pause := 200 * time.Microsecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := unix.Rmdir(dir)
		if err == nil || err == unix.ENOENT {
			return nil
		}
		if err != unix.EBUSY && err != unix.ENOTEMPTY {
			return &PathError{Op: "rmdir", Path: dir, Err: err}
		}
		below, e := children(dir)
		if e != nil {
			return e
		}
		for _, name := range below {
			if e := removeTree(dir+"/"+name, end); e != nil {
				return e
			}
		}
		if len(below) == 0 {
			if time.Now().After(end) {
				list, _ := pids(nil, dir, true)
				if len(list) == 0 {
					return &PathError{Op: "rmdir", Path: dir, Err: err}
				}
				return alive("rmdir", dir, list[0], err)
			}
			time.Sleep(pause)
		}
	}
}

// alive is the error for a process that stays in a directory.
func alive(op, dir string, pid int, err error) error {
	who := "process " + strconv.Itoa(pid)
	if b, e := read("/proc/" + strconv.Itoa(pid) + "/comm"); e == nil {
		who += " (" + strconv.Quote(string(bytes.TrimSpace(b))) + ")"
	}
	return &PathError{op, dir, who + " is still inside", err}
}
