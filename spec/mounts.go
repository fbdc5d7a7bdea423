package spec

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mounts holds the rules of config.md, Mounts. What options mean is package rootfs's business.
func (c *checker) mounts(at *path, all []specs.Mount, ns namespaces) {
	for i := range all {
		m, p := &all[i], at.item("mounts", i)
		switch {
		case m.Destination == "":
			c.fault(p.member("destination"), "is empty")
		case !isAbsolute(m.Destination):
			// Deprecated and still to be taken as below / (since 1.2).
			c.warn(p.member("destination"), quote(m.Destination)+" is not absolute, taken as "+quote("/"+m.Destination))
		}
		c.mountKind(&p, m)
		c.mountMappings(&p, m, ns)
	}
}

// mountKind are the rules for what a mount is of.
func (c *checker) mountKind(at *path, m *specs.Mount) {
	if hasOption(m, "remount") {
		return
	}
	if hasOption(m, "bind", "rbind") {
		if m.Source == "" {
			c.fault(at.member("source"), "is required for a bind mount")
		}
		return
	}
	if m.Type == "" && !hasOption(m, propagations[:]...) {
		c.fault(at.member("type"), "is required for a mount that is neither bind, rbind nor remount")
	}
}

func hasOption(m *specs.Mount, any ...string) bool {
	for _, o := range m.Options {
		if slices.Contains(any, o) {
			return true
		}
	}
	return false
}

// mountMappings are the rules for id-mapped mounts. Without mappings of its own
// a mount has those of the container's user namespace.
func (c *checker) mountMappings(at *path, m *specs.Mount, ns namespaces) {
	uids, gids := len(m.UIDMappings) > 0, len(m.GIDMappings) > 0
	switch {
	case uids && !gids:
		c.fault(at.member("uidMappings"), "needs gidMappings as well")
	case gids && !uids:
		c.fault(at.member("gidMappings"), "needs uidMappings as well")
	case !uids && !ns.has(unix.CLONE_NEWUSER):
		for i, o := range m.Options {
			if o == "idmap" || o == "ridmap" {
				c.fault(at.item("options", i), quote(o)+" needs uidMappings and gidMappings, or a user namespace")
			}
		}
	}
	c.mappings(at, "uidMappings", m.UIDMappings)
	c.mappings(at, "gidMappings", m.GIDMappings)
}

// propagations are the words of mount(8) for it. config-linux.md, Rootfs Mount
// Propagation, has the first four; the recursive ones are what CRI sends.
var propagations = [...]string{
	"shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable",
}
