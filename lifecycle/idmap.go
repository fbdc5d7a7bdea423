package lifecycle

import (
	"os"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// writeMaps writes the id maps of the stage's new user namespace
// (user_namespaces(7)). Without mappings in the config the caller is mapped to
// root. An ordinary user must give up setgroups(2) first.
func (c *creation) writeMaps() error {
	l := c.spec.Linux
	proc := "/proc/" + strconv.Itoa(c.Process.PID)
	uids, gids := l.UIDMappings, l.GIDMappings
	if len(uids) == 0 && len(gids) == 0 {
		uids = []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}}
		gids = []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	}
	if c.host.UnprivilegedMap {
		if err := writeTo(proc+"/setgroups", "deny"); err != nil {
			return &pathError{"linux.gidMappings", "deny setgroups", err}
		}
	}
	if err := writeTo(proc+"/uid_map", mapText(uids)); err != nil {
		return &pathError{"linux.uidMappings", quote(mapText(uids)), err}
	}
	if err := writeTo(proc+"/gid_map", mapText(gids)); err != nil {
		return &pathError{"linux.gidMappings", quote(mapText(gids)), err}
	}
	return nil
}

func mapText(maps []specs.LinuxIDMapping) string {
	var b []byte
	for _, m := range maps {
		b = strconv.AppendUint(b, uint64(m.ContainerID), 10)
		b = strconv.AppendUint(append(b, ' '), uint64(m.HostID), 10)
		b = strconv.AppendUint(append(b, ' '), uint64(m.Size), 10)
		b = append(b, '\n')
	}
	return string(b)
}

// rootOwner gives the host's ids of the container's root: the caller's, where
// there is no user namespace, or none that maps them.
func rootOwner(s *specs.Spec) (uid, gid int) {
	uid, gid = os.Geteuid(), os.Getegid()
	if s.Linux == nil {
		return uid, gid
	}
	return hostID(s.Linux.UIDMappings, uid), hostID(s.Linux.GIDMappings, gid)
}

// hostID is the host's id behind the container's 0.
func hostID(maps []specs.LinuxIDMapping, otherwise int) int {
	for _, m := range maps {
		if m.ContainerID == 0 && m.Size > 0 {
			return int(m.HostID)
		}
	}
	return otherwise
}
