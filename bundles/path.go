package bundles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is how many links a path may lead through: the kernel's own limit (path_resolution(7)).
const maxLinks = 40

// onHost gives what the host has at a path that leads through no link: an entry
// that makes the same, owned by root. The setuid and setgid bits stay behind:
// they would give the owner's rights to anybody inside.
func (t *tree) onHost(file string) (entry, error) {
	info, err := os.Lstat(t.host + file)
	if err != nil {
		return entry{}, errnoOf(err)
	}
	e := entry{path: file, mode: info.Mode() &^ (fs.ModeSetuid | fs.ModeSetgid), time: info.ModTime()}
	switch e.mode.Type() {
	case 0:
		e.from = file
	case fs.ModeSymlink:
		e.link, err = os.Readlink(t.host + file)
	}
	return e, errnoOf(err)
}

// follow finds where an absolute path leads, on the host or in the tree, as
// look sees it, and what is there.
func follow(file string, look func(string) (entry, error)) (entry, error) {
	e := entry{path: "/", mode: fs.ModeDir}
	left, links := names(file), 0
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		if !e.mode.IsDir() {
			return entry{}, fmt.Errorf("%q: %w", file, unix.ENOTDIR)
		}
		if name == ".." {
			e = entry{path: path.Dir(e.path), mode: fs.ModeDir}
			continue
		}
		next, err := look(path.Join(e.path, name))
		if err != nil {
			return entry{}, fmt.Errorf("%q: %w", file, err)
		}
		if next.mode.Type() != fs.ModeSymlink {
			e = next
			continue
		}
		if links++; links > maxLinks {
			return entry{}, fmt.Errorf("%q: %w", file, unix.ELOOP)
		}
		if path.IsAbs(next.link) {
			e = entry{path: "/", mode: fs.ModeDir}
		}
		left = append(names(next.link), left...)
	}
	return e, nil
}

// names are the names that a path consists of.
func names(file string) []string {
	var list []string
	for name := range strings.SplitSeq(file, "/") {
		if name != "" && name != "." {
			list = append(list, name)
		}
	}
	return list
}

// file finds where an absolute path leads on the host, to a regular file.
func (t *tree) file(file string) (entry, error) {
	e, err := follow(file, t.onHost)
	switch {
	case err != nil:
		return entry{}, err
	case e.mode.IsDir():
		return entry{}, fmt.Errorf("%q: %w", file, unix.EISDIR)
	case e.mode.Type() != 0:
		return entry{}, fmt.Errorf("%q: not a regular file", file)
	}
	return e, nil
}

// addFile notes the regular file of the host at an absolute path, with all
// directories and links on the way to it, and gives the path where it really lies.
func (t *tree) addFile(file string) (real string, err error) {
	e, err := t.file(file)
	if err == nil {
		_, err = t.addPath(file)
	}
	return e.path, err
}

// addPath notes what the host has at a path that is known to lead somewhere,
// and the directories and links on the way, and gives the path of the tree
// where it then lies. That is the host's, but where the tree has a directory
// under the name of one of the host's links: there the way leads through it.
func (t *tree) addPath(file string) (own string, err error) {
	here, own, left := "/", "/", names(file)
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		if name == ".." {
			here, own = path.Dir(here), path.Dir(own)
			continue
		}
		e, err := t.onHost(path.Join(here, name))
		if err != nil {
			return "", fmt.Errorf("%q: %w", file, err)
		}
		if e.mode.Type() == fs.ModeSymlink {
			e.path = path.Join(own, name)
			if t.takes(e) {
				if err := t.add(e); err != nil {
					return "", err
				}
				if path.IsAbs(e.link) {
					here, own = "/", "/"
				}
				left = append(names(e.link), left...)
				continue
			}
			if e, err = follow(path.Join(here, name), t.onHost); err != nil {
				return "", err
			}
		}
		if here = e.path; e.mode.IsDir() {
			own, err = t.enter(path.Join(own, name))
		} else {
			own, err = t.addAt(path.Join(own, name), e)
		}
		if err != nil {
			return "", err
		}
	}
	return own, nil
}

// takes tells whether a link can be made: nothing is there, or the same.
func (t *tree) takes(link entry) bool {
	old, err := t.own(link.path)
	return err != nil || old.link == link.link
}

// addAt notes e for a path whose last name alone may be a link; the tree's own links are followed.
func (t *tree) addAt(own string, e entry) (string, error) {
	at, err := t.resolve(own)
	if err != nil {
		return "", err
	}
	e.path = at
	return at, t.add(e)
}

// enter finds the directory of the tree at a path whose last name alone may be
// a link, or notes that it is to be made.
func (t *tree) enter(own string) (string, error) {
	at, err := t.resolve(own)
	if err != nil {
		return "", err
	}
	return at, t.add(entry{path: at, mode: fs.ModeDir | 0o755, byTheWay: true})
}

// resolve follows the tree's own links at a path; what they lead to must be there.
func (t *tree) resolve(own string) (string, error) {
	e, err := t.own(own)
	if errors.Is(err, fs.ErrNotExist) {
		return own, nil
	}
	if err == nil && e.mode.Type() == fs.ModeSymlink {
		e, err = follow(own, t.own)
	}
	if err != nil {
		return "", fmt.Errorf("rootfs: %w", err)
	}
	return e.path, nil
}

// makeWay notes the directories of a path of the tree, and gives the path where
// the last one lies, behind the tree's own links.
func (t *tree) makeWay(dir string) (own string, err error) {
	own = "/"
	for _, name := range names(dir) {
		if name == ".." {
			own = path.Dir(own)
			continue
		}
		if own, err = t.enter(path.Join(own, name)); err != nil {
			return "", err
		}
	}
	return own, nil
}
