package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"path"

	"golang.org/x/sys/unix"
)

// directory makes a directory, or describes the one that stays.
func (u *unpacker) directory(p *parent, base string, a attributes, isThere bool) (err error) {
	if !isThere {
		if err := u.tooDeep(p); err != nil {
			return err
		}
		if err := unix.Mkdirat(p.fd, base, 0o700); err != nil {
			return err
		}
	}
	fd, err := unix.Openat2(p.fd, base, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return u.describeDirectory(fd, a, isThere)
}

func (u *unpacker) describeDirectory(fd int, a attributes, wasThere bool) error {
	if !u.owners {
		a.mode |= 0o700 // or its owner could put nothing into it, now and later
	}
	if err := u.describe(fd, a, wasThere); err != nil {
		return err
	}
	return unix.UtimesNanoAt(fd, ".", a.times[:], 0)
}

// file makes a regular file. It is a new one always: the old one may have other names.
func (u *unpacker) file(p *parent, base string, a attributes, content io.Reader, size int64) (err error) {
	fd, err := unix.Openat(p.fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }() // which tells of a full disk, on some file systems
	if err := u.fill(fd, content, size); err != nil {
		return err
	}
	if err := u.describe(fd, a, false); err != nil {
		return err
	}
	return unix.UtimesNanoAt(p.fd, base, a.times[:], unix.AT_SYMLINK_NOFOLLOW)
}

// fill writes a file's content. Pieces of nothing but zeros stay holes: a sparse
// file remains one, and takes no room that it doesn't need.
func (u *unpacker) fill(fd int, content io.Reader, size int64) error {
	for at := int64(0); at < size; {
		piece := u.buffer[:min(int64(len(u.buffer)), size-at)]
		if _, err := io.ReadFull(content, piece); err != nil {
			return err
		}
		if !isZero(piece) {
			if err := writeAt(fd, piece, at); err != nil {
				return err
			}
		}
		at += int64(len(piece))
	}
	return unix.Ftruncate(fd, size)
}

func isZero(b []byte) bool {
	return b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

func writeAt(fd int, b []byte, at int64) error {
	for len(b) > 0 {
		n, err := unix.Pwrite(fd, b, at)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b, at = b[n:], at+int64(n)
	}
	return nil
}

// symlink makes a symbolic link, whatever it says: only find follows it.
func (u *unpacker) symlink(p *parent, base, target string, a attributes) error {
	if err := unix.Symlinkat(target, p.fd, base); err != nil {
		return fmt.Errorf("symbolic link to %q: %w", target, err)
	}
	err := u.own(a, func(uid, gid int) error {
		return unix.Fchownat(p.fd, base, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(p.fd, base, a.times[:], unix.AT_SYMLINK_NOFOLLOW)
}

// hardLink gives what an earlier entry made one more name: a symbolic link
// itself, not what it leads to. Its attributes stay those of that entry.
func (u *unpacker) hardLink(p *parent, base, to string) error {
	words := func(err error) error { return fmt.Errorf("hard link to %q: %w", to, err) }
	dir, target := path.Split(clean(to))
	if target == "" {
		return words(unix.EISDIR)
	}
	from, err := u.find(dir)
	if err != nil {
		return words(err)
	}
	defer unix.Close(from.fd)
	if from.ino == p.ino && target == base {
		return words(errors.New("which is itself"))
	}
	if _, err := p.clear(base, false); err != nil {
		return err
	}
	u.note(p, base)
	if err := unix.Linkat(from.fd, target, p.fd, base, 0); err != nil {
		return words(err)
	}
	return nil
}

// node makes a device node or a FIFO. Who can't make device nodes does without:
// the container gets its devices from config.json.
func (u *unpacker) node(p *parent, base string, h *tar.Header, a attributes) error {
	kind, device := uint32(unix.S_IFIFO), 0
	if h.Typeflag != tar.TypeFifo {
		if kind = unix.S_IFCHR; h.Typeflag == tar.TypeBlock {
			kind = unix.S_IFBLK
		}
		if h.Devmajor < 0 || h.Devmajor > math.MaxUint32 || h.Devminor < 0 || h.Devminor > math.MaxUint32 {
			return fmt.Errorf("device %d:%d: there can't be one", h.Devmajor, h.Devminor)
		}
		device = int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
	}
	err := unix.Mknodat(p.fd, base, kind|0o600, device)
	if err == unix.EPERM {
		u.left[devices]++
		return nil
	}
	if err != nil {
		return err
	}
	err = u.own(a, func(uid, gid int) error {
		return unix.Fchownat(p.fd, base, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
	})
	if err != nil {
		return err
	}
	// fchmodat(2) would follow a link; but this is the node just made, and nobody else writes here.
	if err := unix.Fchmodat(p.fd, base, a.mode, 0); err != nil {
		return fmt.Errorf("mode %#o: %w", a.mode, err)
	}
	return unix.UtimesNanoAt(p.fd, base, a.times[:], unix.AT_SYMLINK_NOFOLLOW)
}
