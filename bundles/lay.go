package bundles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lay makes the tree below root, and takes back what it made if it fails. No
// path in it leads through a link: directories come before what they hold, by
// their real paths, and os.Root follows none that somebody puts there meanwhile.
//
// The directories that were there keep their times.
func (t *tree) lay(root *os.Root) (err error) {
	times, err := t.timesBefore(root)
	if err != nil {
		return err
	}
	defer func() {
		for name, at := range times {
			if e := root.Chtimes(name, at, at); err == nil && e != nil {
				err = fmt.Errorf("rootfs/%s: %w", name, errnoOf(e))
			}
		}
	}()
	made := 0
	defer func() {
		for ; err != nil && made > 0; made-- {
			root.Remove(strings.TrimPrefix(t.entries[made-1].path, "/"))
		}
	}()
	for _, e := range t.entries {
		err := t.layOne(root, e, &made)
		if err != nil {
			return fmt.Errorf("rootfs%s: %w", e.path, errnoOf(err))
		}
	}
	// What was made in a directory has changed its time.
	for i := len(t.entries) - 1; i >= 0; i-- {
		if e := t.entries[i]; e.mode.IsDir() {
			if err := root.Chtimes(strings.TrimPrefix(e.path, "/"), e.time, e.time); err != nil {
				return fmt.Errorf("rootfs%s: %w", e.path, errnoOf(err))
			}
		}
	}
	return nil
}

// timesBefore are the times of the directories that are there already and will hold more.
func (t *tree) timesBefore(root *os.Root) (map[string]time.Time, error) {
	times := map[string]time.Time{}
	for _, e := range t.entries {
		dir := path.Dir(e.path)
		if _, made := t.index[dir]; made {
			continue
		}
		name := path.Join(".", dir)
		info, err := root.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("rootfs%s: %w", dir, errnoOf(err))
		}
		times[name] = info.ModTime()
	}
	return times, nil
}

// layOne makes one entry; made counts it as soon as it is there.
func (t *tree) layOne(root *os.Root, e entry, made *int) error {
	if err := t.stop(); err != nil {
		return err
	}
	name := strings.TrimPrefix(e.path, "/")
	switch e.mode.Type() {
	case fs.ModeSymlink:
		if err := root.Symlink(e.link, name); err != nil {
			return err
		}
		*made++
		return dressLink(root, name, e)
	case fs.ModeDir:
		if err := root.Mkdir(name, 0o700); err != nil {
			return err
		}
		*made++
		if err := chown(e, func(uid, gid int) error { return root.Lchown(name, uid, gid) }); err != nil {
			return err
		}
		return root.Chmod(name, e.mode&^fs.ModeDir)
	}
	return t.layFile(root, name, e, made)
}

func (t *tree) layFile(root *os.Root, name string, e entry, made *int) (err error) {
	from, err := t.content(e)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	*made++
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := t.copy(to, from); err != nil {
		return err
	}
	if err := chown(e, to.Chown); err != nil { // first: it takes setuid away
		return err
	}
	if err := to.Chmod(e.mode); err != nil {
		return err
	}
	return setTime(int(to.Fd()), "", e.time, unix.AT_EMPTY_PATH)
}

// copy copies in pieces, between which somebody may have it stop. The kernel
// copies each by itself where it can (copy_file_range(2)).
func (t *tree) copy(to io.Writer, from io.Reader) error {
	const piece = 64 << 20
	for {
		if _, err := io.CopyN(to, from, piece); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := t.stop(); err != nil {
			return err
		}
	}
}

// dressLink gives a link its owner and its time, below the directory that holds it.
func dressLink(root *os.Root, name string, e entry) error {
	if err := chown(e, func(uid, gid int) error { return root.Lchown(name, uid, gid) }); err != nil {
		return err
	}
	dir, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return setTime(int(dir.Fd()), path.Base(name), e.time, unix.AT_SYMLINK_NOFOLLOW)
}

// chown gives an entry its owner. What an ordinary user makes is his. What root
// makes belongs to root, whatever group the parent directory hands down.
func chown(e entry, call func(uid, gid int) error) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return call(e.uid, e.gid)
}

// setTime sets the times of last access and change of name in the directory fd.
func setTime(fd int, name string, at time.Time, flags int) error {
	ts, err := unix.TimeToTimespec(at)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(fd, name, []unix.Timespec{ts, ts}, flags)
}
