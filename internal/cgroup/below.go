package cgroup

import (
	"strings"

	"golang.org/x/sys/unix"
)

// Below is a cgroup that the container made below its own, for a process that
// is to join it: sub is its path from the group, which may begin with a slash,
// in the hierarchies of the named controllers (none: in all). The rest of the
// group stays as it is. A path with ".." is refused, and nothing is compared
// by its beginning (SEC-58); cgroup file systems have no symbolic links.
func (g *Group) Below(controllers []string, sub string) (*Group, error) {
	parts := ""
	for p := range strings.SplitSeq(sub, "/") {
		switch p {
		case "", ".":
		case "..":
			return nil, &PathError{"join", sub, `".." leads out of the container's cgroup`, unix.EINVAL}
		default:
			parts += "/" + p
		}
	}
	if strings.IndexByte(parts, 0) >= 0 {
		return nil, &PathError{Op: "join", Path: shown(sub), Err: unix.EINVAL}
	}
	b := &Group{Dirs: append([]Dir(nil), g.Dirs...)}
	if len(controllers) == 0 {
		for i := range b.Dirs {
			b.Dirs[i].Path += parts
			b.Dirs[i].Made = nil
		}
		return b, nil
	}
	for _, c := range controllers {
		d := b.dir(c)
		if d == nil {
			d = b.dir("name=" + c)
		}
		if d == nil {
			return nil, &PathError{"join", sub, "the container has no cgroup with the " + c + " controller", unix.ENOENT}
		}
		// two controllers may be in one hierarchy
		d.Path, d.Made = g.path(d)+parts, nil
	}
	return b, nil
}

// path is the group's directory in the hierarchy of d.
func (g *Group) path(d *Dir) string {
	for i := range g.Dirs {
		if g.Dirs[i].Mount == d.Mount {
			return g.Dirs[i].Path
		}
	}
	return ""
}
