package rootfs

import (
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// nodes appends the steps of the device nodes and FIFOs that lie on mounts of
// the container's own; those on the bundle's root the parent makes, beneath a
// held directory and with its undo recorded (SEC-23, SEC-24).
//
// In a user namespace no node can be made: one that the parent made, or the
// host's, is bound onto an empty file. The host's keeps its owner and permissions.
func (st *State) nodes() {
	for i, n := range Nodes(st.s) {
		d := &st.f.Devices[i]
		switch {
		case d.Source != "":
			st.p.At(n.Origin)
			st.open(&d.Place, makeFile, 0)
			if d.Tree > 0 {
				st.attach(d.Tree, nil)
			} else {
				st.p.Do(plan.OpenTree, unix.AT_FDCWD, d.Source, clone).To(st.tree)
				st.attach(st.tree, nil)
			}
			st.close(st.target)
		case !d.Skip:
			st.p.At(n.Origin)
			st.node(&n, d)
		}
	}
}

// node makes one node. Where the parent could look, nothing is there, and
// something that turns up is an error (DV-04). On a file system whose contents
// nobody knows beforehand, such as a devtmpfs of the container's own, the node
// that is there stays.
func (st *State) node(n *Node, d *Device) {
	dir := st.directory(&d.Place)
	_, name := split(d.Path)
	s := st.p.Last() + 1
	st.p.Do(plan.Mknodat, dir, name, uint64(n.FileType()|n.Mode), n.Number())
	if d.Unknown {
		st.p.Steps[s].Tolerate(unix.EEXIST)
	}
	if n.UID != 0 || n.GID != 0 {
		st.p.Do(plan.Fchownat, dir, name, uint64(n.UID), uint64(n.GID), unix.AT_SYMLINK_NOFOLLOW)
	}
	if d.Unknown {
		st.p.Steps[s].OnTolerated = uint16(st.p.Last() - s) // a node that isn't ours isn't given away
		st.close(dir)
	}
}

// Console appends the steps that bind a pseudo-terminal's other end, an open
// descriptor of the stage's own mount namespace, onto /dev/console (DV-09,
// SEC-19, SEC-25). It comes between Enter and Pivot.
func (st *State) Console(pty plan.Register) {
	st.open(&st.f.Console, makeFile, 0)
	st.release()
	st.p.Do(plan.OpenTree, pty, "", clone|unix.AT_EMPTY_PATH).To(st.tree)
	st.attach(st.tree, nil)
	st.close(st.target)
}

// directory opens the directory of a place, making it where it is missing. A
// place that is known leaves it open as parent; else the caller closes it.
func (st *State) directory(pl *Place) plan.Register {
	dir, _ := split(pl.Path)
	up := Place{Path: dir, Exists: min(pl.Exists, Components(dir)), Unknown: pl.Unknown}
	if pl.Unknown {
		st.open(&up, makeDir, 0)
		return st.target
	}
	st.make(&up, makeDir)
	st.hold(dir)
	return st.parent
}

// links appends the steps of the links below /dev. An entry that is there on a
// mount of the container's own stays (DV-11).
func (st *State) links() {
	for i, l := range Links(st.s) {
		pl := &st.f.Links[i]
		if pl.Skip {
			continue
		}
		st.p.At("runtime-linux.md dev symbolic links")
		if l.Target == "pts/ptmx" {
			st.p.At("config-linux.md default devices")
		}
		dir := st.directory(pl)
		_, name := split(pl.Path)
		st.p.Do(plan.Symlinkat, l.Target, dir, name).Tolerate(unix.EEXIST)
		if pl.Unknown {
			st.close(dir)
		}
	}
}
