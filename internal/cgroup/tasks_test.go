package cgroup

import "golang.org/x/sys/unix"

// Tasks opens what a process needs to join: for each version 1 hierarchy its
// tasks file, for writing, to which the single-threaded process writes "0"
// itself; for version 2 the directory, O_PATH, for CLONE_INTO_CGROUP, or -1 if
// there is none. All are close-on-exec and the caller's to close: give them on
// to the stage by dup2 or as files of the exec.
func (g *Group) Tasks() (v1 []int, v2 int, err error) {
	v1, v2 = make([]int, 0, len(g.Dirs)), -1
	for i := range g.Dirs {
		d := &g.Dirs[i]
		path, flags := d.Path+"/tasks", unix.O_WRONLY|unix.O_NOFOLLOW
		if d.V2 {
			path, flags = d.Path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW
		}
		fd, err := open(path, flags)
		if err != nil {
			closeAll(v1)
			if v2 >= 0 {
				unix.Close(v2)
			}
			return nil, -1, &PathError{Op: "open", Path: path, Err: err}
		}
		if d.V2 {
			v2 = fd
		} else {
			v1 = append(v1, fd)
		}
	}
	return v1, v2, nil
}
