package rootfs

import (
	"strconv"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// hide appends the steps of linux.readonlyPaths and linux.maskedPaths. A path
// that isn't there needs nothing (PA-01); any other failure ends the create.
func (st *State) hide() {
	if st.s.Linux == nil {
		return
	}
	for i, path := range st.s.Linux.ReadonlyPaths {
		st.p.At("linux.readonlyPaths[" + strconv.Itoa(i) + "]")
		st.readonly(place(st.f.Readonly, i, path))
	}
	for i, path := range st.s.Linux.MaskedPaths {
		st.p.At("linux.maskedPaths[" + strconv.Itoa(i) + "]")
		st.mask(place(st.f.Masked, i, path))
	}
}

// place is what the parent found out for the i-th path of a list.
func place(list []Place, i int, path string) *Place {
	if i < len(list) {
		return &list[i]
	}
	return &Place{Path: Clean(path), Unknown: true}
}

// missing opens a place as the target; the steps up to the returned one's jump
// are passed over where it doesn't exist.
func (st *State) missing(pl *Place) (step int) {
	resolve := straight
	if pl.Unknown {
		resolve = follow
	}
	st.attempts(st.target, pl.Path, anything, resolve, unix.ENOENT, unix.ENOTDIR)
	return st.p.Last()
}

// readonly puts a read-only clone of a path onto itself; its other flags stay (PA-03).
func (st *State) readonly(pl *Place) {
	s := st.missing(pl)
	st.openTree(st.target, "", clone|unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, Attr{Set: unix.MOUNT_ATTR_RDONLY})
	st.attach(st.tree, nil)
	st.close(st.target)
	st.p.JumpOnTolerated(s)
}

// mask covers a directory with an empty read-only tmpfs, a file with the
// host's /dev/null, which the parent has proven to be that: nothing that the
// container supplies is ever a mask (SEC-18). Which of the two it is, fchdir on
// the held descriptor tells: ENOTDIR means a file. EINVAL, move_mount's answer
// for a file on a directory, isn't tolerated anywhere, or a mask would fail open.
func (st *State) mask(pl *Place) {
	p := st.p
	s := st.missing(pl)
	p.Do(plan.Fchdir, st.target).Tolerate(unix.ENOTDIR)
	cd := p.Last()
	p.Do(plan.Mount, "tmpfs", ".", "tmpfs", maskFlags, "size=0k,nr_inodes=2,mode=755")
	cover := p.Last()
	p.JumpOnTolerated(cd)
	p.Do(plan.OpenTree, unix.AT_FDCWD, null, clone).To(st.tree)
	st.attach(st.tree, nil)
	p.JumpOnSuccess(cover)
	st.close(st.target)
	p.JumpOnTolerated(s)
}

const (
	null      = "/dev/null"
	maskFlags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
)
