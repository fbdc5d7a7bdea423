package rootfs

import (
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Pivot appends the steps that hide what linux.maskedPaths and readonlyPaths
// name, and make the container's root the stage's root and working directory.
// All that needs the host's paths, and in a user namespace the private procfs,
// which the kernel refuses where a mask covers the visible one, comes before it.
func Pivot(p *plan.Plan, s *specs.Spec, f *Facts, st *State) {
	st.hide()
	p.At("root.path")
	switch {
	case !f.MountNamespace:
		st.chroot()
		return
	case f.NoPivot:
		st.moveRoot()
	default:
		st.pivot()
	}
	st.propagation()
	if s.Root != nil && s.Root.Readonly {
		// By descriptor, and this one mount: other mounts keep their own flags (RT-04, SEC-29).
		p.At("root.readonly")
		st.setattr(st.root, 0, Attr{Set: unix.MOUNT_ATTR_RDONLY}, 0)
	}
}

// pivot makes the root the root and unmounts the old one, which lies on top of
// it after pivot_root(".", ".") (pivot_root(2)). Where the host's mounts are
// still peers, the old ones become slaves first, or they would be unmounted on
// the host, too.
func (st *State) pivot() {
	p := st.p
	shares := SharesMounts(st.s)
	if shares {
		p.Do(plan.Openat, unix.AT_FDCWD, "/", directory, 0).To(st.target)
	}
	p.Do(plan.Fchdir, st.root)
	p.Do(plan.PivotRoot, ".", ".")
	if shares {
		st.setattr(st.target, unix.AT_RECURSIVE, Attr{}, unix.MS_SLAVE)
		st.close(st.target)
	}
	p.Do(plan.Umount2, ".", unix.MNT_DETACH)
	p.Do(plan.Chdir, "/")
}

// moveRoot moves the root onto "/" for a host whose own root can't be pivoted.
// The host's procfs and sysfs would stay within reach beneath it and let a
// user namespace mount its own: they are unmounted before, or covered where a
// user namespace has locked them.
func (st *State) moveRoot() {
	p := st.p
	if SharesMounts(st.s) {
		p.Do(plan.Mount, nil, "/", nil, unix.MS_PRIVATE, nil) // or the move would show on the host
	}
	for _, path := range st.f.Full {
		p.Do(plan.Umount2, path, unix.MNT_DETACH).Tolerate(unix.EINVAL, unix.EPERM)
		s := p.Last()
		p.Do(plan.Mount, "tmpfs", path, "tmpfs", maskFlags, "size=0k,nr_inodes=2,mode=755")
		p.JumpOnSuccess(s)
	}
	p.Do(plan.MoveMount, st.root, "", unix.AT_FDCWD, "/", unix.MOVE_MOUNT_F_EMPTY_PATH)
	p.Do(plan.Fchdir, st.root)
	p.Do(plan.Chroot, ".")
	p.Do(plan.Chdir, "/")
}

// chroot is all that a container without a mount namespace gets. It keeps
// nobody in who has CAP_SYS_CHROOT: the caller warns.
func (st *State) chroot() {
	st.p.Do(plan.Fchdir, st.root)
	st.p.Do(plan.Chroot, ".")
	st.p.Do(plan.Chdir, "/")
}

// propagation sets linux.rootfsPropagation on the root alone (PG-01 to PG-04):
// the r-forms, which engines send, mean the same words (PG-05), since each mount
// has its own option. A shared root is a peer of nothing else: it was private
// until here.
func (st *State) propagation() {
	if st.s.Linux == nil || st.s.Linux.RootfsPropagation == "" {
		return
	}
	o := optionOf(st.s.Linux.RootfsPropagation)
	if o == nil || o.what != propagation {
		return // refused by Check
	}
	st.p.At("linux.rootfsPropagation")
	st.spread(st.root, &parsed{propagation: []uint32{o.set &^ unix.MS_REC}})
}
