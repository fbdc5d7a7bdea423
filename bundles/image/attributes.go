package image

import (
	"archive/tar"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// attributes are an entry's, as the kernel takes them.
type attributes struct {
	mode     uint32 // permissions, setuid, setgid, sticky: the image's own
	uid, gid int
	times    [2]unix.Timespec // access, modification
	xattrs   []xattr
}

// implied are the attributes of directories that no entry describes.
var implied = attributes{mode: 0o755}

// attributes reads an entry's header.
func (u *unpacker) attributes(h *tar.Header) (attributes, error) {
	for _, id := range []int{h.Uid, h.Gid} {
		if id < 0 || id >= math.MaxUint32 { // the last one means "unchanged" to chown(2)
			return attributes{}, fmt.Errorf("owner %d:%d: beyond the ids that there are", h.Uid, h.Gid)
		}
	}
	modified := timespec(h.ModTime)
	accessed := modified
	if !h.AccessTime.IsZero() {
		accessed = timespec(h.AccessTime)
	}
	list, err := u.xattrs(h.PAXRecords)
	return attributes{
		mode: uint32(h.Mode & 0o7777), uid: h.Uid, gid: h.Gid,
		times: [2]unix.Timespec{accessed, modified}, xattrs: list,
	}, err
}

// timespec doesn't use UnixNano, which knows 584 years only.
func timespec(t time.Time) unix.Timespec {
	return unix.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
}

// describe gives an open file or directory its attributes. A directory that was
// there loses the extended ones that it had.
func (u *unpacker) describe(fd int, a attributes, wasThere bool) error {
	if err := u.own(a, func(uid, gid int) error { return unix.Fchown(fd, uid, gid) }); err != nil {
		return err
	}
	// After chown, which takes setuid, setgid and file capabilities away.
	if err := unix.Fchmod(fd, a.mode); err != nil {
		return fmt.Errorf("mode %#o: %w", a.mode, err)
	}
	if wasThere {
		if err := clearXattrs(fd); err != nil {
			return err
		}
	}
	return u.setXattrs(fd, a.xattrs)
}

// own gives a file its owner, as far as the caller can.
func (u *unpacker) own(a attributes, chown func(uid, gid int) error) error {
	if !u.owners {
		if a.uid != 0 || a.gid != 0 {
			u.left[owners]++
		}
		return nil
	}
	err := chown(a.uid, a.gid)
	if err == unix.EINVAL { // the root of a user namespace that has no such id
		u.left[owners]++
		return nil
	}
	if err != nil {
		return fmt.Errorf("owner %d:%d: %w", a.uid, a.gid, err)
	}
	return nil
}
