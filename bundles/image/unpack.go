package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// An unpacker applies layers to a root file system that only it writes to.
type unpacker struct {
	root   int  // descriptor of the root's directory
	level  int  // how deep that lies in the host's own tree
	owners bool // root's right to give files away, and to make nodes

	upper bool // whether layers lie below this one, to which whiteouts apply
	made  map[uint64]struct{}
	seed  maphash.Seed

	buffer []byte
	left   remarks
}

// unpack applies all layers to the directory rootfs, the lowest first.
func (i *image) unpack(rootfs string, warn func(string)) error {
	root, err := unix.Open(rootfs, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	u := &unpacker{root: root, owners: os.Geteuid() == 0, seed: maphash.MakeSeed(), buffer: make([]byte, 64<<10)}
	if u.level, err = level(root); err != nil {
		return err
	}
	// A root that no layer describes is as a directory that none describes.
	if err := u.describeDirectory(root, implied, false); err != nil {
		return err
	}
	for n, d := range i.layers {
		u.upper, u.made = n > 0, map[uint64]struct{}{}
		if err := u.apply(i, n, d); err != nil {
			return fmt.Errorf("layers[%d]: %w", n, err)
		}
	}
	u.left.tell(warn)
	return nil
}

// apply applies one layer, and proves it.
func (u *unpacker) apply(i *image, n int, d ocispec.Descriptor) error {
	s, err := i.layout.openLayer(d)
	if err != nil {
		return err
	}
	defer s.close()
	sum := i.config.RootFS.DiffIDs[n]
	verify := sum.Verifier()
	all := io.TeeReader(s, verify)
	if err := u.entries(tar.NewReader(all)); err != nil {
		return err
	}
	// What follows the archive's end is a part of both digests.
	if _, err := io.CopyBuffer(io.Discard, all, u.buffer); err != nil {
		return err
	}
	if err := s.finish(); err != nil {
		return err
	}
	if !verify.Verified() {
		return fmt.Errorf("another content than its diff_id says, %s", sum)
	}
	return nil
}

func (u *unpacker) entries(r *tar.Reader) error {
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := u.entry(h, r); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

// entry applies one entry of a layer.
func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name := clean(h.Name)
	if name == "" {
		return u.rootEntry(h)
	}
	dir, base := path.Split(name)
	w, victim, err := whiteoutOf(dir, base)
	if err != nil || w == aufs {
		return err
	}
	if w != notWhiteout {
		return u.whiteout(dir, victim)
	}
	p, err := u.enter(dir)
	if err != nil {
		return err
	}
	err = u.place(p, base, h, content)
	return errors.Join(err, p.leave())
}

// clean gives the path that an entry means, relative to the root: "" for the
// root itself. A ".." is taken by its letters, and none leads above the root.
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

// rootEntry gives the root itself its attributes.
func (u *unpacker) rootEntry(h *tar.Header) error {
	if h.Typeflag != tar.TypeDir {
		return errors.New("not a directory, in place of the root")
	}
	a, err := u.attributes(h)
	if err != nil {
		return err
	}
	return u.describeDirectory(u.root, a, true)
}

// place makes one entry in a directory, in place of what is there.
func (u *unpacker) place(p *parent, base string, h *tar.Header, content io.Reader) error {
	a, err := u.attributes(h)
	if err != nil {
		return err
	}
	if h.Typeflag == tar.TypeLink {
		return u.hardLink(p, base, h.Linkname)
	}
	stays, err := p.clear(base, h.Typeflag == tar.TypeDir)
	if err != nil {
		return err
	}
	u.note(p, base)
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		return u.file(p, base, a, content, h.Size)
	case tar.TypeDir:
		return u.directory(p, base, a, stays)
	case tar.TypeSymlink:
		return u.symlink(p, base, h.Linkname, a)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return u.node(p, base, h, a)
	}
	return fmt.Errorf("of the unknown type %q", h.Typeflag)
}
