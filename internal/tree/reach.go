package tree

import (
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Reachable tells whether the root of a user namespace surely can walk to an
// absolute path. It may on doubt say no: a directory with an access control
// list counts by its mode alone. A tree that the parent makes in its place loses
// the locks that a user namespace puts on the flags of the host's mounts, so it
// is only made where it must be.
func Reachable(path string, ids *IDs) bool {
	uid, uok := kernel.HostID(ids.UID, 0)
	gid, gok := kernel.HostID(ids.GID, 0)
	if !uok || !gok {
		return true // nothing is known: the namespace is joined, and the stage will see
	}
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		var st unix.Stat_t
		if unix.Stat(path[:i], &st) != nil {
			return false
		}
		if !searchable(&st, uid, gid, ids) {
			return false
		}
	}
	return !linked(path) // a link may lead through other directories
}

func searchable(st *unix.Stat_t, uid, gid uint32, ids *IDs) bool {
	_, u := inside(ids.UID, st.Uid)
	_, g := inside(ids.GID, st.Gid)
	if u && g {
		return true // the namespace's own: its root may do anything (capabilities(7))
	}
	switch {
	case st.Uid == uid:
		return st.Mode&0o100 != 0
	case st.Gid == gid:
		return st.Mode&0o010 != 0
	}
	return st.Mode&0o001 != 0
}

// linked tells whether path leads through symbolic links.
func linked(path string) bool {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	fd, err := unix.Openat2(unix.AT_FDCWD, strings.TrimSuffix(path, "/"), &how)
	if err != nil {
		return true
	}
	unix.Close(fd)
	return false
}

// inside finds the container's id of one on the host.
func inside(list []specs.LinuxIDMapping, id uint32) (uint32, bool) {
	for _, m := range list {
		if id >= m.HostID && id-m.HostID < m.Size {
			return m.ContainerID + id - m.HostID, true
		}
	}
	return 0, false
}
