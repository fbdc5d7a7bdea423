package lifecycle

import (
	"os"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// idMap is one of the two maps of the stage's new user namespace
// (user_namespaces(7)), and what it takes to write it.
type idMap struct {
	path   string // in config.json
	file   string // in /proc/PID
	ids    []specs.LinuxIDMapping
	own    int    // the caller's id
	may    uint64 // the capability that lets the caller write any map
	helper helper // writes what he may not
}

// idMaps gives the maps that the config asks for. Without mappings the caller is
// mapped to root.
func idMaps(s *specs.Spec) (uids, gids idMap) {
	uid, gid := os.Geteuid(), os.Getegid()
	uids = idMap{"linux.uidMappings", "uid_map", s.Linux.UIDMappings, uid, 1 << kernel.CapSetuid, newuidmap}
	gids = idMap{"linux.gidMappings", "gid_map", s.Linux.GIDMappings, gid, 1 << kernel.CapSetgid, newgidmap}
	if len(uids.ids) == 0 && len(gids.ids) == 0 {
		uids.ids = []specs.LinuxIDMapping{{HostID: uint32(uid), Size: 1}}
		gids.ids = []specs.LinuxIDMapping{{HostID: uint32(gid), Size: 1}}
	}
	return uids, gids
}

// ownOnly tells whether a map has nothing but the caller's own id, which the
// kernel lets him write without rights.
func (m *idMap) ownOnly() bool {
	return len(m.ids) == 1 && m.ids[0].Size == 1 && int(m.ids[0].HostID) == m.own
}

// writeMaps writes the id maps of the stage's new user namespace: itself where
// the caller may, else by newuidmap(1) and newgidmap(1). Whoever writes his own
// gid without rights must give up setgroups(2) first, since it could take away
// a group that denies something; newgidmap looks after that by itself.
func (c *creation) writeMaps() error {
	uids, gids := idMaps(c.spec)
	if c.host.SetgroupsDenied && gids.ownOnly() {
		if err := writeTo(c.proc("setgroups"), "deny"); err != nil {
			return &pathError{gids.path, "deny setgroups", err}
		}
	}
	if err := c.writeMap(&uids); err != nil {
		return err
	}
	return c.writeMap(&gids)
}

func (c *creation) writeMap(m *idMap) error {
	if c.host.Permitted&m.may == 0 && !m.ownOnly() {
		return m.helper.write(c.Process.PID, m)
	}
	err := writeTo(c.proc(m.file), mapText(m.ids))
	if err == unix.EPERM && inUserNamespace() {
		err = because("the ids of the host's side must be mapped in the caller's own user namespace", err)
	}
	if err != nil {
		return &pathError{m.path, quote(mapText(m.ids)), err}
	}
	return nil
}

// proc is a file in the stage's directory of /proc.
func (c *creation) proc(name string) string {
	return "/proc/" + strconv.Itoa(c.Process.PID) + "/" + name
}

// setgroupsDenied tells whether setgroups(2) is denied where the process will
// be: in a new user namespace by us or, like in the caller's own, by who made
// that.
func setgroupsDenied(s *specs.Spec, permitted uint64) bool {
	created, joined := namespacesOf(s)
	switch {
	case joined&unix.CLONE_NEWUSER != 0:
		return os.Geteuid() != 0 // nobody can tell
	case created&unix.CLONE_NEWUSER != 0 && permitted&(1<<kernel.CapSetgid) == 0:
		_, gids := idMaps(s)
		return gids.ownOnly() || setgroupsOf("self") == "deny"
	}
	return setgroupsOf("self") == "deny"
}

// setgroupsOf is "allow" or "deny", for the user namespace of a process; "" if
// that can't be seen.
func setgroupsOf(process string) string {
	b, _ := readFile("/proc/"+process+"/setgroups", 16)
	return strings.TrimSuffix(string(b), "\n")
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
	if id, ok := kernel.HostID(maps, 0); ok {
		return int(id)
	}
	return otherwise
}
