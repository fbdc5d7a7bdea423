package bundles

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A tree is what a root file system is to hold, as a value: directories, links
// and files. What comes from the host keeps its path there, and links are kept
// as links, so that every path leads where it leads here, and so that programs
// which look where they really lie ($ORIGIN) still do.
type tree struct {
	host    string   // where the host's root directory is: "", or a directory of a test
	present *os.Root // the root file system that is there already, or nil
	entries []entry
	index   map[string]int // path → number of its entry
	loaders []*loader      // of the programs that are noted
	missing []string       // libraries that weren't found, and who needs them

	interrupted func() error // tells whether to stop; nil for never
}

// entry is one thing to make; its path is absolute and free of links.
type entry struct {
	path     string
	mode     fs.FileMode // type and permissions
	uid, gid int         // its owner, if root makes it
	time     time.Time   // of its last change; the epoch for what the host hasn't
	link     string      // target of a symbolic link
	from     string      // the host's file that is copied
	text     string      // content of a made file
	byTheWay bool        // a directory that is only on the way to something
	present  bool        // it is there already
}

// epoch is the time of all that is made and not copied.
func epoch() time.Time { return time.Unix(0, 0) }

func newTree(host string) *tree {
	return &tree{host: host, index: map[string]int{}}
}

// add notes one entry. What is wanted twice must be the same, and gets the owner
// and the mode that were asked for last; what is present stays as it is.
func (t *tree) add(e entry) error {
	if err := t.stop(); err != nil {
		return err
	}
	if e.time.IsZero() {
		e.time = epoch()
	}
	old, err := t.own(e.path)
	if errors.Is(err, fs.ErrNotExist) {
		t.index[e.path] = len(t.entries)
		t.entries = append(t.entries, e)
		return nil
	}
	if err != nil {
		return fmt.Errorf("rootfs%s: %w", e.path, err)
	}
	switch same, err := t.same(e, old); {
	case err != nil:
		return err
	case !same && old.present:
		return fmt.Errorf("%q: the bundle has %s there, and is to get %s", e.path, old, e)
	case !same:
		return fmt.Errorf("%q is wanted twice, as %s and as %s", e.path, old, e)
	}
	if !old.present && !e.byTheWay && (old.byTheWay || !e.mode.IsDir()) {
		t.entries[t.index[e.path]] = e
	}
	return nil
}

// stop is the error by which somebody has the work end.
func (t *tree) stop() error {
	if t.interrupted == nil {
		return nil
	}
	return t.interrupted()
}

// own gives what the tree has at a path that leads through no link: an entry,
// or what is there already. The error for nothing is ENOENT.
func (t *tree) own(path string) (entry, error) {
	if path == "/" {
		return entry{path: path, mode: fs.ModeDir, present: true}, nil
	}
	if i, ok := t.index[path]; ok {
		return t.entries[i], nil
	}
	if t.present == nil {
		return entry{}, unix.ENOENT
	}
	name := strings.TrimPrefix(path, "/")
	info, err := t.present.Lstat(name)
	e := entry{path: path, present: true}
	if err == nil {
		e.mode = info.Mode()
		if e.mode.Type() == fs.ModeSymlink {
			e.link, err = t.present.Readlink(name)
		}
	}
	return e, errnoOf(err)
}

// same tells whether two entries are the same but for owner, mode and time.
func (t *tree) same(a, b entry) (bool, error) {
	if a.mode.Type() != b.mode.Type() || a.link != b.link {
		return false, nil
	}
	if a.mode.Type() != 0 || a.from != "" && a.from == b.from {
		return true, nil
	}
	ra, err := t.content(a)
	if err != nil {
		return false, err
	}
	defer ra.Close()
	rb, err := t.content(b)
	if err != nil {
		return false, err
	}
	defer rb.Close()
	return equal(bufio.NewReader(ra), bufio.NewReader(rb))
}

// content opens a file's content.
func (t *tree) content(e entry) (io.ReadCloser, error) {
	switch {
	case e.present:
		return regular(t.present.OpenFile(strings.TrimPrefix(e.path, "/"), readOnly, 0))
	case e.from != "":
		return t.open(e.from)
	}
	return io.NopCloser(strings.NewReader(e.text)), nil
}

// open opens the regular file of the host that follow found at real, and no other kind.
func (t *tree) open(real string) (*os.File, error) {
	f, err := regular(os.OpenFile(t.host+real, readOnly, 0))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", real, err)
	}
	return f, nil
}

// readOnly opens no link, waits for no FIFO's writer and takes no terminal.
const readOnly = os.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY

// regular passes on what was opened, if it is a regular file.
func regular(f *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, errnoOf(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// equal tells whether two files have the same content.
func equal(a, b io.ByteReader) (bool, error) {
	for {
		x, errA := a.ReadByte()
		y, errB := b.ReadByte()
		switch {
		case errA == io.EOF && errB == io.EOF:
			return true, nil
		case errA == io.EOF || errB == io.EOF:
			return false, nil
		case errA != nil || errB != nil:
			return false, errors.Join(errA, errB)
		case x != y:
			return false, nil
		}
	}
}

// String says what an entry is, for error texts.
func (e entry) String() string {
	switch {
	case e.mode.IsDir():
		return "a directory"
	case e.mode.Type() == fs.ModeSymlink:
		return fmt.Sprintf("a link to %q", e.link)
	case e.from != "":
		return fmt.Sprintf("a copy of %q", e.from)
	case e.mode.Type() == 0:
		return "a file with other contents"
	}
	return kindOf(e.mode)
}

// kindOf names a kind of file that is neither regular nor a directory or link.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "something that is no file"
}

// errnoOf takes the words of package os off an error: what remains is the kernel's.
func errnoOf(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
