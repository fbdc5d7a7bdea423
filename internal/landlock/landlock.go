// Package landlock reads the annotations that ask for a rule set of Landlock
// (landlock(7)): what the container's processes may do with files, ports, sockets
// and signals, beside what all else allows them.
//
// Its law: an annotation that is there restricts what it names to what it lists,
// be that nothing; one that is not there restricts nothing. What is
// malformed, or unknown below Prefix, is a fault: a rule is never left out in
// silence. It is pure.
package landlock

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/minirt/minirt/spec"
	"golang.org/x/sys/unix"
)

// Prefix begins the annotations' keys.
const Prefix = "org.minirt.landlock."

// Rules are a rule set. What is handled is refused, but where a rule allows it.
type Rules struct {
	FS    uint64 // LANDLOCK_ACCESS_FS_ that are handled
	Net   uint64 // LANDLOCK_ACCESS_NET_ that are handled
	Scope uint64 // LANDLOCK_SCOPE_ that are kept in the container's process tree
	Paths []Path
	Ports []Port

	asked      []asked
	bestEffort bool
}

// Path allows accesses to a file, or to all that lies beneath a directory.
type Path struct {
	Place  string // of the annotation in config.json
	Path   string // absolute, in the container
	Access uint64
}

// Port allows accesses to a TCP port.
type Port struct {
	Place  string
	Port   uint16
	Access uint64
}

// asked is what one annotation handles.
type asked struct {
	place  string
	handle handled
}

// handled are the three kinds of accesses.
type handled struct{ fs, net, scope uint64 }

// The accesses of the annotations (linux/landlock.h).
const (
	read  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	refer = unix.LANDLOCK_ACCESS_FS_REFER
	write = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | refer |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM

	// OfFiles are the accesses that a rule for a file can allow; the others are those of directories.
	OfFiles = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// annotations by what follows Prefix. Each handles one kind of accesses.
var annotations = [...]struct {
	name   string
	handle handled
	read   func(r *Rules, a asked, value string) (why string)
}{
	{"fs.read", handled{fs: read}, (*Rules).paths},
	{"fs.write", handled{fs: write}, (*Rules).paths},
	{"fs.execute", handled{fs: unix.LANDLOCK_ACCESS_FS_EXECUTE}, (*Rules).paths},
	{"fs.ioctl", handled{fs: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV}, (*Rules).paths},
	{"net.bind", handled{net: unix.LANDLOCK_ACCESS_NET_BIND_TCP}, (*Rules).ports},
	{"net.connect", handled{net: unix.LANDLOCK_ACCESS_NET_CONNECT_TCP}, (*Rules).ports},
	{"scope", handled{}, (*Rules).scopes},
	{"mode", handled{}, (*Rules).mode},
}

type scope struct {
	name string
	bit  uint64
}

// scopes by their names in the annotation.
var scopes = [...]scope{
	{"abstract-unix", unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET},
	{"signal", unix.LANDLOCK_SCOPE_SIGNAL},
}

// Asked tells whether a container is to have a rule set.
func Asked(notes map[string]string) bool {
	for key := range notes {
		if strings.HasPrefix(key, Prefix) {
			return true
		}
	}
	return false
}

// Read gives the rule set that the annotations ask for, for a kernel that has
// all of Landlock (see Fit), or all that is wrong with them.
func Read(notes map[string]string) (*Rules, spec.Faults) {
	r := &Rules{}
	faults := unknown(notes)
	for _, a := range &annotations {
		value, ok := notes[Prefix+a.name]
		if !ok {
			continue
		}
		place := place(a.name)
		if why := a.read(r, asked{place, a.handle}, value); why != "" {
			faults = append(faults, spec.Fault{Path: place, Text: why})
		}
	}
	if len(faults) == 0 && len(r.asked) == 0 {
		faults = append(faults, spec.Fault{Path: place("mode"), Text: "there are no rules that it could be of"})
	}
	r.letMove()
	return r, faults
}

func place(name string) string { return "annotations[" + strconv.Quote(Prefix+name) + "]" }

// unknown are the faults of keys below Prefix that mean nothing.
func unknown(notes map[string]string) (faults spec.Faults) {
	names := make([]string, len(annotations))
	for i := range annotations {
		names[i] = annotations[i].name
	}
	for key := range notes {
		if name, ours := strings.CutPrefix(key, Prefix); ours && !slices.Contains(names, name) {
			faults = append(faults, spec.Fault{Path: place(name), Text: "no such annotation: want one of " + strings.Join(names, ", ") + " after " + Prefix})
		}
	}
	sort.Slice(faults, func(a, b int) bool { return faults[a].Path < faults[b].Path })
	return faults
}

// add handles what an annotation asks for.
func (r *Rules) add(a asked) {
	r.asked = append(r.asked, a)
	r.FS, r.Net, r.Scope = r.FS|a.handle.fs, r.Net|a.handle.net, r.Scope|a.handle.scope
}

// paths are separated by colons, as in PATH.
func (r *Rules) paths(a asked, value string) (why string) {
	r.add(a)
	for _, p := range list(value, ":") {
		if p == "" || p[0] != '/' {
			return strconv.Quote(p) + " is not an absolute path (paths are separated by colons)"
		}
		if strings.IndexByte(p, 0) >= 0 {
			return strconv.Quote(p) + " holds a NUL"
		}
		r.Paths = append(r.Paths, Path{a.place, p, a.handle.fs})
	}
	return ""
}

// ports are decimal numbers, separated by commas.
func (r *Rules) ports(a asked, value string) (why string) {
	r.add(a)
	for _, p := range list(value, ",") {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || p[0] == '+' {
			return strconv.Quote(p) + " is not a port: want decimal numbers up to 65535, separated by commas"
		}
		r.Ports = append(r.Ports, Port{a.place, uint16(n), a.handle.net})
	}
	return ""
}

func (r *Rules) scopes(a asked, value string) (why string) {
	for _, name := range list(value, ",") {
		i := slices.IndexFunc(scopes[:], func(s scope) bool { return s.name == name })
		if i < 0 {
			return "unknown scope " + strconv.Quote(name) + ": want " + scopes[0].name + ", " + scopes[1].name + ", or both with a comma between"
		}
		a.handle.scope |= scopes[i].bit
	}
	if a.handle.scope == 0 {
		return "no scope is named: want " + scopes[0].name + ", " + scopes[1].name + ", or both with a comma between"
	}
	r.add(a)
	return ""
}

func (r *Rules) mode(_ asked, value string) (why string) {
	if r.bestEffort = value == "best-effort"; !r.bestEffort && value != "strict" {
		return "unknown mode " + strconv.Quote(value) + ": want strict or best-effort"
	}
	return ""
}

// list splits a value; an empty one holds nothing.
func list(value, separator string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, separator)
}

// letMove allows to move and link files from one directory to another wherever
// writing isn't restricted: a rule set that handles any access to files
// refuses that by itself (landlock(7), LANDLOCK_ACCESS_FS_REFER).
func (r *Rules) letMove() {
	if r.FS == 0 || r.FS&refer != 0 {
		return
	}
	r.FS |= refer
	for i := range r.asked {
		if a := &r.asked[i]; a.handle.fs != 0 {
			a.handle.fs |= refer
			r.Paths = append(r.Paths, Path{a.place, "/", refer})
			return
		}
	}
}
