package advice

import (
	"path"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// place is where a path of the container leads, as far as the host can see.
type place struct {
	File
	path   string // in the container
	host   string // the same on the host; "" if it lies on a mount that only the container has
	mount  string // the number of the mount that it lies on; "" for the root file system
	noexec bool   // that mount's option
	hidden bool   // the host can't see it
	link   string // what the symbolic link there says
}

// known tells that something is there.
func (p place) known() bool { return p.Mode != 0 }

// absent tells that surely nothing is.
func (p place) absent() bool { return p.path != "" && p.Mode == 0 && !p.hidden }

func (p place) regular() bool { return p.Mode&unix.S_IFMT == unix.S_IFREG }

func (p place) executable() bool { return p.regular() && p.Mode&0o111 != 0 }

// target finds a path of the container: in its root, or in the source of a bind
// that covers it. Other mounts of its own hide what is there. Links are followed
// here one by one, since they may lead to another mount.
func target(f *Failure, h Facts, name string) place {
	const links = 40 // as the kernel does (path_resolution(7))
	if f.Rootfs == "" || name == "" {
		return place{}
	}
	name = path.Clean("/" + name)
	for real, n := name, 0; n < links; n++ {
		p, link := along(f, h, real)
		if link == "" {
			p.path = name
			return p
		}
		real = link
	}
	return place{path: name, hidden: true}
}

// along walks a path of the container up to its first link, and gives where
// that leads; link is "" if there is none.
func along(f *Failure, h Facts, name string) (p place, link string) {
	for i := 1; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		dir, rest := name[:i], name[i:]
		p = spot(f, h, dir)
		if p.hidden || p.link == "" {
			continue
		}
		if path.IsAbs(p.link) {
			return p, path.Clean(p.link + rest)
		}
		return p, path.Clean(path.Dir(dir) + "/" + p.link + rest)
	}
	return p, ""
}

// spot finds a path of the container that leads through no link.
func spot(f *Failure, h Facts, name string) place {
	p := place{path: name, host: path.Join(f.Rootfs, name)}
	root, rest, under := f.Rootfs, name, -1
	for i := range f.mounts() {
		m := &f.Spec.Mounts[i]
		d := path.Clean("/" + m.Destination)
		if below, ok := strings.CutPrefix(name, strings.TrimSuffix(d, "/")); ok && (below == "" || below[0] == '/') {
			under, root, rest = i, rootfs.Source(m, f.Bundle), below
		}
	}
	if under >= 0 {
		m := &f.Spec.Mounts[under]
		p.mount, p.noexec = strconv.Itoa(under), has(m, "noexec")
		if !rootfs.IsBind(m) {
			p.host, p.hidden = "", true
			return p
		}
		p.host = path.Join(root, rest)
		if rest == "" { // the source itself: a file, perhaps; links that lead to it are the host's
			p.File = h.Look("/", root)
			return p
		}
	}
	p.link = h.Link(root, rest)
	p.File = h.Look(root, rest)
	return p
}

// locate finds the container's program: itself, or the first of its name along PATH.
func locate(f *Failure, h Facts) place {
	if !ownProgram(f) {
		return place{}
	}
	if strings.Contains(f.Program, "/") {
		if path.IsAbs(f.Program) {
			return target(f, h, f.Program)
		}
		return target(f, h, f.cwd()+"/"+f.Program)
	}
	for _, dir := range f.searchPath() {
		if p := target(f, h, dir+"/"+f.Program); p.regular() {
			return p
		}
	}
	return place{}
}

// searchPath are the directories of the PATH in process.env; the default is lifecycle's.
func (f *Failure) searchPath() []string {
	const otherwise = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	if f.Spec != nil && f.Spec.Process != nil {
		for _, e := range f.Spec.Process.Env {
			if v, ok := strings.CutPrefix(e, "PATH="); ok {
				return strings.Split(v, ":")
			}
		}
	}
	return strings.Split(otherwise, ":")
}

func (f *Failure) cwd() string {
	if f.Spec == nil || f.Spec.Process == nil {
		return "/"
	}
	return f.Spec.Process.Cwd
}

func (f *Failure) mounts() []specs.Mount {
	if f.Spec == nil {
		return nil
	}
	return f.Spec.Mounts
}

// uid is process.user's, in the container.
func (f *Failure) uid() uint32 {
	if f.Spec == nil || f.Spec.Process == nil {
		return 0
	}
	return f.Spec.Process.User.UID
}

// hostIDs are process.user's on the host.
func (f *Failure) hostIDs() (uid, gid uint32) {
	if f.Spec == nil || f.Spec.Process == nil {
		return 0, 0
	}
	u := f.Spec.Process.User
	uid, gid = u.UID, u.GID
	if l := f.Spec.Linux; l != nil && len(l.UIDMappings) > 0 {
		if id, ok := kernel.HostID(l.UIDMappings, uid); ok {
			uid = id
		}
		if id, ok := kernel.HostID(l.GIDMappings, gid); ok {
			gid = id
		}
	}
	return uid, gid
}

// may tells whether process.user has a permission, 1 for x, on a file. Access
// control lists and supplementary groups aren't looked at.
func (f *Failure) may(file File, permission uint32) bool {
	uid, gid := f.hostIDs()
	switch {
	case uid == file.UID:
		permission <<= 6
	case gid == file.GID:
		permission <<= 3
	}
	return file.Mode&permission != 0
}

// closed finds the first directory on the way to a path of the container, the
// root included, that process.user may not enter, by its path on the host.
func closed(f *Failure, h Facts, name string) (uid, dir string) {
	if name == "" || f.uid() == 0 {
		return "", ""
	}
	for i := 0; i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		p := target(f, h, name[:i+1])
		if p.Mode&unix.S_IFMT == unix.S_IFDIR && !f.may(p.File, 1) {
			return number(f.uid()), p.host
		}
	}
	return "", ""
}

func has(m *specs.Mount, option string) bool {
	for _, o := range m.Options {
		if o == option {
			return true
		}
	}
	return false
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func itoa(n int) string { return strconv.Itoa(n) }

// readable tells that an empty Head means an empty file.
func readable(h Facts) bool { return h.UID() == 0 }

// mounted is a mount of the host.
type mounted struct {
	point, kind, options string
}

// mountOf finds the mount that a path of the host lies on (proc(5), mountinfo).
func mountOf(h Facts, name string) (best mounted) {
	for line := range strings.Lines(h.Read("/proc/self/mountinfo")) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 6 || len(r) < 3 {
			continue
		}
		point := kernel.Unescape(l[4])
		below, ok := strings.CutPrefix(name, strings.TrimSuffix(point, "/"))
		if ok && (below == "" || below[0] == '/') && len(point) >= len(best.point) {
			best = mounted{point, r[0], l[5] + "," + r[2]}
		}
	}
	return best
}
