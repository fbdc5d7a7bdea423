package bundles

import (
	"errors"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/spec"
)

// AddTo adds c to the root file system of the bundle at dir, whose config.json
// is only read. Nothing that is there is changed: what c wants under the same
// path must be the same, and where the bundle has a directory or a link of its
// own on the way, the way leads through that. After an error all that was added
// is gone again. interrupted is that of a Deployment, or nil.
//
// Shared libraries in c.With need a program beside them that loads them.
func AddTo(dir string, c Contents, interrupted func() error) error {
	b, err := Open(dir)
	if err != nil {
		return err
	}
	config, _, err := spec.Load(b.Config)
	if err != nil {
		return err
	}
	if config.Root == nil {
		return errors.New("root: the bundle has no root file system")
	}
	rootfs := b.Rootfs(config.Root.Path)
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return fmt.Errorf("root.path: %q: %w", rootfs, errnoOf(err))
	}
	defer root.Close()
	t := newTree("")
	t.present, t.interrupted = root, interrupted
	if err := c.addTo(t); err != nil {
		return err
	}
	if err := t.checkCovered(config.Mounts); err != nil {
		return err
	}
	t.shiftOwners(config.Linux)
	return t.lay(root)
}

// shiftOwners makes the owners those on the host of whom a user namespace makes
// the ids that the entries have; ids that aren't mapped stay.
func (t *tree) shiftOwners(linux *specs.Linux) {
	if linux == nil {
		return
	}
	for i := range t.entries {
		e := &t.entries[i]
		e.uid, e.gid = shifted(e.uid, linux.UIDMappings), shifted(e.gid, linux.GIDMappings)
	}
}

func shifted(id int, mappings []specs.LinuxIDMapping) int {
	for _, m := range mappings {
		if n := id - int(m.ContainerID); n >= 0 && n < int(m.Size) {
			return int(m.HostID) + n
		}
	}
	return id
}
