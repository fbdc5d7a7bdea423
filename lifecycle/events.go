package lifecycle

import (
	"errors"
	"time"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/json"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Events gives lines of JSON to tell, each with its newline: at once and then
// at each interval the container's figures, and one each time that its memory
// ran out (cgroup.OOM). It ends with nil when the container does, with tell's
// first error, or when nobody reads from the descriptor out any more, of which
// it learns without a word to say; -1 is no descriptor.
//
// It waits in poll(2) alone: no thread, no timer, and no file is read between
// two lines.
func (r *Runtime) Events(id string, interval time.Duration, out int, tell func(line []byte) error) (err error) {
	defer wrap("events", id, &err)
	c, err := r.load(id)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.measurable(); err != nil {
		return err
	}
	pidfd, err := c.Process.open()
	if err == errGone {
		return c.measurable()
	}
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	oom, err := c.group().WatchOOM()
	if errors.Is(err, cgroup.ErrNoRights) {
		r.warn(err.Error() + ": nothing is told of memory that runs out")
		err = nil
	}
	if err != nil {
		return err
	}
	defer oom.Close()
	return (&watch{c, oom, pidfd, out, interval, tell}).run()
}

// measurable refuses a container that has no figures any more, or not yet.
func (c *container) measurable() error {
	if st := c.status(); st == specs.StateStopped || st == specs.StateCreating {
		return because("container with id "+c.ID+" is not running", ErrNotRunning)
	}
	return nil
}

// watch is what events waits with.
type watch struct {
	*container
	oom      *cgroup.OOM
	pidfd    int
	out      int
	interval time.Duration
	tell     func(line []byte) error
}

func (w *watch) run() error {
	for next := time.Now(); ; {
		ended := w.wait(time.Until(next))
		if w.oom != nil { // before the end: what ran out of memory has often ended
			for range w.oom.News() {
				if err := w.tell(eventJSON("oom", w.ID, nil)); err != nil {
					return err
				}
			}
		}
		if ended {
			return nil
		}
		if now := time.Now(); !now.Before(next) {
			if err := w.tell(StatsEvent(w.ID, w.stats())); err != nil {
				return err
			}
			next = now.Add(w.interval)
		}
	}
}

// wait waits for that time, or until there is something to do, and tells whether
// that is to end.
func (w *watch) wait(patience time.Duration) (end bool) {
	p := [...]unix.PollFd{{Fd: int32(w.pidfd), Events: unix.POLLIN}, {Fd: int32(w.out)}, {Fd: -1, Events: unix.POLLIN}}
	if w.oom != nil {
		p[2].Fd = int32(w.oom.FD)
	}
	t := unix.NsecToTimespec(int64(max(patience, 0)))
	if n, err := unix.Ppoll(p[:], &t, nil); n <= 0 || err != nil {
		return false
	}
	const broken = unix.POLLERR | unix.POLLHUP | unix.POLLNVAL
	return p[0].Revents != 0 || p[1].Revents&broken != 0
}

// StatsEvent is the line of events that tells figures.
func StatsEvent(id string, s *Stats) []byte { return eventJSON("stats", id, s) }

func eventJSON(kind, id string, s *Stats) []byte {
	b := json.AppendString([]byte(`{"type":`), kind)
	b = field(b, `,"id":`, id)
	if s != nil {
		b = s.AppendJSON(append(b, `,"data":`...))
	}
	return append(b, "}\n"...)
}
