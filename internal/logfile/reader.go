package logfile

import (
	"bytes"
	"io"
	"path"
	"strconv"

	"golang.org/x/sys/unix"
)

// A Reader reads a log from its oldest file on.
type Reader struct {
	dir    int // of the log
	name   string
	file   int // that is being read; -1 before the first
	inode  uint64
	buffer []byte
	unread []byte // of buffer
	events int    // inotify(7); -1 without
	waits  bool   // somebody has waited
	ended  bool   // the writer has, or the log is complete, before the last read
	over   bool   // a newer file is there: this one has all that it will have
}

// Open opens the log whose newest file has the name.
func Open(name string) (*Reader, error) {
	dir, err := unix.Open(path.Dir(name), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &Reader{dir: dir, name: path.Base(name), file: -1, events: -1, buffer: make([]byte, 0, 64<<10)}, nil
}

// Close closes what is open.
func (r *Reader) Close() {
	for _, fd := range [...]int{r.dir, r.file, r.events} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// Next gives the next record, and io.EOF where there is none yet: it may be
// called again. A line without its end is none yet.
func (r *Reader) Next() (Record, error) {
	for {
		line, err := r.line()
		if err != nil {
			return Record{}, err
		}
		if rec, ok := Parse(line); ok {
			return rec, nil
		}
	}
}

// line gives the next line.
func (r *Reader) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(r.unread, '\n'); i >= 0 {
			line := r.unread[:i]
			r.unread = r.unread[i+1:]
			return line, nil
		}
		n, err := r.fill()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			continue
		}
		// At the end of this file. Only when there is a newer one, and nothing has
		// been put here since that was seen, nothing will.
		if r.over {
			r.over, r.unread = false, nil
			if err := r.turn(); err != nil {
				return nil, err
			}
			continue
		}
		next, _, err := r.successor()
		if err != nil {
			return nil, err
		}
		if next < 0 {
			return nil, io.EOF
		}
		unix.Close(next)
		r.over = true
	}
}

// fill reads more of the file.
func (r *Reader) fill() (n int, err error) {
	if r.file < 0 {
		return 0, nil
	}
	if len(r.unread) == 0 {
		r.unread = r.buffer[:0]
	} else if len(r.unread) == cap(r.unread) {
		bigger := make([]byte, len(r.unread), max(2*len(r.unread), cap(r.buffer)))
		copy(bigger, r.unread)
		r.unread = bigger
	}
	for {
		n, err = unix.Read(r.file, r.unread[len(r.unread):cap(r.unread)])
		if err != unix.EINTR {
			break
		}
	}
	r.unread = r.unread[:len(r.unread)+max(n, 0)]
	return max(n, 0), err
}

// turn goes on with the next file.
func (r *Reader) turn() error {
	next, inode, err := r.successor()
	if err != nil || next < 0 {
		return err
	}
	if r.file >= 0 {
		unix.Close(r.file)
	}
	r.file, r.inode = next, inode
	return nil
}

// successor opens the file that follows the one that is being read; -1 if that
// is the newest. A rotation moves each file to the next number, from the last
// one on: who goes through them from the first one on may meet a file twice,
// and a gap, but misses none. Where our own has been removed, the oldest follows.
func (r *Reader) successor() (fd int, inode uint64, err error) {
	fd = -1
	for i, gaps := 0, 0; gaps < 2; i++ {
		next, err := unix.Openat(r.dir, r.numbered(i), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == unix.ENOENT {
			gaps++
			continue
		}
		var st unix.Stat_t
		if err == nil {
			if err = unix.Fstat(next, &st); err != nil {
				unix.Close(next)
			}
		}
		if err != nil {
			return -1, 0, err
		}
		if gaps = 0; r.file >= 0 && st.Ino == r.inode {
			unix.Close(next)
			return fd, inode, nil
		}
		if fd >= 0 {
			unix.Close(fd)
		}
		fd, inode = next, st.Ino
	}
	return fd, inode, nil
}

func (r *Reader) numbered(i int) string {
	if i == 0 {
		return r.name
	}
	return r.name + "." + strconv.Itoa(i)
}

// Wait waits until there may be more to read. It gives false when nothing more
// comes: when the process of the pidfd writer has ended, or given up its lock of
// the log (flock(2)), or when nobody reads from the descriptor out any more; either
// may be -1. A log on a file system that tells no
// events (inotify(7)) is looked at once a second.
func (r *Reader) Wait(writer, out int) bool {
	if r.ended {
		return false
	}
	if !r.waits {
		r.waits = true
		r.watch()
		return true // what came before isn't told of
	}
	p := [...]unix.PollFd{{Fd: int32(r.events), Events: unix.POLLIN}, {Fd: int32(writer), Events: unix.POLLIN}, {Fd: int32(out)}}
	if _, err := unix.Poll(p[:], 1000); err != nil {
		return true // EINTR
	}
	for b, n := make([]byte, 4096), 1; n > 0; {
		n, _ = unix.Read(r.events, b)
	}
	const broken = unix.POLLERR | unix.POLLHUP | unix.POLLNVAL
	if p[2].Revents&broken != 0 {
		return false
	}
	r.ended = p[1].Revents != 0 || complete(r.dir, r.name) // what has been written meanwhile is still to be read
	return true
}

func (r *Reader) watch() {
	const events = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_CLOSE_WRITE
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return
	}
	unix.InotifyAddWatch(fd, "/proc/self/fd/"+strconv.Itoa(r.dir), events)
	r.events = fd
}
