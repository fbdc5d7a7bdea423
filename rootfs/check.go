package rootfs

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Fault is something in a config that can't be honoured: where, and why.
type Fault struct {
	Path string // in config.json, such as mounts[3].options[0]
	Text string
	Err  error // what the kernel said, if Text tells of that
}

func (f Fault) Error() string { return f.Path + ": " + f.Text }
func (f Fault) Unwrap() error { return f.Err }

// maxData is what mount(2) takes for the file system: a page, of which the
// kernel would cut off the rest in silence.
const maxData = 4095

// Check finds what in s the container's file system can't honour, and what
// deserves a warning. It knows nothing of the host, and is called before
// anything is made.
func Check(s *specs.Spec) (faults, warnings []Fault) {
	c := &checker{s: s, namespaces: namespaces(s)}
	for i := range s.Mounts {
		c.at = "mounts[" + strconv.Itoa(i) + "]"
		c.mount(&s.Mounts[i])
	}
	if s.Linux != nil {
		c.devices()
		c.paths("linux.maskedPaths", s.Linux.MaskedPaths)
		c.paths("linux.readonlyPaths", s.Linux.ReadonlyPaths)
		c.at = "linux.rootfsPropagation"
		c.propagation(s.Linux.RootfsPropagation)
	}
	if !c.namespaces.mount && s.Root != nil && s.Root.Readonly {
		c.at = "root.readonly"
		c.fault("", "a read-only root needs a mount namespace")
	}
	return c.faults, c.warnings
}

type checker struct {
	s          *specs.Spec
	namespaces struct{ mount, user bool }
	at         string

	faults, warnings []Fault
}

func namespaces(s *specs.Spec) (n struct{ mount, user bool }) {
	if s.Linux != nil {
		for _, ns := range s.Linux.Namespaces {
			n.mount = n.mount || ns.Type == specs.MountNamespace
			n.user = n.user || ns.Type == specs.UserNamespace
		}
	}
	return n
}

func (c *checker) fault(member, text string) {
	c.faults = append(c.faults, Fault{Path: c.at + member, Text: text})
}

func (c *checker) warn(member, text string) {
	c.warnings = append(c.warnings, Fault{Path: c.at + member, Text: text})
}

func (c *checker) mount(m *specs.Mount) {
	o := parse(m)
	c.destination(m, &o)
	c.options(m, &o)
	c.idmap(m)
	if o.bind() && m.Source == "" {
		c.fault(".source", "a bind needs a source")
	}
	switch {
	case o.bind():
	case m.Type == "":
		c.fault(".type", "a mount needs a type, or one of the options bind and rbind")
	case m.Type == "bind":
		c.warn(".type", `"bind" makes no bind: one of the options bind and rbind does`)
	}
	c.relative(m, &o)
}

// relative refuses paths that the kernel would resolve from where the mount
// is made, which is inside the container's root: a link there could lead it
// anywhere on the host.
func (c *checker) relative(m *specs.Mount, o *parsed) {
	if o.bind() {
		return
	}
	switch m.Type {
	case "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "erofs", "squashfs", "vfat", "exfat", "iso9660", "udf", "ntfs3":
		if !strings.HasPrefix(m.Source, "/") {
			c.fault(".source", strconv.Quote(m.Source)+" is not absolute, as a file system on a device needs it")
		}
	case "overlay":
		for option := range strings.SplitSeq(o.data, ",") {
			key, dirs, _ := strings.Cut(option, "=")
			switch key {
			case "lowerdir", "lowerdir+", "datadir+", "upperdir", "workdir":
			default:
				continue
			}
			for dir := range strings.SplitSeq(strings.ReplaceAll(dirs, `\:`, ""), ":") {
				if dir != "" && !strings.HasPrefix(dir, "/") {
					c.fault(".options", strconv.Quote(dir)+" in "+key+" is not absolute")
				}
			}
		}
	}
}

func (c *checker) destination(m *specs.Mount, o *parsed) {
	d := lexical(m.Destination)
	switch {
	case m.Destination == "":
		c.fault(".destination", "is missing")
	case d == "":
		c.fault(".destination", "nothing can be mounted on the root itself, "+strconv.Quote(m.Destination))
	case d == "proc" && !o.bind() && m.Type != "proc":
		// SEC-05; that a bind's source is a procfs is found by looking at it
		c.fault(".type", "on /proc there can be only a file system of type proc, or a bind of one, not "+strconv.Quote(m.Type))
	case under(d, "proc") && !BelowProc(d):
		c.fault(".destination", strconv.Quote(m.Destination)+" lies inside /proc, where nothing can be mounted but what lxcfs serves")
	case !strings.HasPrefix(m.Destination, "/"):
		c.warn(".destination", strconv.Quote(m.Destination)+" is not absolute; it is taken as below /")
	}
}

// BelowProc tells whether a file below procfs may be mounted on (SEC-31): the
// files that lxcfs makes, and two that checkpointing and FIPS mode need.
func BelowProc(path string) bool {
	switch path {
	case "proc/cpuinfo", "proc/diskstats", "proc/meminfo", "proc/stat", "proc/swaps", "proc/uptime", "proc/loadavg",
		"proc/slabinfo", "proc/net/dev", "proc/sys/kernel/ns_last_pid", "proc/sys/crypto/fips_enabled":
		return true
	}
	return false
}

func (c *checker) options(m *specs.Mount, o *parsed) {
	for i, name := range m.Options {
		at := ".options[" + strconv.Itoa(i) + "]"
		switch {
		case optionOf(name) != nil || name == "":
		case o.bind() && strings.Contains(name, ","):
			// SEC-49
			c.fault(at, strconv.Quote(name)+" holds a comma, and a bind hands nothing on to a file system")
		case o.bind():
			c.warn(at, strconv.Quote(name)+" means nothing on a bind; it is ignored")
		}
	}
	if o.special&copyUp != 0 && (o.bind() || m.Type != "tmpfs") {
		c.fault(".options", "tmpcopyup is for mounts of type tmpfs alone")
	}
	if n := len(o.data); n > maxData {
		c.fault(".options", strconv.Itoa(n)+" bytes are for the file system, and the kernel takes "+strconv.Itoa(maxData))
	}
}

// idmap checks what mapping of ids a mount has (MT-14 to MT-17).
func (c *checker) idmap(m *specs.Mount) {
	mapped, _ := Idmap(m)
	switch u, g := len(m.UIDMappings), len(m.GIDMappings); {
	case u > 0 && g == 0:
		c.fault(".gidMappings", "is missing: uidMappings and gidMappings go together")
	case g > 0 && u == 0:
		c.fault(".uidMappings", "is missing: uidMappings and gidMappings go together")
	case mapped && !IsBind(m):
		c.fault(".options", "only a bind can have a mapping of ids of its own")
	case mapped && u == 0 && !c.namespaces.user:
		c.fault(".options", "an id-mapped mount needs uidMappings and gidMappings, or a user namespace whose mappings it takes")
	}
}

func (c *checker) propagation(p string) {
	if o := optionOf(p); p != "" && (o == nil || o.what != propagation) {
		c.fault("", strconv.Quote(p)+" is none of shared, slave, private, unbindable and their r-forms")
	}
}

// paths checks a list of paths to hide (PA-02).
func (c *checker) paths(name string, list []string) {
	for i, p := range list {
		c.at = name + "[" + strconv.Itoa(i) + "]"
		switch {
		case !strings.HasPrefix(p, "/"):
			c.fault("", strconv.Quote(p)+" is not absolute")
		case lexical(p) == "":
			c.fault("", strconv.Quote(p)+" is the root itself")
		}
	}
}

// devices checks linux.devices (DV-01, DV-02, DV-04).
func (c *checker) devices() {
	var seen []Node
	for i := range c.s.Linux.Devices {
		d := &c.s.Linux.Devices[i]
		n := nodeOf(d, i)
		c.at = n.Origin
		switch d.Type {
		case "c", "u", "b":
			if d.Major < 0 || d.Major > 0xfff || d.Minor < 0 || d.Minor > 0xfffff {
				c.fault("", "device number "+strconv.FormatInt(d.Major, 10)+":"+strconv.FormatInt(d.Minor, 10)+" is out of range")
			}
		case "p":
		default:
			c.fault(".type", strconv.Quote(d.Type)+" is none of c, b, u and p")
		}
		if lexical(d.Path) == "" {
			c.fault(".path", "no device can be made at "+strconv.Quote(d.Path))
		}
		if old := find(seen, d.Path); old != nil && (old.FileType() != n.FileType() || old.Number() != n.Number()) {
			c.fault(".path", strconv.Quote(d.Path)+" is another device in "+old.Origin)
		}
		for _, l := range Links(c.s) {
			if Clean(l.Path) == Clean(d.Path) {
				c.fault(".path", strconv.Quote(d.Path)+" is a link that every container has")
			}
		}
		seen = append(seen, n)
	}
}

// lexical cleans a path in the container, ".." included, as if it had no links.
func lexical(path string) string {
	var parts []string
	for c := range strings.SplitSeq(path, "/") {
		switch c {
		case "", ".":
		case "..":
			parts = parts[:max(len(parts)-1, 0)]
		default:
			parts = append(parts, c)
		}
	}
	return strings.Join(parts, "/")
}
