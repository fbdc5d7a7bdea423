package spec

import (
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// userMappings holds the rules of config-linux.md, User namespace mappings.
// Engines give mappings together with a path: then the namespace's own hold.
func (c *checker) userMappings(at *path, l *specs.Linux, ns namespaces) {
	for _, m := range [...]struct {
		name string
		list []specs.LinuxIDMapping
	}{{"uidMappings", l.UIDMappings}, {"gidMappings", l.GIDMappings}} {
		c.mappings(at, m.name, m.list)
		switch {
		case len(m.list) > 0 && !ns.has(unix.CLONE_NEWUSER):
			c.fault(at.member(m.name), `needs a namespace of type "user" in linux.namespaces`)
		case len(m.list) > 0 && ns.joined&unix.CLONE_NEWUSER != 0:
			c.warn(at.member(m.name), "has no effect, the user namespace is joined by path and keeps its own")
		case len(m.list) == 0 && ns.fresh(unix.CLONE_NEWUSER):
			c.warn(at.member(m.name), "is empty, so that only the caller's own id is mapped, to 0")
		}
	}
}

// mappings are the kernel's rules for one id map (user_namespaces(7)).
func (c *checker) mappings(at *path, name string, list []specs.LinuxIDMapping) {
	const most = 340 // UID_GID_MAP_MAX_EXTENTS
	if len(list) > most {
		c.fault(at.member(name), "has "+strconv.Itoa(len(list))+" entries, more than "+strconv.Itoa(most))
		return
	}
	for i := range list {
		m, p := &list[i], at.item(name, i)
		switch {
		case m.Size == 0:
			c.fault(p.member("size"), "0 is out of range, want 1 or more")
		case overflows(m.ContainerID, m.Size):
			c.fault(p.member("size"), past("containerID", m.ContainerID, m.Size))
		case overflows(m.HostID, m.Size):
			c.fault(p.member("size"), past("hostID", m.HostID, m.Size))
		}
		for j := range list[:i] {
			if o := &list[j]; overlap(m.ContainerID, m.Size, o.ContainerID, o.Size) {
				c.overlapping(p.member("containerID"), at.item(name, j))
			} else if overlap(m.HostID, m.Size, o.HostID, o.Size) {
				c.overlapping(p.member("hostID"), at.item(name, j))
			}
		}
	}
}

// overflows tells whether ids go beyond the last, which is noID-1.
func overflows(first, size uint32) bool { return uint64(first)+uint64(size) > noID }

func past(name string, first, size uint32) string {
	return strconv.FormatUint(uint64(size), 10) + " ids from " + name + " " + strconv.FormatUint(uint64(first), 10) +
		" go beyond the last, 4294967294"
}

func overlap(a, aSize, b, bSize uint32) bool {
	return uint64(a) < uint64(b)+uint64(bSize) && uint64(b) < uint64(a)+uint64(aSize)
}

func (c *checker) overlapping(at, with path) {
	c.fault(at, "overlaps with "+with.String())
}

// mapped is the rule that the process's ids must exist in the user namespace
// that is made for it (config.md, User: ids are the container's).
func (c *checker) mapped(at *path, p *specs.Process, l *specs.Linux, ns namespaces) {
	if !ns.fresh(unix.CLONE_NEWUSER) {
		return
	}
	u := at.member("user")
	c.mappedID(u.member("uid"), p.User.UID, l.UIDMappings, "linux.uidMappings")
	c.mappedID(u.member("gid"), p.User.GID, l.GIDMappings, "linux.gidMappings")
	for i, gid := range p.User.AdditionalGids {
		c.mappedID(u.item("additionalGids", i), gid, l.GIDMappings, "linux.gidMappings")
	}
}

func (c *checker) mappedID(at path, id uint32, list []specs.LinuxIDMapping, name string) {
	maps := func(m specs.LinuxIDMapping) bool { return id >= m.ContainerID && id-m.ContainerID < m.Size }
	if slices.ContainsFunc(list, maps) || len(list) == 0 && id == 0 || id == noID {
		return
	}
	c.fault(at, strconv.FormatUint(uint64(id), 10)+" is not mapped by "+name)
}
