package bundles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// A tree is the part of the host's file system that a program needs, as a
// value: directories, links and files under the paths that they have on the
// host. Links are kept as links, so that every path leads where it leads here,
// and so that programs which look where they really lie ($ORIGIN) still do.
type tree struct {
	host    string // where the host's root directory is: "", or a directory of a test
	entries []entry
	seen    map[string]bool
}

// entry is one thing to make; its path is absolute and free of links.
type entry struct {
	path string
	mode fs.FileMode // type and permissions
	link string      // target of a symbolic link
	text string      // content of a made file; otherwise it is copied from the host
	copy bool
}

// maxLinks is how many links a path may lead through: the kernel's own limit (path_resolution(7)).
const maxLinks = 40

func newTree(host string) *tree {
	return &tree{host: host, seen: map[string]bool{}}
}

// add notes one entry; the first with its path wins.
func (t *tree) add(e entry) {
	if !t.seen[e.path] {
		t.seen[e.path] = true
		t.entries = append(t.entries, e)
	}
}

// addFile notes the regular file at an absolute path, with all directories and
// links on the way to it, and gives the path where it really lies.
func (t *tree) addFile(file string) (real string, err error) {
	real, way, err := t.walk(file)
	if err != nil {
		return "", err
	}
	for _, e := range way {
		t.add(e)
	}
	return real, nil
}

// walk follows file through the host's file system and notes what it meets.
func (t *tree) walk(file string) (real string, way []entry, err error) {
	left := strings.Split(file, "/")
	here := "/"
	for links := 0; len(left) > 0; {
		name := left[0]
		left = left[1:]
		if name == "" || name == "." {
			continue
		}
		if name == ".." {
			here = path.Dir(here)
			continue
		}
		next := path.Join(here, name)
		info, err := os.Lstat(t.host + next)
		if err != nil {
			return "", nil, fmt.Errorf("%q: %w", file, errnoOf(err))
		}
		switch info.Mode().Type() {
		case fs.ModeDir:
			way = append(way, entry{path: next, mode: fs.ModeDir | 0o755})
			here = next
		case fs.ModeSymlink:
			if links++; links > maxLinks {
				return "", nil, fmt.Errorf("%q: %w", file, unix.ELOOP)
			}
			target, err := os.Readlink(t.host + next)
			if err != nil {
				return "", nil, fmt.Errorf("%q: %w", file, errnoOf(err))
			}
			way = append(way, entry{path: next, mode: fs.ModeSymlink, link: target})
			if strings.HasPrefix(target, "/") {
				here = "/"
			}
			left = append(strings.Split(target, "/"), left...)
		case 0:
			if len(left) > 0 {
				return "", nil, fmt.Errorf("%q: %w", file, unix.ENOTDIR)
			}
			// The setuid and setgid bits stay behind: they would give the owner's rights to anybody inside.
			return next, append(way, entry{path: next, mode: info.Mode().Perm(), copy: true}), nil
		default:
			return "", nil, fmt.Errorf("%q: not a regular file", file)
		}
	}
	return "", nil, fmt.Errorf("%q: %w", file, unix.EISDIR)
}

// open opens the regular file that walk found at real, and no other kind.
func (t *tree) open(real string) (*os.File, error) {
	f, err := os.OpenFile(t.host+real, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", real, errnoOf(err))
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%q: %w", real, err)
	}
	return f, nil
}

// lay makes the tree below root, which was empty. No path in it leads through a
// link: directories come before what they hold, by their real paths.
// What root makes belongs to root, whatever group the parent directory hands down.
func (t *tree) lay(root *os.Root) error {
	for _, e := range t.entries {
		err := t.layOne(root, e)
		if err == nil && os.Geteuid() == 0 {
			err = root.Lchown(strings.TrimPrefix(e.path, "/"), 0, 0)
		}
		if err != nil {
			return fmt.Errorf("rootfs%s: %w", e.path, errnoOf(err))
		}
	}
	return nil
}

func (t *tree) layOne(root *os.Root, e entry) error {
	name := strings.TrimPrefix(e.path, "/")
	switch e.mode.Type() {
	case fs.ModeSymlink:
		return root.Symlink(e.link, name)
	case fs.ModeDir:
		if err := root.Mkdir(name, 0o700); err != nil {
			return err
		}
		return root.Chmod(name, e.mode&^fs.ModeDir)
	}
	return t.layFile(root, name, e)
}

func (t *tree) layFile(root *os.Root, name string, e entry) (err error) {
	from := io.Reader(strings.NewReader(e.text))
	if e.copy {
		f, err := t.open(e.path)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	to, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.Chmod(e.mode)
}

// errnoOf takes the words of package os off an error: what remains is the kernel's.
func errnoOf(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
