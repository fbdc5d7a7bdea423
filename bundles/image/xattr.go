package image

import (
	"fmt"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

type xattr struct{ name, value string }

// treatment is what becomes of an extended attribute.
type treatment int

const (
	leftOut treatment = iota
	kept
	refused
)

// treatments are those of the extended attributes whose names begin so; the
// first row that fits holds, and what has none is left out: it means something
// on the machine that made the image (labels, signatures), not here.
var treatments = []struct {
	prefix string
	treatment
}{
	{"trusted.", refused},      // overlay's among them: they would let a layer reshape the tree
	{"user.overlay.", refused}, // the same, for overlays of ordinary users
	{"user.", kept},
	{"security.capability", kept},
	{"system.posix_acl_", kept},
}

// treat tells what becomes of an extended attribute.
func treat(name string) treatment {
	for _, t := range treatments {
		if strings.HasPrefix(name, t.prefix) {
			return t.treatment
		}
	}
	return leftOut
}

// paxXattr begins the PAX records of extended attributes (layer.md, Additional File Information).
const paxXattr = "SCHILY.xattr."

// xattrs picks the extended attributes of an entry, in the order of their names.
func (u *unpacker) xattrs(records map[string]string) (list []xattr, err error) {
	for key, value := range records {
		name, ok := strings.CutPrefix(key, paxXattr)
		if !ok {
			continue
		}
		switch treat(name) {
		case kept:
			list = append(list, xattr{name, value})
		case refused:
			return nil, fmt.Errorf("extended attribute %q: not for an image to set", name)
		default:
			u.left[xattrs]++
		}
	}
	sort.Slice(list, func(a, b int) bool { return list[a].name < list[b].name })
	return list, nil
}

// setXattrs sets extended attributes, as far as the caller and the file system can.
func (u *unpacker) setXattrs(fd int, list []xattr) error {
	for _, x := range list {
		switch err := unix.Fsetxattr(fd, x.name, []byte(x.value), 0); err {
		case nil:
		case unix.EPERM, unix.ENOTSUP:
			u.left[xattrs]++
		default:
			return fmt.Errorf("extended attribute %q: %w", x.name, err)
		}
	}
	return nil
}

// clearXattrs removes the extended attributes that an earlier entry has set.
func clearXattrs(fd int) error {
	size, err := unix.Flistxattr(fd, nil)
	if err == unix.ENOTSUP || err == nil && size == 0 {
		return nil
	}
	buf := make([]byte, size)
	if err == nil {
		size, err = unix.Flistxattr(fd, buf)
	}
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(string(buf[:size]), "\x00") {
		if treat(name) != kept {
			continue
		}
		if err := unix.Fremovexattr(fd, name); err != nil && err != unix.ENODATA {
			return fmt.Errorf("extended attribute %q: %w", name, err)
		}
	}
	return nil
}
