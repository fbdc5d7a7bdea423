package cgroup

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Pids lists the processes in the group, and with recursive those in cgroups
// that the container made below it, as seen from the caller's pid namespace:
// processes that aren't visible there are left out. A group that is gone has
// none.
func (g *Group) Pids(recursive bool) ([]int, error) {
	d := g.members()
	if d == nil {
		return nil, nil
	}
	return pids(nil, d.Path, recursive)
}

func pids(list []int, dir string, recursive bool) ([]int, error) {
	b, err := readList(dir + "/cgroup.procs")
	if e, ok := err.(*PathError); ok && (e.Err == unix.ENOENT || e.Err == unix.ENODEV) {
		return list, nil
	}
	// the processes of a threaded cgroup are listed by the one above it
	if e, ok := err.(*PathError); ok && e.Err != unix.EOPNOTSUPP {
		return list, err
	}
	for len(b) > 0 {
		var one []byte
		one, b = line(b)
		if pid, err := strconv.Atoi(string(one)); err == nil && pid > 0 {
			list = append(list, pid)
		}
	}
	if !recursive {
		return list, nil
	}
	below, err := children(dir)
	if err != nil {
		return list, err
	}
	for _, name := range below {
		if list, err = pids(list, dir+"/"+name, true); err != nil {
			return list, err
		}
	}
	return list, nil
}

// children names the cgroups in a directory; none if it is gone.
func children(dir string) ([]string, error) {
	var s unix.Stat_t
	if err := unix.Lstat(dir, &s); err == unix.ENOENT || err == nil && s.Nlink == 2 {
		return nil, nil // kernfs counts directories: 2 is none below
	}
	fd, err := open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if err == unix.ENOENT {
		return nil, nil
	}
	if err != nil {
		return nil, &PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	var names, list []string
	buf := make([]byte, 8192)
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &PathError{Op: "read", Path: dir, Err: err}
		}
		if n == 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	for _, name := range names {
		if unix.Lstat(dir+"/"+name, &s) == nil && s.Mode&unix.S_IFMT == unix.S_IFDIR {
			list = append(list, name)
		}
	}
	return list, nil
}
