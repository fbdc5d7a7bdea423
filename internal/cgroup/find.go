package cgroup

import (
	"path"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

const root = "/sys/fs/cgroup"

// Find looks where the host mounts its cgroup hierarchies.
//
// /proc/self/cgroup names them; each is expected at /sys/fs/cgroup/NAME (pure
// version 2 at /sys/fs/cgroup itself, hybrid's at /sys/fs/cgroup/unified) and
// known there by its file-system magic. Only if one of version 1 isn't there
// is /proc/self/mountinfo read, which may have thousands of lines. A hierarchy
// that is mounted nowhere isn't part of the layout.
func Find() (*Layout, error) {
	own, err := read("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	l, missing := layout(own, magic)
	if missing {
		mounts, err := readList("/proc/self/mountinfo")
		if err != nil {
			return nil, err
		}
		l, _ = layout(own, elsewhere(mounts))
	}
	if len(l.Hierarchies) == 0 {
		return nil, ErrNotMounted
	}
	if err := l.offers(); err != nil {
		return nil, err
	}
	if l.Base = "/"; l.Unified() {
		h := &l.Hierarchies[0]
		l.Base = base(h.Own, unix.Faccessat(unix.AT_FDCWD, h.Mount, unix.W_OK, unix.AT_EACCESS) == nil)
	}
	return l, nil
}

// magic gives dir back if a cgroup file system of h's version is mounted there,
// which its type tells (statfs(2)), and "" if not.
func magic(h *Hierarchy, dir string) (mount string) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return ""
	}
	if h.V2 && s.Type == unix.CGROUP2_SUPER_MAGIC || !h.V2 && s.Type == unix.CGROUP_SUPER_MAGIC {
		return dir
	}
	return ""
}

// layout reads /proc/self/cgroup, "ID:CONTROLLERS:PATH" a line, and asks at
// for each hierarchy whether it is mounted at a directory. missing tells that
// one of version 1, or version 2 where there is nothing else, was not found.
func layout(own []byte, at func(h *Hierarchy, dir string) (mount string)) (l *Layout, missing bool) {
	l = &Layout{Hierarchies: make([]Hierarchy, 0, 16)}
	var two Hierarchy
	for len(own) > 0 {
		var one []byte
		one, own = line(own)
		_, one = field(one, ':')
		names, place := field(one, ':')
		h := Hierarchy{V2: len(names) == 0, Own: string(place)}
		if h.V2 {
			two = h
			continue
		}
		h.Name = strings.TrimPrefix(string(names), "name=")
		h.Controllers = strings.Split(string(names), ",")
		if h.Mount = at(&h, root+"/"+h.Name); h.Mount == "" {
			// co-mounted controllers may stand under the name of one of them
			for _, c := range h.Controllers {
				if h.Mount = at(&h, root+"/"+c); h.Mount != "" {
					break
				}
			}
		}
		if h.Mount == "" {
			missing = true
			continue
		}
		l.Hierarchies = append(l.Hierarchies, h)
	}
	if !two.V2 {
		return l, missing
	}
	if two.Mount = at(&two, root); two.Mount == "" {
		two.Name = "unified"
		two.Mount = at(&two, root+"/unified")
	}
	if two.Mount != "" {
		l.Hierarchies = append(l.Hierarchies, two)
	}
	return l, missing && two.Name != "" || len(l.Hierarchies) == 0
}

// elsewhere looks for hierarchies in the text of /proc/self/mountinfo.
func elsewhere(mountinfo []byte) func(h *Hierarchy, dir string) string {
	return func(h *Hierarchy, dir string) string {
		if m := magic(h, dir); m != "" {
			return m
		}
		rest := mountinfo
		for len(rest) > 0 {
			var one []byte
			one, rest = line(rest)
			if m := mountOf(h, string(one)); m != "" {
				return m
			}
		}
		return ""
	}
}

// mountOf is the mount point in a line of mountinfo that is the hierarchy's:
// "31 23 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu".
func mountOf(h *Hierarchy, line string) string {
	before, after, _ := strings.Cut(line, " - ")
	f, s := strings.Fields(before), strings.Fields(after)
	if len(f) < 5 || len(s) < 3 {
		return ""
	}
	if h.V2 {
		if s[0] == "cgroup2" {
			return kernel.Unescape(f[4])
		}
		return ""
	}
	if s[0] != "cgroup" {
		return ""
	}
	options := strings.Split(s[2], ",")
	for _, c := range h.Controllers {
		found := false
		for _, o := range options {
			found = found || o == c
		}
		if !found {
			return ""
		}
	}
	return kernel.Unescape(f[4])
}

// offers reads which controllers version 2 has.
func (l *Layout) offers() error {
	h := l.v2()
	if h == nil {
		return nil
	}
	b, err := read(h.Mount + "/cgroup.controllers")
	if err != nil {
		return err
	}
	h.Controllers = strings.Fields(string(b))
	return nil
}

// base is the place for paths of our own choice. On version 2, who may not
// write at the top has been given a part of the tree: the parent of the own
// cgroup, as the own one has processes, and so can't have limited children.
func base(own string, writable bool) string {
	if writable || strings.HasPrefix(own, "/..") {
		return "/"
	}
	return path.Dir(path.Clean("/" + own))
}
