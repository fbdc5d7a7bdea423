package lifecycle

import (
	"os"
	"path"
	"strconv"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// LogOptions tell Create, and Run with Detach, what becomes of what the
// container says, and of its terminal if it has one. Without a driver its
// descriptors are the caller's own.
//
// With LogFile, a small process of its own writes each line to a file, with its
// time and its stream, in the form of the CRI's logs. It lives as long as the
// container does, or what has its output open, and keeps its exit status for
// Wait. If it is killed, the container gets SIGPIPE, or EPIPE; with a terminal
// SIGHUP.
type LogOptions struct {
	Driver  string // LogFile, LogNone, or ""
	Path    string // of the file; Path.1, Path.2 and so on are older ones
	MaxSize int    // bytes after which a new file begins, 0 for no limit; only a single line may be longer
	Files   int    // how many files there may be, Path among them, the oldest being removed; 1 where it is 0
	Program string // the minirt that is the writer; this program itself where empty
}

// The drivers, for LogOptions.Driver.
const (
	LogFile = "file"
	LogNone = "none" // the output goes nowhere
)

// mostLogName leaves room in a log's name for a dot before and a number behind it.
const mostLogName = 240

// logging is what is open of a container's log while it is being created.
type logging struct {
	on      bool
	path    string // absolute; "" if the output goes nowhere
	name    string // in its directory
	fresh   bool   // it wasn't there before
	dir     int
	file    int
	status  int    // the file exitFile
	sources [2]int // what the writer is to read: the ends of pipes; -1 with a terminal
	theirs  []int  // what the stage gets in the caller's descriptors' places
	writer  Proc
	pidfd   int // of the writer
}

// exitFile gets the exit status of a container with a log: decimal digits and a newline.
const exitFile = "exit"

// check refuses what can't be.
func (o *LogOptions) check(detach bool, console string) error {
	switch {
	case o.Driver == "":
		return nil
	case o.Driver != LogFile && o.Driver != LogNone:
		return text("--log-driver: " + quote(o.Driver) + " is neither file:PATH nor none")
	case !detach:
		return text("--log-driver needs --detach: in the foreground the output is the caller's to keep")
	case console != "":
		return text("--log-driver can't be used with --console-socket: who has the terminal has the output")
	case o.Driver == LogFile && (o.Path == "" || len(path.Base(o.Path)) > mostLogName):
		return text("--log-driver: " + quote(o.Path) + " can't be the path of a log")
	}
	return nil
}

// openLog opens the log, and puts the ends of pipes in the places of the
// container's standard output and error; with a terminal there is nothing to be
// replaced. Nobody else's terminal is left to it.
func (c *creation) openLog() error {
	o, l := &c.options.Log, &c.log
	if o.Driver == "" {
		return nil
	}
	*l = logging{on: true, dir: -1, file: -1, status: -1, sources: [2]int{-1, -1}, pidfd: -1}
	c.undo.add(c.endLog)
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return because("/dev/null", err)
	}
	l.theirs = append(l.theirs, null)
	if isTerminal(0) || c.outlets.wanted {
		c.files[0] = uintptr(null)
	}
	c.files[1], c.files[2] = uintptr(null), uintptr(null)
	if o.Driver == LogNone {
		l.file = null // for what a terminal says
		return nil
	}
	if err := l.open(o.Path); err != nil {
		return on("--log-driver", o.Path, "--log-driver: "+quote(o.Path), err)
	}
	if l.status, err = unix.Openat(c.fd, exitFile, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600); err != nil {
		return because(c.path+"/"+exitFile, err)
	}
	if c.outlets.wanted {
		return nil
	}
	for i := range l.sources {
		if err := c.pipe(i); err != nil {
			return because("a pipe for the log", err)
		}
	}
	return nil
}

// pipe makes the one of a stream. Its owner is the container's user, who could
// not open /dev/stdout else.
func (c *creation) pipe(i int) error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	c.log.sources[i] = ends[0]
	c.log.theirs = append(c.log.theirs, ends[1])
	c.files[1+i] = uintptr(ends[1])
	if p := c.spec.Process; p != nil {
		uid := p.User.UID
		if c.spec.Linux != nil {
			if id, ok := kernel.HostID(c.spec.Linux.UIDMappings, uid); ok {
				uid = id
			}
		}
		unix.Fchown(ends[1], int(uid), -1) // where it may not be, the user is the caller, or goes without
	}
	return nil
}

// open opens the log, which nobody else may be writing, at the beginning of a line.
func (l *logging) open(name string) (err error) {
	if !path.IsAbs(name) {
		wd, err := os.Getwd()
		if err != nil {
			return err
		}
		name = path.Join(wd, name)
	}
	l.path, l.name = path.Clean(name), path.Base(name)
	if l.dir, err = unix.Open(path.Dir(l.path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	const flags = unix.O_RDWR | unix.O_APPEND | unix.O_CREAT | unix.O_NOFOLLOW | unix.O_NOCTTY | unix.O_NONBLOCK | unix.O_CLOEXEC
	l.file, err = unix.Openat(l.dir, l.name, flags|unix.O_EXCL, 0o640)
	if l.fresh = err == nil; err == unix.EEXIST {
		l.file, err = unix.Openat(l.dir, l.name, flags, 0o640)
	}
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err = unix.Fstat(l.file, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return text("not a regular file")
	}
	if err := l.lock(); err != nil {
		return err
	}
	last := []byte{'\n'}
	if _, err := unix.Pread(l.file, last, st.Size-1); st.Size > 0 && err == nil && last[0] != '\n' { // of a writer that was killed
		_, err = unix.Write(l.file, []byte{'\n'})
		return err
	}
	return nil
}

// lock locks the log for its writer: the writer of a container that has just
// been deleted gets a moment to end.
func (l *logging) lock() error {
	const tries, pause = 100, 10 // milliseconds
	for range tries {
		err := unix.Flock(l.file, unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			return err
		}
		unix.Poll(nil, pause)
	}
	return text("it is the log of another container that runs")
}

// closeTheirs closes what the stage has by now.
func (l *logging) closeTheirs() {
	for _, fd := range l.theirs {
		if fd != l.file {
			unix.Close(fd)
		}
	}
	l.theirs = nil
}

// close closes what the writer has by now.
func (l *logging) close() {
	if !l.on {
		return
	}
	l.closeTheirs()
	for _, fd := range [...]*int{&l.file, &l.dir, &l.status, &l.sources[0], &l.sources[1], &l.pidfd} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
		}
	}
}

// limits are the writer's arguments for the sizes of files.
func (o *LogOptions) limits() (size, files string) {
	return strconv.Itoa(o.MaxSize), strconv.Itoa(max(o.Files, 1))
}
