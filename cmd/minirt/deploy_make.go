package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/bundles/image"
	"github.com/minirt/minirt/lifecycle"
)

// layoutPrefix is before the path of an OCI image layout, in place of a program.
const layoutPrefix = "oci:"

// make makes the bundle, of a program or of an image, and tells how to remove
// it again; or adds to one. After an error, or a signal, nothing of it is left.
func (f *deployFlags) make(r *lifecycle.Runtime, dir string, c bundles.Contents, i *interrupts) (remove func() error, err error) {
	if f.Into {
		return nil, bundles.AddTo(dir, c, i.err)
	}
	_, err = os.Lstat(dir)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err := f.unpack(r, dir, &c, i); err != nil {
		return nil, err
	}
	remove = func() error { return removeBundle(dir, isNew) }
	if err := cmp.Or(f.complete(dir, isNew, c, i), i.err()); err != nil {
		return nil, errors.Join(err, remove())
	}
	return remove, nil
}

// unpack makes the bundle, and takes off c what it has put there.
func (f *deployFlags) unpack(r *lifecycle.Runtime, dir string, c *bundles.Contents, i *interrupts) error {
	edit := func(s *specs.Spec) error {
		if err := f.configure(s); err != nil {
			return err
		}
		return f.netFlags.write(s, dir, r.Root)
	}
	if ref, ok := strings.CutPrefix(f.Program, layoutPrefix); ok {
		return image.Deploy(dir, ref, image.Options{Args: f.Args, Platform: f.Platform, Edit: edit, Warn: r.Warn, Interrupted: i.err})
	}
	d := bundles.Deployment{Program: f.Program, Args: f.Args, Contents: *c, Edit: edit, Interrupted: i.err}
	*c = bundles.Contents{}
	return bundles.Deploy(dir, d)
}

// complete adds what the bundle doesn't hold yet, and the files of --net, which
// have the time of all that is made.
func (f *deployFlags) complete(dir string, isNew bool, c bundles.Contents, i *interrupts) error {
	if !c.Empty() {
		if err := bundles.AddTo(dir, c, i.err); err != nil {
			return err
		}
	}
	if err := f.netFlags.lay(dir); err != nil {
		return err
	}
	epoch := time.Unix(0, 0)
	made := []string{hostsFile, resolvFile}
	if isNew {
		made = append(made, ".")
	}
	for _, name := range made {
		if err := os.Chtimes(filepath.Join(dir, name), epoch, epoch); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// removeBundle removes what deploy made: the directory too where there was none.
func removeBundle(dir string, all bool) error {
	if all {
		return os.RemoveAll(dir)
	}
	err := errors.Join(os.RemoveAll(filepath.Join(dir, "rootfs")), os.Remove(filepath.Join(dir, "config.json")))
	for _, name := range [...]string{hostsFile, resolvFile} { // of --net
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name)))
	}
	return err
}
