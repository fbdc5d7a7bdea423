package mountpoint

import (
	"strings"

	"github.com/minirt/minirt/rootfs"
	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links one path may lead through, as in the
// kernel (path_resolution(7)).
const maxLinks = 40

// ground is what a part of the container's tree lies on.
type ground uint8

const (
	onRoot    ground = iota // the bundle's root file system: what is missing the parent makes
	onBind                  // a bind's source: looked into, but what is missing the stage makes
	onEmpty                 // a file system that is empty at first: all is missing
	onUnknown               // a file system that can't be looked into before it is mounted
)

// layer is an earlier mount, where it will lie.
type layer struct {
	path   string // resolved, relative to the root
	ground ground
	source string // of a bind
	tree   bool   // of a bind: with all that is mounted below its source
	fixed  bool   // a file system in which nothing can be made
}

// walker resolves paths in the container as they will be when it is built:
// its mounts are looked up in a list, all else by descriptor. A symbolic link is
// read and resolved inside the root by hand, so that the parts of a path that
// don't exist yet are known as well; the kernel's RESOLVE_IN_ROOT can't tell
// them (SEC-06, SEC-56).
type walker struct {
	root   int // O_PATH, or noRoot
	layers []layer
}

// noRoot stands for a root that isn't there: nothing is, below it.
const noRoot = -1

// spot is one directory or file on the way.
type spot struct {
	fd      int // O_PATH, -1 if nothing can be opened here
	path    string
	ground  ground
	tree    bool
	fixed   bool
	missing bool
	mode    uint32 // st_mode, 0 if it can't be known
	rdev    uint64
	base    int // components of path that are there before anything is made: those of the mount that it lies on, and on the root and in a bind those that exist
}

// walk options
const (
	noLinks  = 1 << iota // a symbolic link anywhere is refused with ELOOP
	keepLast             // a symbolic link at the very end is not followed
)

// walk resolves path. The spot's descriptor is the caller's.
func (w *walker) walk(path string, options int) (spot, error) {
	if s, ok := w.fast(path); ok {
		return s, nil
	}
	if len(path) >= unix.PathMax { // the stage couldn't open it, either
		return spot{}, unix.ENAMETOOLONG
	}
	stack := []spot{{fd: w.root, mode: unix.S_IFDIR, missing: w.root == noRoot}}
	defer func() {
		for i := range stack {
			w.close(stack[i].fd)
		}
	}()
	pending := strings.Split(path, "/")
	links := 0
	for len(pending) > 0 {
		name := pending[0]
		pending = pending[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			if n := len(stack) - 1; n > 0 {
				w.close(stack[n].fd)
				stack = stack[:n]
			}
			continue
		}
		top := &stack[len(stack)-1]
		if top.mode != 0 && top.mode&unix.S_IFMT != unix.S_IFDIR {
			return spot{}, unix.ENOTDIR
		}
		next, err := w.step(top, name)
		if err != nil {
			return spot{}, err
		}
		last := true
		for _, c := range pending {
			last = last && (c == "" || c == ".")
		}
		if next.mode&unix.S_IFMT != unix.S_IFLNK || last && options&keepLast != 0 {
			stack = append(stack, next)
			continue
		}
		target, err := readlink(next.fd)
		w.close(next.fd)
		if err != nil {
			return spot{}, err
		}
		if links++; links > maxLinks || options&noLinks != 0 {
			return spot{}, unix.ELOOP
		}
		if strings.HasPrefix(target, "/") {
			for _, s := range stack[1:] {
				w.close(s.fd)
			}
			stack = stack[:1]
		}
		pending = append(strings.Split(target, "/"), pending...)
	}
	n := len(stack) - 1
	end := stack[n]
	stack = stack[:n]
	if n == 0 {
		end.fd = -1 // the root's descriptor stays the walker's
	}
	return end, nil
}

// fast resolves a path that exists on the bundle's root, has no links, and
// meets no mount: one call instead of three a component.
func (w *walker) fast(path string) (spot, bool) {
	if path == "" || w.root == noRoot || strings.Contains(path, "..") {
		return spot{}, false
	}
	for _, l := range w.layers {
		if path == l.path || strings.HasPrefix(path, l.path+"/") {
			return spot{}, false
		}
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(w.root, path, &how)
	if err != nil {
		return spot{}, false
	}
	s := spot{fd: fd, path: path, base: rootfs.Components(path)}
	if s.stat() != nil || s.mode&unix.S_IFMT == unix.S_IFLNK {
		unix.Close(fd)
		return spot{}, false
	}
	return s, true
}

// step goes from a directory to one of its entries.
func (w *walker) step(top *spot, name string) (spot, error) {
	path := name
	if top.path != "" {
		path = top.path + "/" + name
	}
	for i := len(w.layers) - 1; i >= 0; i-- {
		if w.layers[i].path == path {
			return w.enter(&w.layers[i])
		}
	}
	next := spot{fd: -1, path: path, ground: top.ground, tree: top.tree, fixed: top.fixed, base: top.base, missing: true}
	if top.missing || top.ground == onEmpty || top.ground == onUnknown {
		return next, nil
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS}
	if top.ground == onBind && !top.tree {
		how.Resolve |= unix.RESOLVE_NO_XDEV
	}
	fd, err := unix.Openat2(top.fd, name, &how)
	switch err {
	case nil:
		next.fd, next.missing, next.base = fd, false, rootfs.Components(path)
		if err := next.stat(); err != nil {
			unix.Close(fd)
			return spot{}, err
		}
		return next, nil
	case unix.ENOENT:
		return next, nil
	case unix.EXDEV, unix.EACCES: // another mount that the bind doesn't take along; or one only the container may look into
		next.ground, next.base = onUnknown, rootfs.Components(path)-1
		return next, nil
	}
	return spot{}, err
}

// enter goes onto a mount of the container's own.
func (w *walker) enter(l *layer) (spot, error) {
	s := spot{fd: -1, path: l.path, ground: l.ground, tree: l.tree, fixed: l.fixed, base: rootfs.Components(l.path)}
	if l.ground != onBind {
		return s, nil
	}
	fd, err := unix.Open(l.source, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err == unix.EACCES { // a rootless caller's mapped root may be let in where the caller isn't
		s.ground = onUnknown
		return s, nil
	}
	if err != nil {
		return spot{}, err
	}
	s.fd = fd
	if err := s.stat(); err != nil {
		unix.Close(fd)
		return spot{}, err
	}
	return s, nil
}

func (s *spot) stat() error {
	var st unix.Stat_t
	if err := unix.Fstat(s.fd, &st); err != nil {
		return err
	}
	s.mode, s.rdev = st.Mode, uint64(st.Rdev)
	return nil
}

func (w *walker) close(fd int) {
	if fd >= 0 && fd != w.root {
		unix.Close(fd)
	}
}

// readlink reads a symbolic link that is open.
func readlink(fd int) (string, error) {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// place tells the stage about a spot. What is missing on the root is there
// when the stage comes, since the parent makes it.
func (s *spot) place() rootfs.Place {
	p := rootfs.Place{Path: s.path, Exists: s.base, Unknown: s.ground == onUnknown}
	if s.ground == onRoot || s.fixed {
		p.Exists = rootfs.Components(s.path)
	}
	return p
}
