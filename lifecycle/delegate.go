package lifecycle

import (
	"errors"
	"slices"
	"strconv"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// delegate gives the container's cgroup to the user of its process, where the
// config has it mounted for writing (config-linux.md, Cgroup ownership): only
// with a new cgroup namespace, and only of version 2 (CG-08 to CG-11). Who may not
// give it away keeps it: the specification wants no more than it to be tried.
func (c *creation) delegate() error {
	uid, ok := cgroupOwner(c.spec)
	if !ok || c.group == nil {
		return nil
	}
	if err := c.group.Delegate(uid, -1); err != nil && !errors.Is(err, unix.EPERM) {
		return &pathError{"linux.cgroupsPath", "give to user " + strconv.Itoa(uid), err}
	}
	return nil
}

// cgroupOwner is the host's id behind process.user.uid, if the cgroup is to be his.
func cgroupOwner(s *specs.Spec) (uid int, ok bool) {
	created, joined := namespacesOf(s)
	writable := func(m specs.Mount) bool {
		return m.Source == "cgroup" && m.Destination == "/sys/fs/cgroup" && !slices.Contains(m.Options, "ro")
	}
	if s.Process == nil || created&unix.CLONE_NEWCGROUP == 0 || !slices.ContainsFunc(s.Mounts, writable) {
		return 0, false
	}
	if (created|joined)&unix.CLONE_NEWUSER == 0 {
		return int(s.Process.User.UID), true
	}
	id, ok := kernel.HostID(s.Linux.UIDMappings, s.Process.User.UID)
	return int(id), ok
}
