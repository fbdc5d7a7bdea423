package bundles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// A Copy is a file or a directory of the host that a bundle is to hold, with
// all that lies below. Links are copied as links, but for the one that Source
// itself may be if there is a Target. FIFOs, sockets and devices are refused;
// extended attributes, file capabilities among them, stay behind, and hard
// links become files of their own.
type Copy struct {
	Source string // on the host; a relative path begins in the working directory
	Target string // in the container: absolute; with "/" at its end, the directory to put it into; if empty, the path that it has on the host

	UID, GID *int    // the owner's ids on the host; nil is root's
	Mode     *uint32 // as chmod(2) has it; directories get x beside each r, and no more than permissions; nil is the host's without setuid and setgid
	Keep     bool    // owner and mode are the host's where they aren't given, setuid and setgid too
}

// addCopy notes what c asks for.
func (t *tree) addCopy(c Copy) error {
	if os.Geteuid() != 0 && (c.UID != nil && *c.UID != 0 || c.GID != nil && *c.GID != 0) {
		return fmt.Errorf("%q: only root can give files to others", c.Source)
	}
	source, err := c.source()
	if err != nil {
		return err
	}
	e, err := follow(source, t.onHost)
	if err != nil {
		return err
	}
	if e.mode.Type()&^fs.ModeDir != 0 {
		return cannotCopy(e)
	}
	own, err := t.target(c, source)
	if err != nil {
		return err
	}
	return t.addBelow(c, own, e)
}

func (c Copy) source() (string, error) {
	if c.Source == "" {
		return "", errors.New("what is to be copied has no name")
	}
	if c.Target != "" && !path.IsAbs(c.Target) {
		return "", fmt.Errorf("%q: the path in the container isn't absolute", c.Target)
	}
	return inWorkingDirectory(c.Source)
}

// target notes the directories above the place of a copy, and gives its path.
func (t *tree) target(c Copy, source string) (own string, err error) {
	if c.Target == "" {
		return t.addPath(source)
	}
	target := c.Target
	if contents := c.Source == "." || strings.HasSuffix(c.Source, "/."); strings.HasSuffix(target, "/") && !contents {
		target += path.Base(source)
	}
	dir, name := path.Split(strings.TrimRight(target, "/"))
	if name == "" || name == "." || name == ".." {
		return t.makeWay(target)
	}
	way, err := t.makeWay(dir)
	if err != nil {
		return "", err
	}
	return t.resolve(path.Join(way, name))
}

// addBelow notes the host's e, and all that lies below, at a path of the tree.
func (t *tree) addBelow(c Copy, own string, e entry) error {
	source := e.path
	e, err := t.dressed(c, e)
	if err != nil {
		return err
	}
	if e.path = own; own != "/" || !e.mode.IsDir() {
		if err := t.add(e); err != nil || !e.mode.IsDir() {
			return err
		}
	}
	list, err := os.ReadDir(t.host + source)
	if err != nil {
		return fmt.Errorf("%q: %w", source, errnoOf(err))
	}
	for _, d := range list {
		if err := t.addChild(c, own, path.Join(source, d.Name())); err != nil {
			return err
		}
	}
	return nil
}

// addChild notes what the host has at source in a directory of the tree.
func (t *tree) addChild(c Copy, dir, source string) error {
	e, err := t.onHost(source)
	if err != nil {
		return fmt.Errorf("%q: %w", source, err)
	}
	own := path.Join(dir, path.Base(source))
	switch e.mode.Type() {
	case 0, fs.ModeDir:
		if own, err = t.resolve(own); err != nil {
			return err
		}
	case fs.ModeSymlink:
	default:
		return cannotCopy(e)
	}
	return t.addBelow(c, own, e)
}

// dressed gives the host's e the owner and the mode that c asks for.
func (t *tree) dressed(c Copy, e entry) (entry, error) {
	if c.Keep {
		info, err := os.Lstat(t.host + e.path)
		if err != nil {
			return entry{}, fmt.Errorf("%q: %w", e.path, errnoOf(err))
		}
		st := info.Sys().(*syscall.Stat_t)
		e.mode, e.uid, e.gid = info.Mode(), int(st.Uid), int(st.Gid)
	}
	if c.UID != nil {
		e.uid = *c.UID
	}
	if c.GID != nil {
		e.gid = *c.GID
	}
	if c.Mode != nil && e.mode.Type() != fs.ModeSymlink {
		e.mode = withMode(e.mode.Type(), *c.Mode)
	}
	return e, nil
}

// withMode is the mode of a file or a directory with the bits of chmod(2).
func withMode(kind fs.FileMode, bits uint32) fs.FileMode {
	mode := kind | fs.FileMode(bits&0o777)
	if kind == fs.ModeDir {
		return mode | mode&0o444>>2
	}
	for _, special := range []struct {
		bit  uint32
		mode fs.FileMode
	}{{syscall.S_ISUID, fs.ModeSetuid}, {syscall.S_ISGID, fs.ModeSetgid}, {syscall.S_ISVTX, fs.ModeSticky}} {
		if bits&special.bit != 0 {
			mode |= special.mode
		}
	}
	return mode
}

func cannotCopy(e entry) error {
	return fmt.Errorf("%q: %s: files, directories and links are copied, and nothing else", e.path, kindOf(e.mode))
}
