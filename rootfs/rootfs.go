// Package rootfs turns a config into the steps that build the container's file
// system.
//
// Its law: everything is done to descriptors, never to strings. The attacker is
// whoever controls the image or a volume, and may exchange names in them at any
// time, from other containers too. The promise is that nothing outside the
// container's root is ever opened, made, mounted on or read through a path that
// the attacker had a hand in: such a path is walked once, by openat2 with
// RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, and what came out is used by its
// descriptor alone. Only the root's own path, sources of binds and the host's
// device nodes are opened by the strings that the config or the host gave.
//
// A mount is in force, with all its flags, from its first instant: none is made
// writable first and read-only later. File systems are mounted by mount(2) onto
// ".", the descriptor that fchdir(2) went to; binds are cloned, changed, and
// then moved onto a descriptor. Every descriptor is close-on-exec and closed
// after its last use, so that 300 mounts fit a small RLIMIT_NOFILE.
//
// The package is pure: Check tells what is wrong with a config, Enter and Pivot
// append steps to a plan; all they know of the host comes in as Facts. The
// order is the spec's: mounts as listed, then devices and links; hooks, which
// the caller serves; then masked paths, pivot_root, and the root read-only.
package rootfs

import (
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// How paths inside the root are resolved: a link stays inside, and the magic
// ones of procfs, which jump anywhere, are refused. Where the parent has looked,
// no links are left, and one that turns up is a race (SEC-07, SEC-09, SEC-16).
const (
	follow   = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS
	straight = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_SYMLINKS

	anything  = unix.O_PATH | unix.O_CLOEXEC
	directory = unix.O_PATH | unix.O_CLOEXEC | unix.O_DIRECTORY

	clone   = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC
	onto    = unix.MOVE_MOUNT_F_EMPTY_PATH | unix.MOVE_MOUNT_T_EMPTY_PATH
	newDirs = 0o755
)

// State is what Pivot needs of Enter.
type State struct {
	p *plan.Plan
	s *specs.Spec
	f *Facts

	root, target, tree, parent plan.Register

	held   string // what parent is open on
	isHeld bool
	joined bool // the cgroups are joined
}

// Root is the register of the descriptor of the container's root directory,
// O_PATH; it stays open.
func (st *State) Root() plan.Register { return st.root }

func begin(p *plan.Plan, s *specs.Spec, f *Facts) *State {
	return &State{p: p, s: s, f: f, root: p.Register("root"), target: p.Register("target"),
		tree: p.Register("tree"), parent: p.Register("parent")}
}

// Enter appends the steps that build the file system below the root's place on
// the host: a mount tree of its own, all mounts, devices and links. The stage
// is in its namespaces and cgroups, is root in its user namespace, and has an
// umask of 0. The createContainer hooks come after it: the host's root is still
// the root.
//
// Without a mount namespace there is no tree of its own: mounts are made below
// the root in the caller's namespace, where the host sees them. No propagation is
// touched, and the root isn't bound onto itself (SEC-60). Only the container's
// own process can make them, since a procfs shows the pid namespace, and a sysfs
// the network namespace, of whoever mounts it; so they outlive the stage, and
// the caller records Unmounts before it starts.
func Enter(p *plan.Plan, s *specs.Spec, f *Facts) *State {
	st := begin(p, s, f)
	if f.MountNamespace {
		st.ownTree()
	} else {
		p.At("root.path")
		p.Do(plan.Openat, unix.AT_FDCWD, f.Root, directory, 0).To(st.root)
	}
	st.content()
	st.join()
	p.At("process.cwd")
	st.make(&f.Cwd, makeDir)
	st.release()
	return st
}

// content makes all that lies in the root.
func (st *State) content() {
	for i := range st.s.Mounts {
		if st.s.Mounts[i].Type == "cgroup" {
			st.join()
		}
		st.mount(i)
	}
	st.nodes()
	st.links()
	if st.s.Process != nil && st.s.Process.Terminal {
		st.p.At("process.terminal")
		st.make(&st.f.Console, makeFile) // SEC-25: beneath a held directory
	}
}

// join joins the cgroups, the first time that it is called.
func (st *State) join() {
	if st.f.Join != nil && !st.joined {
		st.f.Join()
	}
	st.joined = true
}

// ownTree separates the tree of mounts from the host's and puts the root onto
// itself, since only a mount can become the root.
//
// Everything becomes a slave at first, so that host mounts made later are still
// seen where a mount doesn't say otherwise, also in open_tree's clones (crun
// 1.27.1 had to mend that). Where the config wants to share mounts with the
// host, the tree can't be made a slave. Then only the mount that holds the root
// leaves its peers, as pivot_root(2) demands, and the root with all below it
// becomes private, or the container's mounts would show on the host.
func (st *State) ownTree() {
	p, f := st.p, st.f
	shares := SharesMounts(st.s)
	p.At("linux.rootfsPropagation")
	if shares {
		p.Do(plan.Mount, nil, f.Holder, nil, unix.MS_PRIVATE, nil)
	} else {
		p.Do(plan.Mount, nil, "/", nil, unix.MS_REC|unix.MS_SLAVE, nil)
	}
	p.At("root.path")
	p.Do(plan.OpenTree, unix.AT_FDCWD, f.Root, clone|unix.AT_RECURSIVE).To(st.root)
	if shares {
		st.setattr(st.root, unix.AT_RECURSIVE, Attr{}, unix.MS_PRIVATE)
	}
	p.Do(plan.MoveMount, st.root, "", unix.AT_FDCWD, f.Root, unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_SYMLINKS)
}

// setattr changes the mount that a descriptor refers to.
func (st *State) setattr(fd any, flags int, a Attr, propagation uint32) *plan.Step {
	return st.p.Do(plan.MountSetattr, fd, "", unix.AT_EMPTY_PATH|flags, st.attr(a, propagation), attrSize)
}

// attr puts a struct mount_attr (mount_setattr(2)) into the plan.
func (st *State) attr(a Attr, propagation uint32) plan.Data {
	return st.p.Words(a.Set, a.Clear, uint64(propagation), 0)
}

const attrSize = 32 // MOUNT_ATTR_SIZE_VER0

func (st *State) close(fd any) { st.p.Do(plan.Close, fd) }
