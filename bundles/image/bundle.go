package image

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// makeBundle makes the directory dir and the empty rootfs in it, and has them
// filled; after an error dir is as it was: absent or empty.
func makeBundle(dir string, warn func(string), fill func(rootfs string) error) (err error) {
	isNew, open, err := makeOrFindEmpty(dir)
	if err != nil {
		return fmt.Errorf("bundle %q: %w", dir, errnoOf(err))
	}
	if open { // SEC-39
		warn(fmt.Sprintf("others can enter %q, and run setuid programs that the image brings: take that right from them", dir))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(dir, isNew))
		}
	}()
	rootfs := filepath.Join(dir, "rootfs")
	if err := os.Mkdir(rootfs, 0o755); err != nil {
		return err
	}
	return fill(rootfs)
}

// makeOrFindEmpty makes dir, for nobody else to enter, or finds it there with
// nothing in it, and perhaps open to others.
func makeOrFindEmpty(dir string) (isNew, open bool, err error) {
	err = os.Mkdir(dir, 0o700)
	if err == nil || !errors.Is(err, fs.ErrExist) {
		return err == nil, false, err
	}
	d, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0) // O_DIRECTORY: a FIFO would wait
	if err != nil {
		return false, false, err
	}
	defer d.Close()
	info, err := d.Stat()
	if err != nil {
		return false, false, err
	}
	names, err := d.Readdirnames(1)
	if len(names) > 0 {
		return false, false, errors.New("exists and isn't empty")
	}
	if err == io.EOF {
		err = nil
	}
	return false, info.Mode()&0o011 != 0, err
}

// empty takes back what was made in dir, which held nothing, and dir if it is new.
func empty(dir string, isNew bool) error {
	if isNew {
		return os.RemoveAll(dir)
	}
	names, err := os.ReadDir(dir)
	for _, n := range names {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, n.Name())))
	}
	return err
}

// errnoOf takes the words of package os off an error: what remains is the kernel's.
func errnoOf(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
