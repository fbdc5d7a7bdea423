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
//
// A link is made, read and removed by one call each, and never half there.
const shortcutFile = "shortcut"

// maxShortcut is the longest text of a link (symlink(2): PATH_MAX).
const maxShortcut = unix.PathMax - 1

// leaveShortcut makes the link, if the container is plain. Without it the verbs
// only take longer.
func (c *creation) leaveShortcut() {
	if text := c.shortcut(); text != "" {
		unix.Symlinkat(text, c.fd, shortcutFile)
	}
}

// plain tells whether start has only the gate to open, and delete nothing but
// cgroups and the directory to remove.
func (r *Record) plain() bool {
	return r.Program && r.NewPID && !r.Hooks && r.Listener == 0 && len(r.Points) == 0 && len(r.Mounts) == 0
}

// shortcut is the text of the link; "" if the container isn't plain, or if a
// link can't hold it.
func (r *Record) shortcut() string {
	if !r.plain() {
		return ""
	}
	freezer := ""
	if len(r.Cgroups) > 0 {
		if freezer = r.group().FreezerFile(); freezer == "" {
			return ""
		}
	}
	lines := append(make([]string, 0, 16), strconv.Itoa(r.Process.PID), freezer)
	for _, d := range r.Cgroups {
		mark := "="
		for i := len(d.Made) - 1; i >= 0; i-- {
			if d.Made[i] != d.Path {
				mark = "-"
			}
			lines = append(lines, mark+d.Made[i])
		}
	}
	for _, l := range lines {
		if strings.IndexByte(l, '\n') >= 0 {
			return ""
		}
	}
	if text := strings.Join(lines, "\n"); len(text) <= maxShortcut {
		return text
	}
	return ""
}
