package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// configMounts compares the mounts, in order, and then tells of those that
// nothing in the configuration asks for.
func (x *explanation) configMounts() {
	if r := x.f.Files["mountinfo"]; r.Err != nil {
		x.unknown("mounts", "", "can't be read: "+r.Err.Error())
		return
	}
	claimed := make(map[int]bool)
	for i := range x.s.Mounts {
		c := &x.s.Mounts[i]
		m := x.best(c, claimed)
		if m != nil {
			claimed[m.id] = true
		}
		if by := x.remounted(i); by > 0 && m != nil {
			x.add(Row{Field: index("mounts", i), Config: configMount(c), Kernel: m.shows(), Note: "mounted anew by " + index("mounts", by)})
			continue
		}
		x.mount(i, c, m)
	}
	x.moreMounts(claimed)
}

// best is the mount on a destination that is most like what was asked for, the
// first of equals; nil if there is none. Others may lie there too: from below the
// source of a recursive bind, or made since. A remount is of one that was there.
func (x *explanation) best(c *specs.Mount, claimed map[int]bool) (best *mount) {
	point, least := x.point(c.Destination), 0
	for i := range x.mounts {
		m := &x.mounts[i]
		if m.point != point || claimed[m.id] && !isRemount(c) {
			continue
		}
		if n := len(x.mountFaults(c, m)); best == nil || n < least {
			best, least = m, n
		}
	}
	return best
}

func isRemount(c *specs.Mount) bool { return slices.Contains(c.Options, "remount") }

// remounted finds the last mount that changes the i-th by a remount; 0 if there is none.
func (x *explanation) remounted(i int) (by int) {
	for j := i + 1; j < len(x.s.Mounts); j++ {
		if isRemount(&x.s.Mounts[j]) && x.point(x.s.Mounts[j].Destination) == x.point(x.s.Mounts[i].Destination) {
			by = j
		}
	}
	return by
}

// point is where a destination lies, links followed.
func (x *explanation) point(destination string) string {
	if p, ok := x.f.Places[destination]; ok && p.Err == nil && p.Top {
		if m := x.mountOf(p.Mount); m != nil && m.point != "/" {
			return m.point
		}
	}
	return "/" + rootfs.Clean(destination)
}

// mount compares one of mounts.
func (x *explanation) mount(i int, c *specs.Mount, m *mount) {
	field, config := index("mounts", i), configMount(c)
	if m == nil {
		x.compare(field, config, "not mounted", false, "")
		return
	}
	faults := x.mountFaults(c, m)
	if now, want := x.f.Places[c.Destination], x.f.Sources[c.Source]; rootfs.IsBind(c) && now.Mount == m.id {
		if now.Err == nil && want.Err == nil && (now.Dev != want.Dev || now.Ino != want.Ino) {
			faults = append(faults, "the source is another file now")
		}
	}
	x.compare(field, config, m.shows(), len(faults) == 0, strings.Join(faults, ", "))
}

// configMount is a mount of the configuration in one line.
func configMount(c *specs.Mount) string {
	text := c.Destination + " " + c.Type + " " + c.Source
	if rootfs.IsBind(c) {
		text = c.Destination + " " + c.Source
		if c.Type != "" && c.Type != "bind" && c.Type != "none" {
			text += " " + c.Type
		}
	}
	if len(c.Options) > 0 {
		text += " " + strings.Join(c.Options, ",")
	}
	for _, ids := range [...]struct {
		name string
		list []specs.LinuxIDMapping
	}{{"uids", c.UIDMappings}, {"gids", c.GIDMappings}} {
		if len(ids.list) > 0 {
			text += " " + ids.name + " " + strings.Join(rangesOf(ids.list), ", ")
		}
	}
	return text
}

// attributes are the flags of a mount that mountinfo tells, by their bits.
var attributes = [...]struct {
	name string
	bit  uint64
}{
	{"ro", unix.MOUNT_ATTR_RDONLY}, {"nosuid", unix.MOUNT_ATTR_NOSUID}, {"nodev", unix.MOUNT_ATTR_NODEV}, {"noexec", unix.MOUNT_ATTR_NOEXEC},
	{"noatime", unix.MOUNT_ATTR_NOATIME}, {"nodiratime", unix.MOUNT_ATTR_NODIRATIME}, {"nosymfollow", unix.MOUNT_ATTR_NOSYMFOLLOW},
}

// mountFaults is what a mount has that wasn't asked for, or lacks.
func (x *explanation) mountFaults(c *specs.Mount, m *mount) (faults []string) {
	below, top := rootfs.Attributes(c)
	set, clear := below.Set&^top.Clear|top.Set, below.Clear&^top.Set|top.Clear
	for _, a := range attributes {
		switch has := m.has(a.name); {
		case set&a.bit != 0 && !has:
			faults = append(faults, "is not "+a.name)
		case clear&a.bit != 0 && set&a.bit == 0 && has && a.bit&unix.MOUNT_ATTR__ATIME == 0:
			faults = append(faults, "is "+a.name)
		}
	}
	if set&unix.MOUNT_ATTR_STRICTATIME != 0 && (m.has("noatime") || m.has("relatime")) {
		faults = append(faults, "is not strictatime")
	}
	faults = append(faults, spreadFaults(c, m)...)
	if mapped, _ := rootfs.Idmap(c); mapped && !m.has("idmapped") {
		faults = append(faults, "is not idmapped")
	}
	if rootfs.IsBind(c) {
		return faults
	}
	if m.fstype != c.Type && !(c.Type == "cgroup" && (m.fstype == "cgroup2" || m.fstype == "tmpfs")) {
		return append(faults, "is of type "+m.fstype)
	}
	if c.Type != "cgroup" {
		faults = append(faults, x.dataFaults(rootfs.FileSystemData(c), m.super)...)
	}
	return faults
}

// spreadFaults compares the last word about propagation; "shared" after "slave"
// makes a mount both.
func spreadFaults(c *specs.Mount, m *mount) []string {
	last := ""
	for _, o := range c.Options {
		switch strings.TrimPrefix(o, "r") {
		case "shared", "slave", "private", "unbindable":
			last = strings.TrimPrefix(o, "r")
		}
	}
	if last == "" || m.spreadsAs(last) {
		return nil
	}
	return []string{"is not " + last}
}

// dataFaults compares options of the file system that the kernel tells by the
// same name. One that it doesn't tell may be its default. Owners are the
// container's ids.
func (x *explanation) dataFaults(data string, super []string) (faults []string) {
	for o := range strings.SplitSeq(data, ",") {
		key, want, ok := strings.Cut(o, "=")
		if !ok {
			continue
		}
		for _, s := range super {
			now, ok := strings.CutPrefix(s, key+"=")
			switch key {
			case "uid":
				now = x.idName(now, x.uids)
			case "gid":
				now = x.idName(now, x.gids)
			}
			if ok && plain(now) != plain(want) && !strings.HasSuffix(want, "%") {
				faults = append(faults, "has "+key+"="+now)
			}
		}
	}
	return faults
}

// plain is the value of an option without units and leading zeros: 64m is 67108864.
func plain(value string) string {
	units, digits := -1, value
	if n := len(value); n > 1 {
		if units = strings.IndexByte("kmg", value[n-1]|0x20); units >= 0 {
			digits = value[:n-1]
		}
	}
	n, err := strconv.ParseUint(digits, 10, 40)
	if err != nil {
		return value
	}
	return natural(n << (10 * (units + 1)))
}

// moreMounts tells of mounts that nothing asks for: what the container, or
// somebody from outside, has mounted since.
func (x *explanation) moreMounts(claimed map[int]bool) {
	made, trees := x.made(), x.trees()
	for i := range x.mounts {
		m := &x.mounts[i]
		brought := func(tree string) bool { return under(m.point, tree) }
		if claimed[m.id] || m.point == "/" || slices.Contains(made, m.point) || slices.ContainsFunc(trees, brought) {
			continue
		}
		x.compare("mounts", "", m.point+" "+m.shows(), false, "not in config.json")
	}
}

// made are the places on which the runtime itself mounts something, beside mounts.
func (x *explanation) made() (points []string) {
	for _, n := range rootfs.Nodes(x.s) { // in a user namespace
		points = append(points, "/"+rootfs.Clean(n.Path))
	}
	for _, path := range x.f.Added {
		points = append(points, "/"+path)
	}
	if x.s.Process != nil && x.s.Process.Terminal {
		points = append(points, "/dev/console")
	}
	if x.s.Linux != nil {
		for _, path := range slices.Concat(x.s.Linux.MaskedPaths, x.s.Linux.ReadonlyPaths) {
			points = append(points, x.point(path))
		}
	}
	return append(points, "/run/notify") // a socket of the service manager's (docs/cli.md)
}

// trees are the places below which mounts came with another: the source of a
// recursive bind, a mount of type cgroup, and a path that was made read-only with
// all that is mounted there.
func (x *explanation) trees() (points []string) {
	for i := range x.s.Mounts {
		if c := &x.s.Mounts[i]; rootfs.IsTree(c) || c.Type == "cgroup" {
			points = append(points, x.point(c.Destination))
		}
	}
	if x.s.Linux != nil {
		for _, path := range x.s.Linux.ReadonlyPaths {
			points = append(points, x.point(path))
		}
	}
	return points
}
