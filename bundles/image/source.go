package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// A source is where the files of a layout are: a directory, or a tar archive of
// one, which isn't unpacked. Names are relative and clean.
type source interface {
	open(name string) (content io.ReadSeekCloser, size int64, err error)
	close()
}

func openSource(path string) (source, error) {
	f, size, err := openRegular(path)
	if err == nil {
		return openArchive(f, size)
	}
	if isDir(path) {
		return directory(path), nil
	}
	return nil, err
}

type directory string

func (d directory) open(name string) (io.ReadSeekCloser, int64, error) {
	return openRegular(filepath.Join(string(d), name))
}

func (directory) close() {}

// openRegular opens a regular file and no other kind: O_NONBLOCK keeps the open
// of a FIFO from waiting for a writer.
func openRegular(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, 0, errnoOf(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// An archive is a tar archive, uncompressed, and where in it each file lies.
type archive struct {
	file  *os.File
	files map[string]*io.SectionReader
}

// maxFiles bounds what is remembered of an archive.
const maxFiles = 1 << 16

// openArchive reads the headers of an archive: the file is sought, not read, in between.
func openArchive(f *os.File, size int64) (a *archive, err error) {
	a = &archive{file: f, files: map[string]*io.SectionReader{}}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not a directory, nor an archive: %w", err)
		}
		name := clean(h.Name)
		if h.Typeflag != tar.TypeReg || !ofLayout(name) {
			continue
		}
		at, err := f.Seek(0, io.SeekCurrent) // the reader has read nothing beyond the header
		if err != nil {
			return nil, errnoOf(err)
		}
		if a.files[name] = io.NewSectionReader(f, at, min(h.Size, size-at)); len(a.files) > maxFiles {
			return nil, fmt.Errorf("an archive of more than %d files", maxFiles)
		}
	}
}

// ofLayout tells whether a layout has files of that name (image-layout.md).
func ofLayout(name string) bool {
	return name == ocispec.ImageLayoutFile || name == ocispec.ImageIndexFile || strings.HasPrefix(name, ocispec.ImageBlobsDir+"/")
}

func (a *archive) open(name string) (io.ReadSeekCloser, int64, error) {
	s, ok := a.files[name]
	if !ok {
		return nil, 0, unix.ENOENT
	}
	return section{io.NewSectionReader(s, 0, s.Size())}, s.Size(), nil
}

func (a *archive) close() { a.file.Close() }

// A section is a file in an archive.
type section struct{ *io.SectionReader }

func (section) Close() error { return nil }
