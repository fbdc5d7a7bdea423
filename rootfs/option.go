package rootfs

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// meaning is what kind of thing an option changes.
type meaning uint8

const (
	single      meaning = iota // of the mount, or of its file system
	recursive                  // of the mount and all below it
	propagation                // how mounts spread
	special                    // something of our own doing; set tells which
	nothing                    // accepted, changes nothing
)

// The special options.
const (
	bindOnce = 1 << iota
	bindTree
	remount
	copyUp
	idmapOnce
	idmapTree
)

// option is one row of the table of mount options.
type option struct {
	name       string
	what       meaning
	set, clear uint32 // MS_ flags (mount(2)); what is set first clears its opposites (MT-08)
}

const atimes = unix.MS_NOATIME | unix.MS_RELATIME | unix.MS_STRICTATIME

// options is the one table of mount options, in the order of the spec's
// (config.md, Linux mount options). What isn't in it goes to the file system
// as data, unless the mount is a bind.
//
// Of access times one setting holds: noatime, strictatime or relatime, which is
// also what the kernel takes for any other.
var options = [...]option{
	{"async", single, 0, unix.MS_SYNCHRONOUS},
	{"atime", single, 0, atimes},
	{"bind", special, bindOnce, 0},
	{"defaults", nothing, 0, 0},
	{"dev", single, 0, unix.MS_NODEV},
	{"diratime", single, 0, unix.MS_NODIRATIME},
	{"dirsync", single, unix.MS_DIRSYNC, 0},
	{"exec", single, 0, unix.MS_NOEXEC},
	{"idmap", special, idmapOnce, 0},
	{"iversion", single, unix.MS_I_VERSION, 0},
	{"lazytime", single, unix.MS_LAZYTIME, 0},
	{"loud", single, 0, unix.MS_SILENT},
	{"mand", single, unix.MS_MANDLOCK, 0}, // without effect since Linux 5.15
	{"noatime", single, unix.MS_NOATIME, atimes},
	{"nodev", single, unix.MS_NODEV, 0},
	{"nodiratime", single, unix.MS_NODIRATIME, 0},
	{"noexec", single, unix.MS_NOEXEC, 0},
	{"noiversion", single, 0, unix.MS_I_VERSION},
	{"nolazytime", single, 0, unix.MS_LAZYTIME},
	{"nomand", single, 0, unix.MS_MANDLOCK},
	{"norelatime", single, 0, unix.MS_RELATIME},
	{"nostrictatime", single, 0, unix.MS_STRICTATIME},
	{"nosuid", single, unix.MS_NOSUID, 0},
	{"nosymfollow", single, unix.MS_NOSYMFOLLOW, 0}, // Linux 5.10
	{"private", propagation, unix.MS_PRIVATE, 0},
	{"ratime", recursive, 0, atimes},
	{"rbind", special, bindTree, 0},
	{"rdev", recursive, 0, unix.MS_NODEV},
	{"rdiratime", recursive, 0, unix.MS_NODIRATIME},
	{"relatime", single, unix.MS_RELATIME, atimes},
	{"remount", special, remount, 0},
	{"rexec", recursive, 0, unix.MS_NOEXEC},
	{"ridmap", special, idmapTree, 0},
	{"rnoatime", recursive, unix.MS_NOATIME, atimes},
	{"rnodev", recursive, unix.MS_NODEV, 0},
	{"rnodiratime", recursive, unix.MS_NODIRATIME, 0},
	{"rnoexec", recursive, unix.MS_NOEXEC, 0},
	{"rnorelatime", recursive, 0, unix.MS_RELATIME},
	{"rnostrictatime", recursive, 0, unix.MS_STRICTATIME},
	{"rnosuid", recursive, unix.MS_NOSUID, 0},
	{"rnosymfollow", recursive, unix.MS_NOSYMFOLLOW, 0},
	{"ro", single, unix.MS_RDONLY, 0},
	{"rprivate", propagation, unix.MS_PRIVATE | unix.MS_REC, 0},
	{"rrelatime", recursive, unix.MS_RELATIME, atimes},
	{"rro", recursive, unix.MS_RDONLY, 0},
	{"rrw", recursive, 0, unix.MS_RDONLY},
	{"rshared", propagation, unix.MS_SHARED | unix.MS_REC, 0},
	{"rslave", propagation, unix.MS_SLAVE | unix.MS_REC, 0},
	{"rstrictatime", recursive, unix.MS_STRICTATIME, atimes},
	{"rsuid", recursive, 0, unix.MS_NOSUID},
	{"rsymfollow", recursive, 0, unix.MS_NOSYMFOLLOW},
	{"runbindable", propagation, unix.MS_UNBINDABLE | unix.MS_REC, 0},
	{"rw", single, 0, unix.MS_RDONLY},
	{"shared", propagation, unix.MS_SHARED, 0},
	{"silent", single, unix.MS_SILENT, 0},
	{"slave", propagation, unix.MS_SLAVE, 0},
	{"strictatime", single, unix.MS_STRICTATIME, atimes},
	{"suid", single, 0, unix.MS_NOSUID},
	{"symfollow", single, 0, unix.MS_NOSYMFOLLOW},
	{"sync", single, unix.MS_SYNCHRONOUS, 0},
	{"tmpcopyup", special, copyUp, 0},
	{"unbindable", propagation, unix.MS_UNBINDABLE, 0},
}

// Options lists the mount options that are known by name, sorted: the
// features document's mountOptions.
func Options() []string {
	names := make([]string, len(options))
	for i := range options {
		names[i] = options[i].name
	}
	return names
}

func optionOf(name string) *option {
	for i := range options {
		if options[i].name == name {
			return &options[i]
		}
	}
	return nil
}

// change is a change of flags: what to set, and what to clear before.
type change struct{ set, clear uint32 }

func (c *change) add(o *option) {
	c.set = c.set&^o.clear | o.set
	c.clear = c.clear&^o.set | o.clear
}

// override forgets what a later change decides anew.
func (c *change) override(o *option) {
	c.set &^= o.set | o.clear
	c.clear &^= o.set | o.clear
}

// parsed is what the options of one mount mean.
type parsed struct {
	special     uint32
	flags       change   // of the mount itself
	below       change   // of the mount and all below it, made before flags
	propagation []uint32 // in the order asked for
	data        string   // for the file system, joined by commas
	unknown     []string // on a bind: options that mean nothing there
}

func (o *parsed) bind() bool { return o.special&(bindOnce|bindTree) != 0 }

// parse reads the options of a mount. A later one overrides an earlier
// opposite (MT-08). On a file system of its own, which has nothing mounted
// below it yet, the recursive options are the plain ones.
func parse(m *specs.Mount) (o parsed) {
	var rest []string
	for _, name := range m.Options {
		row := optionOf(name)
		if row == nil {
			if name != "" {
				rest = append(rest, name)
			}
			continue
		}
		switch row.what {
		case single:
			o.flags.add(row)
		case recursive:
			o.flags.override(row)
			o.below.add(row)
		case propagation:
			o.propagation = append(o.propagation, row.set)
		case special:
			o.special |= row.set
		}
	}
	switch {
	case o.special&bindTree != 0:
		// SEC-12: sysfs holds other file systems of the kernel, cgroups
		// among them: asked for read-only, none of them is left writable.
		if d := Clean(m.Destination); o.flags.set&unix.MS_RDONLY != 0 && (d == "sys" || under(d, "sys")) {
			o.below.add(&option{set: unix.MS_RDONLY})
		}
	default:
		o.flags = change{o.below.set&^o.flags.clear | o.flags.set, o.below.clear&^o.flags.set | o.flags.clear}
		o.below = change{}
	}
	if o.bind() {
		o.unknown = rest // SEC-49: never handed on to anything
	} else {
		o.data = strings.Join(rest, ",")
	}
	return o
}

// attributes are the flags that one mount has for itself, by mount(2)'s flag
// and mount_setattr(2)'s.
var attributes = [...]struct {
	flag      uint32
	attribute uint64
}{
	{unix.MS_RDONLY, unix.MOUNT_ATTR_RDONLY},
	{unix.MS_NOSUID, unix.MOUNT_ATTR_NOSUID},
	{unix.MS_NODEV, unix.MOUNT_ATTR_NODEV},
	{unix.MS_NOEXEC, unix.MOUNT_ATTR_NOEXEC},
	{unix.MS_NODIRATIME, unix.MOUNT_ATTR_NODIRATIME},
	{unix.MS_NOSYMFOLLOW, unix.MOUNT_ATTR_NOSYMFOLLOW},
	{unix.MS_NOATIME, unix.MOUNT_ATTR_NOATIME},
	{unix.MS_STRICTATIME, unix.MOUNT_ATTR_STRICTATIME},
}

// Attr is a change of a mount's attributes (mount_setattr(2), struct
// mount_attr). Flags that belong to the file system, such as sync, can't be
// changed by a bind and are no part of it, as for mount(8).
type Attr struct{ Set, Clear uint64 }

// None tells whether nothing changes.
func (a Attr) None() bool { return a == Attr{} }

// attr translates a change. Nothing is cleared that wasn't named: so a flag
// that the kernel has locked in a user namespace stays (MT-18).
func (c change) attr() (a Attr) {
	for _, r := range attributes {
		if c.set&r.flag != 0 {
			a.Set |= r.attribute
		}
		if c.clear&r.flag != 0 && r.flag&atimes == 0 {
			a.Clear |= r.attribute
		}
	}
	if (c.set|c.clear)&atimes != 0 {
		a.Clear |= unix.MOUNT_ATTR__ATIME // an access time is changed by clearing all and setting one; relatime is 0
	}
	return a
}

// Attributes gives the changes that a mount's options make: first those to the
// whole tree, then those to its top alone. For trees that the parent makes.
func Attributes(m *specs.Mount) (below, top Attr) {
	o := parse(m)
	return o.below.attr(), o.flags.attr()
}

// FileSystemData gives the options of a mount that are for its file system, as
// mount(2) takes them.
func FileSystemData(m *specs.Mount) string {
	o := parse(m)
	return o.data
}
