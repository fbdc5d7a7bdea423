package resctrl

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Make makes the group's directory, if it is missing, writes its schemata and
// makes the monitoring group. Undo takes that back, whatever of it was done.
func (g *Group) Make() error {
	if g.missing {
		err := Mkdir(g.Dir, 0o755)
		if err == unix.EEXIST { // another's, made since Look
			g.Own, g.missing = false, false
			if err := g.compare(); err != nil {
				return err
			}
			err = nil
		}
		if err == unix.ENOSPC {
			return &Fault{configPath + ".closID", "make " + g.Dir + ": this processor has no class of service left"}
		}
		if err != nil {
			return because("make "+g.Dir, err)
		}
	}
	if err := Write(g.Dir, g.Lines); err != nil {
		return err
	}
	if g.Monitor == "" {
		return nil
	}
	err := Mkdir(g.Monitor, 0o755)
	if g.monitored = err == nil; !g.monitored {
		why := err.Error()
		switch err {
		case unix.ENOSPC:
			why = "no monitoring group is left"
		case unix.ENOENT, unix.EPERM:
			why = "this machine's resctrl can't monitor"
		}
		return &Fault{configPath + ".enableMonitoring", "make " + g.Monitor + ": " + why}
	}
	return nil
}

// Undo takes back what Make did. Another container may have joined a group that
// has a closID meanwhile: then the group stays.
func (g *Group) Undo() error {
	if g.monitored {
		if err := remove(g.Monitor); err != nil {
			return err
		}
	}
	if g.missing {
		if b, err := read(g.Dir + "/tasks"); g.closID != "" && err == nil && len(b) > 0 {
			return nil
		}
		return remove(g.Dir)
	}
	if g.old == "" || !exists(g.Dir) {
		return nil
	}
	return write(g.Dir+"/schemata", g.old)
}

// Write writes schemata, a line each: resctrl refuses a whole write for one
// line, and tells why in info/last_cmd_status.
func Write(dir string, lines []Line) error {
	for _, l := range lines {
		if err := write(dir+"/schemata", l.Value+"\n"); err != nil {
			text := strconv.Quote(l.Value) + ": " + err.Error()
			if why := lastStatus(dir); why != "" {
				text += ": " + why
			}
			return &Fault{l.Path, text}
		}
	}
	return nil
}

// Schemata is what a group has, for a Write that puts it back.
func Schemata(dir string) ([]Line, error) {
	b, err := read(dir + "/schemata")
	if err != nil {
		return nil, err
	}
	var lines []Line
	for l := range strings.Lines(string(b)) {
		lines = append(lines, Line{Value: strings.TrimSpace(l)})
	}
	return lines, nil
}

// lastStatus is the kernel's word on what it refused; "" if there is none.
func lastStatus(dir string) string {
	for i := strings.LastIndexByte(dir, '/'); i > 0; i = strings.LastIndexByte(dir, '/') {
		if b, err := read(dir + "/info/last_cmd_status"); err == nil {
			if why := strings.TrimSpace(string(b)); why != "ok" {
				return strings.ReplaceAll(why, "\n", "; ")
			}
			return ""
		}
		dir = dir[:i]
	}
	return ""
}

// Join puts a process, with all of its later children, into a group, and into
// the monitoring group if there is one (IR-01).
func Join(dir, monitor string, pid int) error {
	for _, d := range [...]string{dir, monitor} {
		if d == "" {
			continue
		}
		if err := write(d+"/tasks", strconv.Itoa(pid)); err != nil {
			return because("join "+d, err)
		}
	}
	return nil
}

// Remove removes a container's monitoring group, and its control group if that
// is its own. What is gone already is no error.
func Remove(dir, monitor string, own bool) error {
	if monitor != "" {
		if err := remove(monitor); err != nil {
			return err
		}
	}
	if own && dir != "" {
		return remove(dir)
	}
	return nil
}

func remove(dir string) error {
	if err := Rmdir(dir); err != nil && err != unix.ENOENT {
		return because("remove "+dir, err)
	}
	return nil
}

func exists(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil
}

// read gives a file's content.
func read(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, because("open "+path, err)
	}
	defer unix.Close(fd)
	b := make([]byte, 0, 4096)
	for {
		if len(b) == cap(b) {
			b = append(b, make([]byte, cap(b))...)[:len(b)]
		}
		n, err := unix.Read(fd, b[len(b):cap(b)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, because("read "+path, err)
		case n == 0:
			return b, nil
		default:
			b = b[:len(b)+n]
		}
	}
}

// write gives an existing file one value in one write(2).
func write(path, value string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return because("open "+path, err)
	}
	defer unix.Close(fd)
	for {
		_, err := unix.Write(fd, []byte(value))
		if err == nil || err != unix.EINTR {
			return err
		}
	}
}

func because(what string, cause error) error { return &failure{what, cause} }

type failure struct {
	what  string
	cause error
}

func (f *failure) Error() string { return f.what + ": " + f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }
