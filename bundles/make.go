package bundles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Make makes a bundle at dir, which must be absent, with its parent present, or
// empty: fill puts what there is to be into the new directory rootfs, and gives
// the configuration. A new dir is closed to other users, and what fill doesn't
// make has the epoch for its time. After an error all that was made is gone
// again, and nothing else: another may have found dir empty as well.
func Make(dir string, fill func(rootfs string) (*specs.Spec, error)) (err error) {
	var made []string
	defer func() {
		for i := len(made) - 1; i >= 0 && err != nil; i-- {
			err = errors.Join(err, os.RemoveAll(made[i]))
		}
	}()
	isNew, err := makeOrFindEmpty(dir)
	if err != nil {
		return fmt.Errorf("bundle %q: %w", dir, errnoOf(err))
	}
	if isNew {
		made = append(made, dir)
	}
	rootfs, config := path.Join(dir, "rootfs"), path.Join(dir, "config.json")
	if err := os.Mkdir(rootfs, 0o700); err != nil {
		return err
	}
	made = append(made, rootfs)
	spec, err := fill(rootfs)
	if err != nil {
		return err
	}
	if err := Write(dir, spec); err != nil {
		return err
	}
	made = append(made, config)
	if err := settle(config, 0o644); err != nil || !isNew {
		return err
	}
	return settle(dir, 0o700) // SEC-39: the host's other users reach no setuid program in it
}

// layRootfs fills the new directory rootfs.
func layRootfs(rootfs string, t *tree) error {
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := chown(entry{}, func(uid, gid int) error { return root.Chown(".", uid, gid) }); err != nil {
		return err
	}
	if err := t.lay(root); err != nil {
		return err
	}
	return settle(rootfs, 0o755)
}

// settle gives something that was made its mode, and the time of all that is made.
func settle(name string, mode fs.FileMode) error {
	if err := os.Chmod(name, mode); err != nil {
		return err
	}
	return os.Chtimes(name, epoch(), epoch())
}

// makeOrFindEmpty makes dir, or finds it there with nothing in it.
func makeOrFindEmpty(dir string) (isNew bool, err error) {
	err = os.Mkdir(dir, 0o700)
	if err == nil {
		return true, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%q: %w", path.Dir(path.Clean(dir)), errnoOf(err))
	}
	if !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	d, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0) // O_DIRECTORY: a FIFO would wait
	if err != nil {
		return false, err
	}
	defer d.Close()
	names, err := d.Readdirnames(1)
	if len(names) > 0 {
		return false, errors.New("exists and isn't empty")
	}
	if err == io.EOF {
		err = nil
	}
	return false, err
}
