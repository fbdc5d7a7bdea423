package tree

import (
	"errors"
	"strconv"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Nodes makes a tree for each of linux.devices that the stage would have to
// bind from the host, in a user namespace: so they have the permissions and the
// owner that the config asks for (DV-05, DV-06), which a node of the host can't.
// The nodes lie on a tmpfs that is mounted nowhere. It needs CAP_MKNOD and Linux
// 6.15, which clones detached mounts; without them it makes none, and the host's
// nodes are bound. Made.Index counts rootfs.Nodes.
func Nodes(s *specs.Spec, f *rootfs.Facts, ids *IDs) (made []Made, err error) {
	if !ids.UserNamespace || !f.OpenTreeAttr || unix.Geteuid() != 0 {
		return nil, nil
	}
	dir := -1
	defer func() {
		if dir >= 0 {
			unix.Close(dir)
		}
		if err != nil {
			for _, m := range made {
				unix.Close(m.FD)
			}
			made = nil
		}
	}()
	nodes := rootfs.Nodes(s)
	for i := range nodes {
		n := &nodes[i]
		if n.Default || f.Devices[i].Source == "" {
			continue
		}
		if dir < 0 {
			if dir, err = empty(); err != nil {
				return made, err
			}
		}
		fd, err := node(dir, strconv.Itoa(i), n, ids)
		if err == unix.EPERM {
			return made, nil // no right over devices: the host's are bound
		}
		if err != nil {
			return made, rootfs.Fault{Path: n.Origin, Text: err.Error()}
		}
		made = append(made, Made{i, fd})
	}
	return made, nil
}

// empty makes a detached tmpfs.
func empty() (int, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, errors.New("fsopen tmpfs: " + err.Error())
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, errors.New("fsconfig create: " + err.Error())
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
}

// node makes a node in dir and clones its mount. Its name stays: what has none
// can't be mounted any more.
func node(dir int, name string, n *rootfs.Node, ids *IDs) (int, error) {
	uid, uok := kernel.HostID(ids.UID, n.UID)
	gid, gok := kernel.HostID(ids.GID, n.GID)
	if !uok || !gok {
		return -1, errors.New("the owner is not mapped in the user namespace")
	}
	if err := unix.Mknodat(dir, name, n.FileType()|0o600, int(n.Number())); err != nil {
		return -1, err
	}
	if err := unix.Fchownat(dir, name, int(uid), int(gid), 0); err != nil {
		return -1, err
	}
	if err := unix.Fchmodat(dir, name, n.Mode, 0); err != nil {
		return -1, err
	}
	return unix.OpenTree(dir, name, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
}
