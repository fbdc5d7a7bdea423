package lifecycle

import (
	"time"

	"github.com/minirt/minirt/internal/logfile"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// LogTime is how LogRecord has its time (package time).
const LogTime = logfile.Time

// A LogRecord is a line of a log, or a part of one.
type LogRecord = logfile.Record

// A Log reads what a container has said, and what it says.
type Log struct {
	*Runtime
	reader    *logfile.Reader
	container Proc
	begin     string // what was said before was another container's, which had the same log
	writer    int    // pidfd; -1 if it has ended
}

// OpenLog opens the log of a container that was made with LogFile. Of one that
// has stopped, all is there.
func (r *Runtime) OpenLog(id string) (l *Log, err error) {
	defer wrap("logs", id, &err)
	c, err := r.load(id)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if c.Log.Path == "" {
		return nil, text("it has no log, since its output is not minirt's: give --log-driver file:PATH to run --detach, or to create")
	}
	if c.status() == specs.StateStopped {
		c.finishLog()
	}
	reader, err := logfile.Open(c.Log.Path)
	if err != nil {
		return nil, because(c.Log.Path, err)
	}
	l = &Log{Runtime: r, reader: reader, container: c.Process, begin: logTime(c.Created), writer: -1}
	if fd, err := c.Log.Writer.open(); err == nil {
		l.writer = fd
	}
	return l, nil
}

// Close closes what is open.
func (l *Log) Close() {
	l.reader.Close()
	if l.writer >= 0 {
		unix.Close(l.writer)
	}
}

// logTime gives a time as records have it.
func logTime(created string) string {
	t, _ := time.Parse(time.RFC3339Nano, created)
	return t.UTC().Format(LogTime)
}

// Next gives the next record, and io.EOF where there is none yet. Its text is
// valid until the next call.
func (l *Log) Next() (LogRecord, error) {
	for {
		r, err := l.reader.Next()
		if err != nil || r.Time >= l.begin {
			return r, err
		}
	}
}

// Wait waits until there may be a next record. It gives false when there will be
// none: nobody writes the log any more, or nobody reads from the descriptor out
// any more, which may be -1.
func (l *Log) Wait(out int) bool {
	if l.writer >= 0 && l.reader.Wait(l.writer, out) {
		return true
	}
	if (l.writer < 0 || ended(l.writer, 0)) && l.container.alive() {
		l.warn("the writer of the log has been killed: what the container says is lost")
	}
	return false
}
