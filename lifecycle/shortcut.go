package lifecycle

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// shortcutFile is a symbolic link in a container's directory. Its text is all
// that start and delete have to know of a container as plain as most are, so
// that package early of cmd/minirt can do them before Go begins:
//
//	1234                                the process
//	/sys/fs/cgroup/…/freezer.state      what tells that it isn't frozen; empty without a cgroup
//	=/sys/fs/cgroup/pids/…/web          to be removed, in this order,
//	-/sys/fs/cgroup/pids/…              "-" if nobody else is in there
//	!                                   there is more to do for delete
//
// A link is made, read and removed by one call each, and never half there.
const shortcutFile = "shortcut"

// maxShortcut is the longest text of a link (symlink(2): PATH_MAX).
const maxShortcut = unix.PathMax - 1

// leaveShortcut makes the link, if start is plain. Without it the verbs only
// take longer.
func (c *creation) leaveShortcut() {
	if text := c.shortcut(); text != "" {
		unix.Symlinkat(text, c.fd, shortcutFile)
	}
}

// plainStart tells whether start has only the gate to open.
func (r *Record) plainStart() bool { return r.Program && !r.Hooks }

// plainDelete tells whether delete has nothing but cgroups and the directory to
// remove.
func (r *Record) plainDelete() bool {
	return r.NewPID && !r.Hooks && len(r.Points) == 0 && len(r.Mounts) == 0 &&
		r.Scope.Name == "" && r.Rdt.Dir == "" && len(r.Devices) == 0 && len(r.NetDevices) == 0 && r.Log == (RecordLog{})
}

// shortcut is the text of the link; "" if start isn't plain, or if a link can't
// hold it.
func (r *Record) shortcut() string {
	if !r.plainStart() {
		return ""
	}
	freezer := ""
	if len(r.Cgroups) > 0 {
		if freezer = r.group().FreezerFile(); freezer == "" {
			return ""
		}
	}
	lines := append(make([]string, 0, 16), strconv.Itoa(r.Process.PID), freezer)
	if r.plainDelete() {
		lines = r.removals(lines)
	} else {
		lines = append(lines, "!")
	}
	text := strings.Join(lines, "\n")
	if len(text) > maxShortcut || strings.Count(text, "\n") != len(lines)-1 {
		return ""
	}
	return text
}

// removals adds the lines of the cgroups.
func (r *Record) removals(lines []string) []string {
	for _, d := range r.Cgroups {
		for i := len(d.Made) - 1; i >= 0; i-- {
			mark := "-"
			if d.Made[i] == d.Path {
				mark = "="
			}
			lines = append(lines, mark+d.Made[i])
		}
	}
	return lines
}
