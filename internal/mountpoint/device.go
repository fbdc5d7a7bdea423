package mountpoint

import (
	"strconv"

	"github.com/minirt/minirt/rootfs"
	"golang.org/x/sys/unix"
)

// node looks at the place of a device node (DV-04). A symbolic link there is
// something else, and isn't followed.
func (l *looker) node(n *rootfs.Node, d *rootfs.Device) error {
	fault := func(text string) error {
		return rootfs.Fault{Path: n.Origin, Text: strconv.Quote(n.Path) + ": " + text}
	}
	s, err := l.walk(rootfs.Clean(n.Path), keepLast)
	if err != nil {
		return fault(err.Error())
	}
	defer l.close(s.fd)
	d.Place = s.place()
	bound := l.f.UserNamespace && n.Type != 'p'
	known := s.ground == onRoot || s.ground == onBind
	switch kind := s.mode & unix.S_IFMT; {
	case !known:
	case s.missing:
	case kind == n.FileType() && (n.Type == 'p' || s.rdev == n.Number()):
		d.Skip = true
		return nil
	case bound && kind == unix.S_IFREG:
	default:
		return fault("something else is there already")
	}
	if bound {
		source, ok := hostNode(n)
		if !ok {
			return fault("in a user namespace a device must be bound from the host, and the host has no node " + number(n))
		}
		d.Source = source
		l.need(&s, point{kind: filePoint})
		return nil
	}
	if known && s.ground == onRoot {
		d.Skip = true
		l.need(&s, point{kind: nodePoint, node: n})
	}
	return nil
}

// hostNode finds the host's node that a user namespace's container is given,
// proven by its type and number (law 4 of the advisories): at the same path,
// at a default device's, or where udev lists all by number.
func hostNode(n *rootfs.Node) (path string, ok bool) {
	list := "/dev/char/"
	if n.Type == 'b' {
		list = "/dev/block/"
	}
	paths := []string{n.Path, list + strconv.Itoa(int(n.Major)) + ":" + strconv.Itoa(int(n.Minor))}
	for _, d := range rootfs.Defaults() {
		if d.Type == n.Type && d.Number() == n.Number() {
			paths = append(paths, d.Path)
		}
	}
	for _, path := range paths {
		var st unix.Stat_t
		if unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == n.FileType() && uint64(st.Rdev) == n.Number() {
			return path, true
		}
	}
	return "", false
}

func number(n *rootfs.Node) string {
	return string(rune(n.Type)) + " " + strconv.Itoa(int(n.Major)) + ":" + strconv.Itoa(int(n.Minor))
}

// link looks at the place of a link below /dev. What is there already stays
// (DV-11), but /dev/ptmx must lead to pts/ptmx: by a link, or by being the node
// 5:2, which looks for the file system beside it since Linux 4.7 (DV-10).
func (l *looker) link(k rootfs.Link, pl *rootfs.Place) error {
	s, err := l.walk(rootfs.Clean(k.Path), keepLast)
	if err != nil {
		return rootfs.Fault{Path: "root.path", Text: strconv.Quote(k.Path) + ": " + err.Error()}
	}
	defer l.close(s.fd)
	*pl = s.place()
	if s.ground == onRoot {
		pl.Skip = true
		l.need(&s, point{kind: linkPoint, target: k.Target})
	}
	if s.missing || s.ground == onEmpty || s.ground == onUnknown || k.Target != "pts/ptmx" {
		return nil
	}
	pl.Skip = true
	switch s.mode & unix.S_IFMT {
	case unix.S_IFLNK:
		if target, err := readlink(s.fd); err == nil && (target == k.Target || target == "/dev/pts/ptmx") {
			return nil
		}
	case unix.S_IFCHR:
		if s.rdev == unix.Mkdev(5, 2) {
			return nil
		}
	}
	return rootfs.Fault{Path: "root.path", Text: strconv.Quote(k.Path) + ": something else than a link to pts/ptmx is there already"}
}

// console looks at the place that a terminal is bound on (SEC-25).
func (l *looker) console() error {
	if l.s.Process == nil || !l.s.Process.Terminal {
		return nil
	}
	fault := func(text string) error {
		return rootfs.Fault{Path: "process.terminal", Text: `"/dev/console": ` + text}
	}
	s, err := l.walk("dev/console", keepLast)
	if err != nil {
		return fault(err.Error())
	}
	defer l.close(s.fd)
	if s.mode&unix.S_IFMT == unix.S_IFLNK || s.mode&unix.S_IFMT == unix.S_IFDIR {
		return fault("a terminal must be bound there, and a link or a directory is there already")
	}
	l.f.Console = s.place()
	l.need(&s, point{kind: filePoint})
	return nil
}
