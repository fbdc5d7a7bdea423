package image

import (
	"os"

	"golang.org/x/sys/unix"
)

// A spare tells whether a name in a directory is to stay when others go.
type spare func(p *parent, base string) bool

func nothing(*parent, string) bool { return false }

// remove removes a name from a directory, with all below it, but for what is to
// be spared and the directories that lead there. No name is followed.
func remove(p *parent, base string, stays spare, depth int) error {
	var st unix.Stat_t
	if err := unix.Fstatat(p.fd, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return found(err)
	}
	flags := 0
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		flags = unix.AT_REMOVEDIR
		if err := removeBelow(p, base, stays, depth+1); err != nil {
			return err
		}
	}
	if stays(p, base) {
		return nil
	}
	err := unix.Unlinkat(p.fd, base, flags)
	if err == unix.ENOTEMPTY { // something in it was spared
		return nil
	}
	return found(err)
}

// removeBelow removes what a directory holds, if that is to go.
func removeBelow(p *parent, base string, stays spare, depth int) error {
	fd, err := unix.Openat2(p.fd, base, &unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return err
	}
	sub, err := held(fd)
	if err != nil {
		return err
	}
	err = removeAll(sub, stays, depth)
	if leave := sub.leave(); err == nil {
		err = leave
	}
	return err
}

// removeAll removes all names from a directory but those to be spared.
func removeAll(p *parent, stays spare, depth int) error {
	if depth > maxLevel+1 { // the tree is never that deep
		return unix.ENAMETOOLONG
	}
	list, err := names(p.fd)
	if err != nil {
		return err
	}
	for _, name := range list {
		if err := remove(p, name, stays, depth); err != nil {
			return err
		}
	}
	return nil
}

// names lists a directory, whose descriptor stays open.
func names(dir int) ([]string, error) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	d := os.NewFile(uintptr(fd), "directory")
	defer d.Close()
	list, err := d.Readdirnames(-1)
	return list, errnoOf(err)
}

// found is err, where it is no error that nothing is there.
func found(err error) error {
	if err == unix.ENOENT {
		return nil
	}
	return err
}
