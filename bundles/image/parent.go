package image

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A parent is a directory of the root file system in which something is made or
// removed. It keeps its times: those of its own entry in the layer, which comes
// before the entries below it. So no list of directories has to be kept.
type parent struct {
	fd    int
	ino   uint64
	times [2]unix.Timespec // access, modification
}

// leave gives the directory its times back.
func (p *parent) leave() error {
	err := unix.UtimesNanoAt(p.fd, ".", p.times[:], 0)
	return errors.Join(err, unix.Close(p.fd))
}

// enter opens the directory at path below the root, and makes what is missing of it.
func (u *unpacker) enter(path string) (*parent, error) {
	p, err := u.find(path)
	if err != unix.ENOENT {
		return p, err
	}
	if err := u.makeMissing(path); err != nil {
		return nil, err
	}
	return u.find(path)
}

// find opens the directory at path below the root. Symbolic links lead where
// they would in the container: an absolute one, or one with many "..", to a
// place below the root (SEC-56).
func (u *unpacker) find(path string) (*parent, error) {
	fd, err := u.resolve(path, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	return held(fd)
}

// held takes over the descriptor of a directory.
func held(fd int) (*parent, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &parent{fd: fd, ino: st.Ino, times: [2]unix.Timespec{st.Atim, st.Mtim}}, nil
}

// resolve opens a path below the root. The kernel gives EAGAIN when something
// was renamed, anywhere, while it walked along a ".." (openat2(2)).
func (u *unpacker) resolve(path string, flags uint64) (fd int, err error) {
	if path == "" {
		path = "."
	}
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for range 128 {
		fd, err = unix.Openat2(u.root, path, &how)
		if err != unix.EAGAIN && err != unix.EINTR {
			break
		}
	}
	return fd, err
}

// makeMissing makes the directories of a path that no entry describes, one after
// the other. A link on the way that leads to nothing stays one, and an error:
// the layer is broken.
func (u *unpacker) makeMissing(dir string) error {
	dir = strings.TrimSuffix(dir, "/")
	above, base := path.Split(dir)
	p, err := u.enter(above)
	if err != nil {
		return err
	}
	u.note(p, base)
	if err = u.directory(p, base, implied, false); err == unix.EEXIST {
		err = fmt.Errorf("its directory %q is a symbolic link that leads to nothing", dir)
	}
	return errors.Join(err, p.leave())
}

// clear removes what an entry takes the place of. A directory stays if another
// is to be there (layer.md, Changeset over existing files).
func (p *parent) clear(base string, isDir bool) (stays bool, err error) {
	var st unix.Stat_t
	switch err := unix.Fstatat(p.fd, base, &st, unix.AT_SYMLINK_NOFOLLOW); {
	case err == unix.ENOENT:
		return false, nil
	case err != nil:
		return false, err
	case isDir && st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return true, nil
	}
	return false, remove(p, base, nothing, 0)
}

// note remembers that a name in a directory is of this layer.
func (u *unpacker) note(p *parent, base string) {
	if u.upper {
		u.made[u.key(p, base)] = struct{}{}
	}
}

func (u *unpacker) isNoted(p *parent, base string) bool {
	_, ok := u.made[u.key(p, base)]
	return ok
}

// key stands for a name in a directory. Two names with one key, which nobody
// can bring about, would cost a whiteout its effect.
func (u *unpacker) key(p *parent, base string) uint64 {
	return maphash.Comparable(u.seed, name{p.ino, base})
}

type name struct {
	dir  uint64 // inode
	base string
}

// maxLevel is how deep directories may lie below the root. Paths that the kernel
// takes can't be much deeper, but links could make more of them, of which each
// costs a descriptor when the tree is removed.
const maxLevel = 256

// level is how deep a directory lies below the host's root.
func level(fd int) (int, error) {
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	return strings.Count(path, "/"), errnoOf(err)
}

// tooDeep refuses a directory in which no other is to be made.
func (u *unpacker) tooDeep(p *parent) error {
	n, err := level(p.fd)
	if err == nil && n-u.level >= maxLevel {
		err = fmt.Errorf("more than %d directories deep", maxLevel)
	}
	return err
}
