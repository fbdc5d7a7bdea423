package explain

import (
	"errors"

	"golang.org/x/sys/unix"
)

// hidden compares masked and read-only paths with what is there now.
func (x *explanation) hidden() {
	for i, path := range x.s.Linux.MaskedPaths {
		x.path(index("linux.maskedPaths", i), path, func(p *Place, m *mount) (string, bool) {
			switch {
			case !p.Top:
				return "not masked", false
			case p.Mode&unix.S_IFMT == unix.S_IFCHR && p.Rdev == unix.Mkdev(1, 3):
				return "covered by /dev/null", true
			case p.Mode&unix.S_IFMT == unix.S_IFDIR && m.fstype == "tmpfs" && m.has("ro"):
				return "covered by an empty tmpfs", true
			}
			return m.shows(), false
		})
	}
	for i, path := range x.s.Linux.ReadonlyPaths {
		x.path(index("linux.readonlyPaths", i), path, func(p *Place, m *mount) (string, bool) {
			if m.has("ro") {
				return "read-only", true
			}
			return "writable", false
		})
	}
}

// path compares one path. One that isn't there is neither masked nor read-only.
func (x *explanation) path(field, path string, look func(*Place, *mount) (kernel string, same bool)) {
	p, ok := x.f.Places[path]
	if !ok {
		x.unknown(field, path, "wasn't looked at")
		return
	}
	if errors.Is(p.Err, unix.ENOENT) || errors.Is(p.Err, unix.ENOTDIR) {
		x.compare(field, path, "not there", true, "")
		return
	}
	m := x.mountOf(p.Mount)
	switch {
	case p.Err != nil:
		x.unknown(field, path, "can't be looked at: "+p.Err.Error())
	case m == nil:
		x.unknown(field, path, "lies on a mount that isn't in mountinfo")
	default:
		kernel, same := look(&p, m)
		x.compare(field, path, kernel, same, "")
	}
}
