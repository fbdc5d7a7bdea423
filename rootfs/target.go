package rootfs

import (
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// kind is what a place must be.
type kind uint8

const (
	makeDir kind = iota
	makeFile
)

// open appends the steps that open a place as the target register, making what
// is missing on the container's own mounts. Each component is made beneath the
// held descriptor of its directory, which was itself reached inside the root
// (SEC-09, SEC-16).
func (st *State) open(pl *Place, k kind, resolve int) {
	flags := directory
	if k == makeFile {
		flags = anything
	}
	if pl.Unknown {
		st.openUnknown(pl, k, flags, resolve)
		return
	}
	if pl.Exists >= Components(pl.Path) {
		st.openat2(st.root, pl.Path, flags, resolve).To(st.target)
		return
	}
	st.make(pl, k)
	_, name := split(pl.Path)
	st.openat2(st.parent, name, flags, straight).To(st.target)
}

// make appends the steps that make what is missing of a place whose directory
// is known; parent is then open on that directory.
func (st *State) make(pl *Place, k kind) {
	if pl.Skip || pl.Unknown {
		return
	}
	n := Components(pl.Path)
	for i := pl.Exists; i < n; i++ {
		dir, name := split(prefix(pl.Path, i+1))
		st.hold(dir)
		if i < n-1 || k == makeDir {
			st.p.Do(plan.Mkdirat, st.parent, name, newDirs).Tolerate(unix.EEXIST)
		} else {
			st.p.Do(plan.Mknodat, st.parent, name, unix.S_IFREG|0o644, 0).Tolerate(unix.EEXIST)
		}
	}
}

// openUnknown opens a place of which nobody knows whether it exists, on a file
// system such as an overlay of the container's own; links are followed inside
// the root, except where resolve forbids them.
func (st *State) openUnknown(pl *Place, k kind, flags, resolve int) {
	if resolve == 0 {
		resolve = follow
	}
	n := Components(pl.Path)
	if pl.Exists >= n {
		st.openat2(st.root, pl.Path, flags, resolve).To(st.target)
		return
	}
	opens := st.attempts(st.target, pl.Path, flags, resolve, unix.ENOENT)
	for i := pl.Exists; i < n; i++ {
		dir, name := split(prefix(pl.Path, i+1))
		st.attempts(st.tree, dir, directory, resolve)
		if i < n-1 || k == makeDir {
			st.p.Do(plan.Mkdirat, st.tree, name, newDirs).Tolerate(unix.EEXIST)
		} else {
			st.p.Do(plan.Mknodat, st.tree, name, unix.S_IFREG|0o644, 0).Tolerate(unix.EEXIST)
		}
		st.close(st.tree)
	}
	st.attempts(st.target, pl.Path, flags, resolve)
	for _, i := range opens {
		st.p.JumpOnSuccess(i)
	}
}

// tries is how often a path is tried that a link with ".." may be part of, and
// firstPause how long the plan waits before the second time, in nanoseconds;
// each pause is twice the one before. The kernel answers EAGAIN if anything on
// the machine is renamed or mounted while it follows such a link, since it can't
// prove then that the path stays inside the root (openat2(2)); and a plan has no
// loops. Where the parent could look, no links are left, and none of it is needed.
const (
	tries      = 8
	firstPause = 50_000
)

// attempts opens a path inside the root, whatever else the machine is doing,
// and gives the steps that do. With tolerated errnos, the plan goes on after the
// last attempt; only EAGAIN makes it wait, and any other leads to the last one
// at once.
func (st *State) attempts(r plan.Register, path string, flags, resolve int, tolerated ...unix.Errno) (opens []int) {
	p, n := st.p, tries
	if resolve&unix.RESOLVE_NO_SYMLINKS != 0 || upless(path) {
		n = 1
	}
	var missing []int
	for i := range n {
		s := st.openat2(st.root, path, flags, resolve).To(r).Tolerate(tolerated...)
		opens = append(opens, p.Last())
		if i == n-1 {
			break
		}
		s.Tolerate(unix.EAGAIN)
		if len(tolerated) > 0 {
			s.Set(plan.KeepErrno)
			p.Do(plan.Test, r, int(unix.EAGAIN)).Set(plan.IfZero).OnSuccess = 1
			p.Do(plan.Test, 0)
			missing = append(missing, p.Last())
		}
		p.Do(plan.Ppoll, nil, 0, p.Words(0, firstPause<<i), nil, 0)
	}
	for _, i := range opens[:n-1] {
		p.JumpOnSuccess(i)
	}
	for _, i := range missing {
		p.Steps[i].OnSuccess = uint16(opens[n-1] - i - 1)
	}
	return opens
}

// upless tells whether a path leads through no link with "..": procfs has none,
// and sysfs none at its top and among its devices.
func upless(path string) bool {
	return path == "proc" || under(path, "proc") || under(path, "sys/devices") || under(path, "sys") && Components(path) == 2
}

// hold opens a directory of the container's own as parent, unless it is open.
func (st *State) hold(dir string) {
	if st.isHeld && st.held == dir {
		return
	}
	st.release()
	st.openat2(st.root, dir, directory, straight).To(st.parent)
	st.held, st.isHeld = dir, true
}

// release closes parent.
func (st *State) release() {
	if st.isHeld {
		st.close(st.parent)
	}
	st.isHeld = false
}

// covered releases parent if a mount may hide what it is open on.
func (st *State) covered(pl *Place) {
	if st.isHeld && (pl.Unknown || st.held == pl.Path || under(st.held, pl.Path)) {
		st.release()
	}
}

// openat2 opens path, relative to dir and never leaving it.
func (st *State) openat2(dir plan.Register, path string, flags, resolve int) *plan.Step {
	if resolve == 0 {
		resolve = straight
	}
	if path == "" {
		path = "."
	}
	return st.p.Do(plan.Openat2, dir, path, st.p.How(flags, 0, resolve), plan.HowSize)
}

func split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// prefix gives the first n components of a clean path.
func prefix(path string, n int) string {
	for i := range len(path) {
		if path[i] == '/' {
			if n--; n == 0 {
				return path[:i]
			}
		}
	}
	return path
}
