package mountpoint

import (
	"errors"
	"strconv"
	"strings"

	"github.com/minirt/minirt/rootfs"
	"golang.org/x/sys/unix"
)

type pointKind uint8

const (
	dirPoint pointKind = iota
	filePoint
	nodePoint
	linkPoint
)

// point is one thing that is missing on the root.
type point struct {
	kind   pointKind
	path   string
	node   *rootfs.Node
	target string // of a link
}

// Points is what is missing on a root.
type Points struct {
	root     int // locked while the create lasts
	uid, gid int // who owns what is made
	list     []point
	bytes    int // length of all lines of Missing, at least
	covers   []cover
}

// cover is a directory that a mount with tmpcopyup hides and begins with.
type cover struct{ mount, fd int }

// Covered gives a descriptor, O_PATH, of the directory that s.mounts[i], a
// tmpfs with tmpcopyup, begins with; -1 if there is none. It stays p's.
func (p *Points) Covered(i int) int {
	for _, c := range p.covers {
		if c.mount == i {
			return c.fd
		}
	}
	return -1
}

// Close closes the descriptors, and ends the lock: when the container is created,
// its process is what shows that the root is in use.
func (p *Points) Close() error {
	for _, c := range p.covers {
		unix.Close(c.fd)
	}
	p.covers = nil
	if p.root < 0 {
		return nil
	}
	if creating == p.root {
		creating = -1
	}
	err := unix.Close(p.root)
	p.root = -1
	return err
}

// add appends a point, and before it the directories that lead to it; the
// first exists components of its path are there.
func (p *Points) add(q point, exists int) {
	for i := range len(q.path) {
		if q.path[i] != '/' {
			continue
		}
		if exists--; exists < 0 {
			p.append(point{kind: dirPoint, path: q.path[:i]})
		}
	}
	p.append(q)
}

func (p *Points) append(q point) {
	for i := range p.list {
		if p.list[i].path == q.path {
			return
		}
	}
	if p.bytes += len(q.path) + len(q.target); p.tooMany() {
		return
	}
	p.list = append(p.list, q)
}

// maxMissing bounds what a hostile config can have us make, and write down: a
// path that is too long to be one line has thousands of directories.
const maxMissing = 1 << 20

func (p *Points) tooMany() bool { return p.bytes > maxMissing }

// Missing lists what Make is going to make, and nothing else is ever made in the
// image (SEC-17), in that order, one string each:
//
//	dir PATH
//	file PATH
//	node TYPE MAJOR:MINOR PATH
//	link TARGET PATH
//
// PATH is relative to the root, and the rest of the string, whatever it holds.
func (p *Points) Missing() []string {
	if len(p.list) == 0 {
		return nil
	}
	lines := make([]string, len(p.list))
	for i := range p.list {
		lines[i] = p.list[i].line()
	}
	return lines
}

func (q *point) line() string {
	switch q.kind {
	case filePoint:
		return "file " + q.path
	case nodePoint:
		return "node " + number(q.node) + " " + q.path
	case linkPoint:
		return "link " + q.target + " " + q.path
	}
	return "dir " + q.path
}

// Make makes what is missing. If it can't, it removes what it has made.
func (p *Points) Make() error {
	if len(p.list) == 0 {
		return nil
	}
	umask := unix.Umask(0) // permissions are what the config says (DV-05)
	defer unix.Umask(umask)
	for i := range p.list {
		made, err := p.make(&p.list[i])
		if err == nil {
			continue
		}
		last := i
		if made {
			last++
		}
		undo := make([]string, last)
		for j := range undo {
			undo[j] = p.list[j].line()
		}
		return errors.Join(&MakeError{"/" + p.list[i].path, err}, remove(p.root, undo))
	}
	return nil
}

// MakeError is what the kernel said to a point that was to be made.
type MakeError struct {
	Path string // within the root
	Err  error
}

func (e *MakeError) Error() string {
	return "make " + strconv.Quote(e.Path) + " on the root file system: " + e.Err.Error()
}

func (e *MakeError) Unwrap() error { return e.Err }

// make makes one point, and tells whether something was made though it failed.
// A directory or file that somebody else made meanwhile will do.
func (p *Points) make(q *point) (made bool, err error) {
	dir, name, err := parent(p.root, q.path)
	if err != nil {
		return false, err
	}
	defer unix.Close(dir)
	uid, gid := p.uid, p.gid
	switch q.kind {
	case dirPoint:
		err = unix.Mkdirat(dir, name, 0o755)
	case filePoint:
		err = unix.Mknodat(dir, name, unix.S_IFREG|0o644, 0) // never opens anything
	case nodePoint:
		err = unix.Mknodat(dir, name, q.node.FileType()|q.node.Mode, int(q.node.Number()))
		uid, gid = int(q.node.UID), int(q.node.GID)
	case linkPoint:
		err = unix.Symlinkat(q.target, dir, name)
	}
	if err == unix.EEXIST && (q.kind == dirPoint || q.kind == filePoint) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if uid == unix.Geteuid() && gid == unix.Getegid() {
		return true, nil
	}
	return true, unix.Fchownat(dir, name, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
}

// parent opens the directory of a resolved path: one that has links now was
// exchanged by somebody, and is refused.
func parent(root int, path string) (fd int, name string, err error) {
	dir := "."
	name = path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i], path[i+1:]
	}
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_DIRECTORY,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS}
	fd, err = unix.Openat2(root, dir, &how)
	return fd, name, err
}

// Remove removes what Missing listed and Make made, if it is still of that kind
// and empty: what the container put there stays, and nothing is followed. All of
// it stays while another container uses the root.
func Remove(root string, made []string) error {
	if len(made) == 0 {
		return nil
	}
	fd, own, err := open(root)
	if err == unix.ENOENT {
		return nil // the bundle has gone, and all that was made with it
	}
	if err != nil {
		return errors.New("open " + strconv.Quote(root) + ": " + err.Error())
	}
	if !own {
		defer unix.Close(fd)
	}
	return remove(fd, made)
}

func remove(root int, made []string) error {
	if inUse(root) {
		return nil
	}
	var errs []error
	for i := len(made) - 1; i >= 0; i-- {
		if err := removeOne(root, made[i]); err != nil {
			errs = append(errs, errors.New("remove "+strconv.Quote(made[i])+" from the root file system: "+err.Error()))
		}
	}
	return errors.Join(errs...)
}

func removeOne(root int, line string) error {
	kind, path, _ := strings.Cut(line, " ")
	what := ""
	switch kind {
	case "link":
		what, path, _ = strings.Cut(path, " ")
	case "node":
		var t, n string
		t, path, _ = strings.Cut(path, " ")
		n, path, _ = strings.Cut(path, " ")
		what = t + " " + n
	}
	dir, name, err := parent(root, path)
	if err != nil {
		return harmless(err)
	}
	defer unix.Close(dir)
	if kind == "dir" {
		return harmless(unix.Unlinkat(dir, name, unix.AT_REMOVEDIR))
	}
	if name == "" || !same(dir, name, kind, what) {
		return nil
	}
	return harmless(unix.Unlinkat(dir, name, 0))
}

// same tells whether name is still what was made there.
func same(dir int, name, kind, what string) bool {
	var st unix.Stat_t
	if unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return false
	}
	rdev := strconv.Itoa(int(unix.Major(uint64(st.Rdev)))) + ":" + strconv.Itoa(int(unix.Minor(uint64(st.Rdev))))
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return kind == "file" && st.Size == 0
	case unix.S_IFLNK:
		b := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(dir, name, b)
		return kind == "link" && err == nil && string(b[:n]) == what
	case unix.S_IFCHR:
		return kind == "node" && what == "c "+rdev
	case unix.S_IFBLK:
		return kind == "node" && what == "b "+rdev
	case unix.S_IFIFO:
		return kind == "node" && strings.HasPrefix(what, "p ")
	}
	return false
}

// harmless forgives what only says that there is nothing to remove any more.
func harmless(err error) error {
	switch err {
	case unix.ENOENT, unix.ENOTDIR, unix.ENOTEMPTY, unix.EBUSY, unix.ELOOP, unix.EXDEV:
		return nil
	}
	return err
}
