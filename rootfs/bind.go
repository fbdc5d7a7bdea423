package rootfs

import (
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// bind clones the source's tree, gives it its attributes while nobody can
// reach it, and moves it onto the target (SEC-48, SEC-60). The source is
// opened once, here: what it was then is what is mounted.
func (st *State) bind(m *specs.Mount, o *parsed) {
	over := -1
	if o.special&remount != 0 && !o.flags.attr().None() {
		over = st.rebind(o)
	}
	st.clone(unix.AT_FDCWD, Source(m, st.f.Bundle), o)
	st.attach(st.tree, o)
	if over >= 0 {
		st.p.JumpOnSuccess(over)
	}
	st.close(st.target)
}

// rebind changes the mount that lies on the target already; where none does
// (EINVAL), the bind that follows makes one.
func (st *State) rebind(o *parsed) (step int) {
	st.setattr(st.target, 0, o.flags.attr(), 0).Tolerate(unix.EINVAL)
	return st.p.Last()
}

// clone makes the detached tree of a path, with its attributes.
func (st *State) clone(dir any, path string, o *parsed) {
	flags, below, top := clone, o.below.attr(), o.flags.attr()
	if o.special&bindTree != 0 {
		flags |= unix.AT_RECURSIVE
	}
	first, firstFlags := below, flags&unix.AT_RECURSIVE
	if below.None() && firstFlags == 0 {
		first, top = top, Attr{}
	}
	if !first.None() {
		st.openTree(dir, path, flags, first)
	} else {
		st.p.Do(plan.OpenTree, dir, path, flags).To(st.tree)
	}
	if !top.None() {
		st.setattr(st.tree, 0, top, 0)
	}
}

// openTree clones a tree and changes its attributes, of all of it if flags have
// AT_RECURSIVE.
func (st *State) openTree(dir any, path string, flags int, a Attr) {
	if st.f.OpenTreeAttr {
		st.p.Do(plan.OpenTreeAttr, dir, path, flags, st.attr(a, 0), attrSize).To(st.tree)
		return
	}
	st.p.Do(plan.OpenTree, dir, path, flags).To(st.tree)
	st.setattr(st.tree, flags&unix.AT_RECURSIVE, a, 0)
}

// attach moves a detached tree onto the target and closes it. How mounts
// spread from it is set in its place: there a shared parent would have changed it.
func (st *State) attach(tree any, o *parsed) {
	st.p.Do(plan.MoveMount, tree, "", st.target, "", onto)
	if o != nil {
		st.spread(tree, o)
	}
	st.close(tree)
}

// given mounts a tree that the parent made, with all its attributes, and left
// to the stage as a descriptor: an id-mapped mount, a filled tmpfs, or a source
// that the container's root can't reach.
func (st *State) given(fd int, o *parsed) {
	st.attach(fd, o)
	st.close(st.target)
}
