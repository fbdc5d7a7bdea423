package cgroup

import (
	"strconv"
	"strings"
)

// Group names the container's directories for a cgroupsPath (config-linux.md,
// Cgroups Path), without looking whether they are there:
//
//	"/a/b"  MOUNT/a/b in each hierarchy
//	"a/b"   MOUNT/minirt/a/b
//	""      MOUNT/minirt-ID: a parent would cost a second mkdir and rmdir in
//	        each hierarchy, about 1 ms in a container's life
//
// MOUNT is followed by the layout's Base in the last two cases. The same value
// is the same place, whoever calls. A path with "..", a NUL or a newline, or that is
// the top of the tree is refused. Empty parts and "." are passed over.
func (l *Layout) Group(cgroupsPath, id string) (*Group, error) {
	place, err := l.place(cgroupsPath, id)
	if err != nil {
		return nil, err
	}
	g := &Group{Dirs: make([]Dir, len(l.Hierarchies))}
	for i := range l.Hierarchies {
		h := l.Hierarchies[i]
		g.Dirs[i] = Dir{Hierarchy: h, Path: h.Mount + place}
	}
	return g, nil
}

// place is the path below the mount points: clean, with a leading slash.
func (l *Layout) place(cgroupsPath, id string) (string, error) {
	base := strings.TrimSuffix(l.Base, "/")
	if cgroupsPath == "" {
		return base + "/minirt-" + id, nil
	}
	refuse := func(why string) (string, error) {
		return "", Fault{Path: "linux.cgroupsPath", Text: strconv.Quote(cgroupsPath) + " " + why}
	}
	if strings.ContainsAny(cgroupsPath, "\x00\n") {
		return refuse("has a NUL or a newline in it")
	}
	parts := ""
	for _, p := range strings.Split(cgroupsPath, "/") {
		switch p {
		case "", ".":
		case "..":
			return refuse(`has a ".." in it`)
		default:
			parts += "/" + p
		}
	}
	if parts == "" {
		return refuse("is no place for a container")
	}
	if cgroupsPath[0] != '/' {
		return base + "/minirt" + parts, nil
	}
	return parts, nil
}
