package lifecycle

import (
	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/rootfs"
)

// noteMounts records, for a container without a mount namespace, what lies now
// on the places where its mounts will be: the host sees those, and delete
// takes them off again (SEC-60).
func (c *creation) noteMounts() (err error) {
	if c.host.Rootfs.MountNamespace {
		return nil
	}
	c.warn("there is no mount namespace: the root is changed by chroot(2), which a process with CAP_SYS_CHROOT can leave, and the host sees the container's mounts")
	c.Mounts, err = mountpoint.Before(c.Rootfs, rootfs.Unmounts(c.spec, &c.host.Rootfs))
	return err
}
