package explain

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"golang.org/x/sys/unix"
)

// Facts are what the kernel says of a container's process. Files and links that
// were not there to be read hold the error.
type Facts struct {
	Waiting bool              // the process stands at its gate: what start puts in force isn't yet
	Bundle  string            // the bundle's directory
	Rootfs  string            // the root directory on the host
	Group   *cgroup.Group     // nil where the container has none of its own
	Added   []string          // paths below the root of devices that were added later
	Others  []Neighbour       // other containers
	Param   map[string]string // kernel parameters in the container's namespaces, by path below /proc/sys
	NoParam error             // why there are none

	Files      map[string]Reading // below /proc/PID
	Links      map[string]Reading // likewise
	Own        map[string]string  // namespaces of the caller, by file below /proc/PID/ns
	Joined     map[string]Reading // namespaces that have a path, by it: inodes
	Scheduler  *unix.SchedAttr    // nil where it isn't told
	IOPriority int                // as of ioprio_get(2); -1 where it isn't told
	Places     map[string]Place   // files in the container, by path
	Sources    map[string]Place   // files on the host, by path
	Cgroup     map[string]Reading // files of the container's cgroups, by absolute path
}

// Reading is the text of a file, or why there is none.
type Reading struct {
	Text string
	Err  error
}

// Neighbour is another container with its namespaces, by file below /proc/PID/ns.
type Neighbour struct {
	ID         string
	Namespaces map[string]string
}

// Place is a file, as statx(2) has it. Owners are the caller's ids.
type Place struct {
	Err      error
	Mount    int  // the number of the mount that it lies on, as in mountinfo
	Top      bool // it is the root of that mount
	Dev, Ino uint64
	Rdev     uint64
	Mode     uint32 // with its type
	UID, GID uint32
}

// idRange is a line of a map of ids (user_namespaces(7)).
type idRange struct{ inside, outside, size uint64 }

func mapOf(r Reading) (list []idRange) {
	for line := range strings.Lines(r.Text) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		inside, err1 := strconv.ParseUint(f[0], 10, 32)
		outside, err2 := strconv.ParseUint(f[1], 10, 32)
		size, err3 := strconv.ParseUint(f[2], 10, 32)
		if err1 == nil && err2 == nil && err3 == nil {
			list = append(list, idRange{inside, outside, size})
		}
	}
	return list
}

// insideID is the id in the container behind one of the caller's; ok is false
// where none is mapped to it.
func insideID(list []idRange, id uint64) (inside uint64, ok bool) {
	for _, r := range list {
		if id >= r.outside && id-r.outside < r.size {
			return r.inside + id - r.outside, true
		}
	}
	return 0, false
}

// mount is a line of mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	id      int
	top     string // the directory of its file system that it shows
	point   string
	options []string // of the mount
	spread  []string // "shared:1", "master:2", "unbindable"
	fstype  string
	source  string
	super   []string // of the file system
}

// shows is what a mount is, in one line.
func (m *mount) shows() string {
	text := m.fstype + " " + m.source
	if m.top != "/" {
		text += " (" + m.top + ")"
	}
	text += " " + strings.Join(m.options, ",")
	super := make([]string, 0, len(m.super))
	for _, o := range m.super {
		if o != "rw" && o != "ro" {
			super = append(super, o)
		}
	}
	if len(super) > 0 {
		text += " " + strings.Join(super, ",")
	}
	for _, s := range m.spread {
		text += " " + s
	}
	return text
}

func (m *mount) has(option string) bool {
	for _, o := range m.options {
		if o == option {
			return true
		}
	}
	return false
}

// spreads tells whether one of the optional fields begins so.
func (m *mount) spreads(word string) bool {
	for _, s := range m.spread {
		if s == word || strings.HasPrefix(s, word+":") {
			return true
		}
	}
	return false
}
