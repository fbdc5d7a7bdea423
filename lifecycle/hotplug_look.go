package lifecycle

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// place finds what there is of the node's path. It must lie on a tmpfs that is
// the container's own: on the bundle's root or a bind's source a node would
// outlive the container, or be the host's.
func (p *plug) place(n *RecordDevice) error {
	if m := p.covering(n.Path); m == nil || m.Type != "tmpfs" || rootfs.IsBind(m) {
		return text(quote("/"+n.Path) + " is not on a tmpfs of the container's own: mount one on /dev")
	}
	last, exists, err := p.look(n.Path)
	if err != nil {
		return err
	}
	defer unix.Close(last)
	n.Exists = exists
	if exists == rootfs.Components(n.Path) {
		return text(quote("/"+n.Path) + " exists already in the container")
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(last, &fs); err != nil {
		return err
	}
	switch {
	case fs.Type != unix.TMPFS_MAGIC:
		return text(quote("/"+n.Path) + " is not on a tmpfs of the container's own: the container has mounted something else there")
	case fs.Flags&unix.ST_NODEV != 0 && !n.Bound:
		return text(quote("/"+n.Path) + " is on a tmpfs that is mounted nodev")
	}
	return nil
}

// covering is the mount of the config that a path lies on; nil for the root.
func (p *plug) covering(path string) (m *specs.Mount) {
	for i := range p.config.Mounts {
		if d := rootfs.Clean(p.config.Mounts[i].Destination); d == "" || strings.HasPrefix(path, d+"/") {
			m = &p.config.Mounts[i]
		}
	}
	return m
}

// look opens as much of a path as there is, from outside, over no link and never
// out of the container's root, and tells how many components that is.
func (p *plug) look(path string) (fd, exists int, err error) {
	root := "/proc/" + strconv.Itoa(p.Process.PID) + "/root"
	if p.flags&unix.CLONE_NEWNS == 0 {
		root = p.Rootfs
	}
	fd, err = unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, 0, because(root, err)
	}
	if ended(p.target, 0) { // the number may be another's
		unix.Close(fd)
		return -1, 0, errGone
	}
	for at := range strings.SplitSeq(path, "/") {
		next, err := unix.Openat2(fd, at, &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: within})
		if err == unix.ENOENT {
			return fd, exists, nil
		}
		unix.Close(fd)
		if err != nil {
			return -1, exists, because(quote("/"+path)+" in the container", err)
		}
		fd, exists = next, exists+1
	}
	return fd, exists, nil
}

// holds tells whether the node is there, and how much of its path is.
func (p *plug) holds(n *RecordDevice) (there bool, exists int, err error) {
	fd, exists, err := p.look(n.Path)
	if err != nil {
		return false, 0, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, 0, err
	}
	full := exists == rootfs.Components(n.Path)
	return full && st.Mode&unix.S_IFMT == n.kind() && uint64(st.Rdev) == n.number(), exists, nil
}

func (d *RecordDevice) kind() uint32 {
	if d.Type == "b" {
		return unix.S_IFBLK
	}
	return unix.S_IFCHR
}

func (d *RecordDevice) number() uint64 { return unix.Mkdev(uint32(d.Major), uint32(d.Minor)) }
