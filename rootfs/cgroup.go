package rootfs

import (
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// cgroup mounts the container's cgroups (type cgroup).
//
// With version 2 alone: cgroup2 in a cgroup namespace, whose root is the
// container's cgroup; where the kernel refuses that (a user namespace that
// doesn't own the cgroup namespace), and without a cgroup namespace, a bind of
// the container's cgroup: it shows the same. Other runtimes show the host's
// whole tree in the latter case; here a container never sees other cgroups
// unless it binds them.
//
// With version 1, or both: a tmpfs with a bind of the container's cgroup in each
// hierarchy, and links for the controllers that share one. Read-only holds for
// all of them (SEC-12, SEC-40). A hierarchy in which the caller could make no
// cgroup is left out; if it was all, an empty file system hides the host's.
func (st *State) cgroup(f *Mount, o *parsed, origin string) {
	if h := st.f.Cgroups; len(h) == 1 && h[0].Name == "" {
		st.cgroup2(&h[0], f, o)
		return
	}
	p := st.p
	p.Do(plan.Fchdir, st.target)
	p.Do(plan.Mount, "cgroup", ".", "tmpfs", cgroupFlags|uint64(o.flags.set&^unix.MS_RDONLY), "mode=755")
	st.close(st.target)
	st.reopen(f)
	a := Attr{Set: cgroupAttr | o.flags.attr().Set&unix.MOUNT_ATTR_RDONLY}
	for i := range st.f.Cgroups {
		h := &st.f.Cgroups[i]
		if h.Source == "" {
			continue
		}
		st.openTree(unix.AT_FDCWD, h.Source, clone, a)
		p.Do(plan.Mkdirat, st.target, h.Name, newDirs)
		p.Do(plan.MoveMount, st.tree, "", st.target, h.Name, unix.MOVE_MOUNT_F_EMPTY_PATH)
		st.close(st.tree)
	}
	for _, l := range st.f.Aliases {
		p.Do(plan.Symlinkat, l.Target, st.target, l.Name)
	}
	if o.flags.set&unix.MS_RDONLY != 0 {
		p.At(origin + ".options")
		st.setattr(st.target, 0, Attr{Set: unix.MOUNT_ATTR_RDONLY}, 0)
	}
	st.spread(st.target, o)
	st.close(st.target)
}

const (
	cgroupFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	cgroupAttr  = unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
)

func (st *State) cgroup2(h *Hierarchy, f *Mount, o *parsed) {
	p := st.p
	first := -1
	if st.f.CgroupNamespace {
		var data any
		if o.data != "" {
			data = o.data
		}
		p.Do(plan.Fchdir, st.target)
		first = p.Last() + 1
		p.Do(plan.Mount, "cgroup", ".", "cgroup2", cgroupFlags|uint64(o.flags.set), data).Tolerate(unix.EPERM, unix.EBUSY)
	}
	a := o.flags.attr()
	a.Set |= cgroupAttr
	a.Clear &^= cgroupAttr
	if h.Source == "" {
		// No cgroup of its own: an empty read-only file system hides the host's (SEC-12).
		p.Do(plan.Fchdir, st.target)
		p.Do(plan.Mount, "cgroup", ".", "tmpfs", cgroupFlags|unix.MS_RDONLY, "mode=755,size=0k,nr_inodes=2")
	} else {
		st.openTree(unix.AT_FDCWD, h.Source, clone, a)
		st.attach(st.tree, nil)
	}
	if first >= 0 {
		p.JumpOnSuccess(first)
	}
	st.close(st.target)
	if len(o.propagation) > 0 {
		st.reopen(f)
		st.spread(st.target, o)
		st.close(st.target)
	}
}
