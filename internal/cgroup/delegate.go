package cgroup

import "golang.org/x/sys/unix"

// Delegate gives the group to a user, uid and gid as the host counts them
// (config-linux.md, Cgroup ownership): the directory, and of its files those
// in /sys/kernel/cgroup/delegate (Linux 4.15), as far as they are there. To
// whom, and whether at all, the caller decides by the spec's conditions: a new
// cgroup namespace, and a cgroup mount at /sys/fs/cgroup that isn't read-only.
//
// It does nothing where version 1 is in use, which can't be delegated safely.
func (g *Group) Delegate(uid, gid int) error {
	if len(g.Dirs) != 1 || !g.Dirs[0].V2 {
		return nil
	}
	dir := g.Dirs[0].Path
	names, err := read("/sys/kernel/cgroup/delegate")
	if e, ok := err.(*PathError); ok && e.Err == unix.ENOENT {
		names, err = []byte("cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"), nil
	}
	if err != nil {
		return err
	}
	if err := unix.Lchown(dir, uid, gid); err != nil {
		return &PathError{Op: "chown", Path: dir, Err: err}
	}
	for len(names) > 0 {
		var name []byte
		name, names = line(names)
		if len(name) == 0 {
			continue
		}
		file := dir + "/" + string(name)
		if err := unix.Lchown(file, uid, gid); err != nil && err != unix.ENOENT {
			return &PathError{Op: "chown", Path: file, Err: err}
		}
	}
	return nil
}
