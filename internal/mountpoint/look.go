// Package mountpoint finds and makes what a container's mounts, devices, links
// and working directory need on the root file system of its bundle.
//
// Its law: nothing outside the root is ever touched, whatever the image holds
// and whoever exchanges names in it meanwhile. Every step is made beneath the
// held descriptor of a directory that was reached from the root's own
// descriptor without leaving it; new names are made with calls that don't follow
// links (mkdirat, mknodat, symlinkat, O_EXCL). A race makes the create fail, or
// something inside the root; never something outside (SEC-06, 09, 16, 23, 24, 56).
//
// Look only looks. What it found missing can be written down (Missing) before
// Make makes it, so that Remove can undo it, also after minirt was killed.
// Nothing is ever made below the source of a bind: others may use that; there,
// and on the container's other mounts, the stage makes mount points.
package mountpoint

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Look fills in f, whose Root, Bundle, UserNamespace, MountNamespace and NoPivot
// are set, what s needs in the root, and finds what is missing there. uid and gid
// are the host's ids of the container's root: who owns what is made. The error
// is a rootfs.Fault where a place in s is at fault.
func Look(s *specs.Spec, f *rootfs.Facts, uid, gid int) (*Points, error) {
	root, err := hold(f.Root)
	if err != nil {
		return nil, rootfs.Fault{Path: "root.path", Text: strconv.Quote(f.Root) + ": " + err.Error(), Err: err}
	}
	creating = root
	return look(root, s, f, uid, gid)
}

// Foresee is Look where the root isn't there yet, for who only wants to see a
// plan: it looks as at an empty one. Make must not follow.
func Foresee(s *specs.Spec, f *rootfs.Facts, uid, gid int) (*Points, error) {
	return look(noRoot, s, f, uid, gid)
}

func look(root int, s *specs.Spec, f *rootfs.Facts, uid, gid int) (*Points, error) {
	l := &looker{walker: walker{root: root}, s: s, f: f, points: &Points{root: root, uid: uid, gid: gid}}
	if err := l.all(); err != nil {
		l.points.Close()
		return nil, err
	}
	return l.points, nil
}

// maxMounts is how many mounts, nodes or paths can have the few steps that each needs.
const maxMounts = plan.MaxSteps / 4

type looker struct {
	walker
	s      *specs.Spec
	f      *rootfs.Facts
	points *Points
}

// fits refuses, before much work is done for them, lists that no plan can hold.
func (l *looker) fits() error {
	limit := func(path string, n int) error {
		if n <= maxMounts {
			return nil
		}
		return rootfs.Fault{Path: path, Text: strconv.Itoa(n) + " entries; at most " + strconv.Itoa(maxMounts) + " fit a plan"}
	}
	err := limit("mounts", len(l.s.Mounts))
	if x := l.s.Linux; x != nil && err == nil {
		if err = limit("linux.devices", len(x.Devices)); err == nil {
			if err = limit("linux.maskedPaths", len(x.MaskedPaths)); err == nil {
				err = limit("linux.readonlyPaths", len(x.ReadonlyPaths))
			}
		}
	}
	return err
}

func (l *looker) all() error {
	if err := l.fits(); err != nil {
		return err
	}
	l.f.Mounts = make([]rootfs.Mount, len(l.s.Mounts))
	for i := range l.s.Mounts {
		if err := l.mount(i); err != nil {
			return err
		}
	}
	nodes := rootfs.Nodes(l.s)
	l.f.Devices = make([]rootfs.Device, len(nodes))
	for i := range nodes {
		if err := l.node(&nodes[i], &l.f.Devices[i]); err != nil {
			return err
		}
	}
	links := rootfs.Links(l.s)
	l.f.Links = make([]rootfs.Place, len(links))
	for i := range links {
		if err := l.link(links[i], &l.f.Links[i]); err != nil {
			return err
		}
	}
	if err := l.console(); err != nil {
		return err
	}
	l.cwd()
	if l.s.Linux != nil {
		l.f.Masked, l.f.Readonly = l.hidden(l.s.Linux.MaskedPaths), l.hidden(l.s.Linux.ReadonlyPaths)
	}
	if err := l.null(); err != nil {
		return err
	}
	return l.host()
}

// host finds out what few configs need: where the root's mount and the host's
// own procfs and sysfs are.
func (l *looker) host() (err error) {
	if rootfs.SharesMounts(l.s) {
		if l.f.Holder, err = Holder(l.f.Root); err != nil {
			return rootfs.Fault{Path: "linux.rootfsPropagation", Text: err.Error()}
		}
	}
	if l.f.NoPivot {
		if l.f.Full, err = Full(l.f.Root); err != nil {
			return rootfs.Fault{Path: "root.path", Text: err.Error()}
		}
	}
	return nil
}

func (l *looker) mount(i int) error {
	m, f := &l.s.Mounts[i], &l.f.Mounts[i]
	refused := func(member, text string, err error) error {
		return rootfs.Fault{Path: "mounts[" + strconv.Itoa(i) + "]" + member, Text: text, Err: err}
	}
	fault := func(member, text string) error { return refused(member, text, nil) }
	bind := rootfs.IsBind(m)
	source := ""
	if bind {
		source = rootfs.Source(m, l.f.Bundle)
		var st unix.Stat_t
		switch err := unix.Stat(source, &st); {
		case err == unix.EACCES && l.f.UserNamespace: // the mapped root may get there
			f.File = false
		case err != nil:
			return refused(".source", strconv.Quote(m.Source)+": "+err.Error(), err)
		default:
			f.File = st.Mode&unix.S_IFMT != unix.S_IFDIR
		}
	}
	options := 0
	if rootfs.IsKernel(m) {
		options = noLinks
	}
	s, err := l.walk(rootfs.Clean(m.Destination), options)
	if err != nil {
		text := strconv.Quote(m.Destination) + ": " + err.Error()
		if err == unix.ELOOP && options == noLinks {
			text = strconv.Quote(m.Destination) + " must be an ordinary directory, and what leads there too, not a symbolic link" // SEC-07, 13, 21
		}
		return refused(".destination", text, err)
	}
	if rootfs.IsCopyUp(m) && s.fd >= 0 && s.mode&unix.S_IFMT == unix.S_IFDIR {
		l.points.covers = append(l.points.covers, cover{i, s.fd})
	} else {
		defer l.close(s.fd)
	}
	f.Place, f.Tree = s.place(), -1
	if !s.missing && m.Type == "tmpfs" && !bind {
		f.Mode = s.mode & 0o7777
	}
	if text := l.proc(m, s.path, source); text != "" {
		return fault(".destination", text)
	}
	if s.path == "" {
		return fault(".destination", strconv.Quote(m.Destination)+" leads to the root itself")
	}
	k := dirPoint
	if f.File {
		k = filePoint
	}
	l.need(&s, point{kind: k})
	if l.points.tooMany() {
		return fault(".destination", "the mount points that are missing on the root have, up to this one, more than "+strconv.Itoa(maxMissing)+" bytes of names")
	}
	l.cover(m, s.path, source)
	return nil
}

// proc tells what is wrong with a mount on /proc or below it: checked once
// more here, since symbolic links may have led there (SEC-05, SEC-13, SEC-31).
func (l *looker) proc(m *specs.Mount, path, source string) string {
	switch {
	case path == "proc" && source != "":
		var fs unix.Statfs_t
		if err := unix.Statfs(source, &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
			return strconv.Quote(m.Source) + " is no procfs; nothing else can be bound on /proc"
		}
	case path == "proc" && m.Type != "proc":
		return strconv.Quote(m.Destination) + " is /proc, where only a file system of type proc can be"
	case strings.HasPrefix(path, "proc/") && !rootfs.BelowProc(path):
		return strconv.Quote(m.Destination) + " lies inside /proc, where nothing can be mounted but what lxcfs serves"
	}
	return ""
}

// cover notes a mount for the paths that come after it.
func (l *looker) cover(m *specs.Mount, path, source string) {
	y := layer{path: path, ground: onUnknown, fixed: rootfs.IsFixed(m)}
	switch {
	case has(m, "remount"):
		return
	case source != "":
		y.ground, y.source, y.tree = onBind, source, rootfs.IsTree(m)
	case rootfs.IsEmpty(m):
		y.ground = onEmpty
	}
	// What was mounted below it is hidden.
	kept := l.layers[:0]
	for _, o := range l.layers {
		if o.path != path && !strings.HasPrefix(o.path, path+"/") {
			kept = append(kept, o)
		}
	}
	l.layers = append(kept, y)
}

func has(m *specs.Mount, option string) bool {
	for _, o := range m.Options {
		if o == option {
			return true
		}
	}
	return false
}

// need adds to the points what is missing of a spot on the root.
func (l *looker) need(s *spot, p point) {
	if s.ground != onRoot || !s.missing {
		return
	}
	p.path = s.path
	l.points.add(p, s.base)
}

// cwd has the working directory made where it is missing, as engines expect.
// What can't be resolved is left to the stage's chdir, which tells the user.
func (l *looker) cwd() {
	l.f.Cwd.Skip = true
	if l.s.Process == nil {
		return
	}
	s, err := l.walk(rootfs.Clean(l.s.Process.Cwd), 0)
	if err != nil {
		return
	}
	defer l.close(s.fd)
	l.f.Cwd = s.place()
	l.need(&s, point{kind: dirPoint})
}

// hidden looks at paths that are to be masked or read-only. One that can't be
// resolved now is resolved by the stage, and never left out.
func (l *looker) hidden(paths []string) []rootfs.Place {
	list := make([]rootfs.Place, len(paths))
	for i, path := range paths {
		list[i] = rootfs.Place{Path: rootfs.Clean(path), Unknown: true}
		if s, err := l.walk(list[i].Path, 0); err == nil {
			list[i] = s.place()
			l.close(s.fd)
		}
	}
	return list
}

// null proves that the host's /dev/null, which masks files, is that (SEC-18).
// The container's own /dev/null is used for nothing, nor is the owner of a
// descriptor changed that the caller handed down (SEC-26).
func (l *looker) null() error {
	if l.s.Linux == nil || len(l.s.Linux.MaskedPaths) == 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat("/dev/null", &st); err != nil {
		return rootfs.Fault{Path: "linux.maskedPaths", Text: "the host's /dev/null: " + err.Error()}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || uint64(st.Rdev) != unix.Mkdev(1, 3) {
		return rootfs.Fault{Path: "linux.maskedPaths", Text: "the host's /dev/null is not the device 1:3, and can't mask anything"}
	}
	return nil
}
