package spec

import (
	"cmp"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Limits of the kernel's device numbers (linux/kdev_t.h).
const (
	mostMajor = 1<<12 - 1
	mostMinor = 1<<20 - 1
)

var deviceTypes = [...]string{"c", "u", "b", "p"}

// devices holds the rules of config-linux.md, Devices.
func (c *checker) devices(at *path, all []specs.LinuxDevice) {
	for i := range all {
		d, p := &all[i], at.item("devices", i)
		c.absolute(p.member("path"), d.Path)
		if c.oneOf(p.member("type"), "device type", d.Type, deviceTypes[:]) && d.Type != "p" {
			c.between(p.member("major"), d.Major, 0, mostMajor)
			c.between(p.member("minor"), d.Minor, 0, mostMinor)
		}
		// Engines hand on st_mode whole: the file's type in it is allowed, and ignored.
		if d.FileMode != nil && *d.FileMode > unix.S_IFMT|0o7777 {
			c.fault(p.member("fileMode"), number(uint32(*d.FileMode))+" is out of range, want 0 to 4095 (octal 7777)")
		}
		if d.UID != nil {
			c.id(p.member("uid"), *d.UID)
		}
		if d.GID != nil {
			c.id(p.member("gid"), *d.GID)
		}
	}
}

// netDevices holds the rules of config-linux.md, Network Devices.
func (c *checker) netDevices(at *path, all map[string]specs.LinuxNetDevice, ns namespaces) {
	if len(all) == 0 {
		return
	}
	p := at.member("netDevices")
	if !ns.own(unix.CLONE_NEWNET) {
		c.fault(p, needs(specs.NetworkNamespace))
	}
	inside := make(map[string]string, len(all)) // names on the host by those in the container
	for name, d := range all {
		if !isInterface(name) || strings.Contains(name, "%") {
			c.fault(p.member(name), quote(name)+" is not an interface's name")
		}
		if m := p.member(name); d.Name != "" && !isTemplate(d.Name) {
			c.fault(m.member("name"), quote(d.Name)+" is not an interface's name")
		}
		if strings.Contains(d.Name, "%") {
			continue
		}
		to := cmp.Or(d.Name, name)
		if other, taken := inside[to]; taken {
			c.fault(p.member(max(name, other)), quote(to)+" is the name of "+quote(min(name, other))+" in the container as well")
		}
		inside[to] = name
	}
}

// isTemplate tells whether a name is an interface's, or is one once the kernel has put a number for its only %d.
func isTemplate(name string) bool {
	name = strings.Replace(name, "%d", "0", 1)
	return isInterface(name) && !strings.Contains(name, "%")
}

// isInterface is the kernel's dev_valid_name.
func isInterface(name string) bool {
	const most = 15 // IFNAMSIZ less the NUL
	return name != "" && len(name) <= most && name != "." && name != ".." && !strings.ContainsAny(name, "/: \t\n\v\f\r")
}
