package explain

import (
	"errors"
	"strings"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// devices compares the nodes of linux.devices and the default ones, where they
// are missing in that list. In a user namespace the host's nodes are bound, which
// keep their owners and permissions.
func (x *explanation) devices() {
	bound := hasNamespace(x.s, specs.UserNamespace)
	for _, n := range rootfs.Nodes(x.s) {
		field := n.Origin
		if n.Default {
			field = "linux.devices (default)"
		}
		config := n.Path + " " + nodeText(n.Type, n.Major, n.Minor) + " " + octal(uint64(n.Mode)) + " " + natural(uint64(n.UID)) + ":" + natural(uint64(n.GID))
		p, ok := x.f.Places[n.Path]
		switch {
		case !ok:
			x.unknown(field, config, "wasn't looked at")
			continue
		case errors.Is(p.Err, unix.ENOENT) || errors.Is(p.Err, unix.ENOTDIR):
			x.compare(field, config, "not there", false, "")
			continue
		case p.Err != nil:
			x.unknown(field, config, "can't be looked at: "+p.Err.Error())
			continue
		}
		kernel := fileText(&p) + " " + octal(uint64(p.Mode&0o7777)) + " " + x.idName(natural(uint64(p.UID)), x.uids) + ":" + x.idName(natural(uint64(p.GID)), x.gids)
		same := p.Mode&unix.S_IFMT == n.FileType() && p.Rdev == n.Number()
		if !bound {
			same = same && kernel == strings.TrimPrefix(config, n.Path+" ")
		}
		x.compare(field, config, kernel, same, "now")
	}
	for _, path := range x.f.Added {
		x.add(Row{"linux.devices", "", "/" + path, "added by update", Differs})
	}
}

func nodeText(kind byte, major, minor uint32) string {
	if kind == 'p' {
		return "p"
	}
	return string(rune(kind)) + " " + natural(uint64(major)) + ":" + natural(uint64(minor))
}

// fileText is what a file is, if it is a device or a FIFO.
func fileText(p *Place) string {
	major, minor := unix.Major(p.Rdev), unix.Minor(p.Rdev)
	switch p.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		return nodeText('c', major, minor)
	case unix.S_IFBLK:
		return nodeText('b', major, minor)
	case unix.S_IFIFO:
		return "p"
	}
	return "no device"
}

// netDevices looks for network devices by their names in the container.
func (x *explanation) netDevices() {
	for _, host := range sortedKeys(x.s.Linux.NetDevices) {
		name := x.s.Linux.NetDevices[host].Name
		if name == "" {
			name = host
		}
		field, config := "linux.netDevices."+host, "as "+name
		text, ok := x.told(field, config, x.f.Files["net/dev"])
		if !ok {
			continue
		}
		now, prefix := "not there", strings.TrimSuffix(name, "%d")
		for line := range strings.Lines(text) {
			device, _, ok := strings.Cut(strings.TrimSpace(line), ":")
			if ok && (device == name || prefix != name && strings.HasPrefix(device, prefix)) {
				now = device
			}
		}
		x.compare(field, config, now, now != "not there", "")
	}
}
