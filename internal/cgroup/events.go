package cgroup

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"
)

// OOM tells of the times that a group's processes wanted more memory than its
// limit. FD becomes readable when there may be news.
type OOM struct {
	FD    int // an eventfd for version 1, an inotify descriptor for version 2
	dir   *Dir
	file  int    // of version 1 memory.oom_control, of version 2 memory.events
	count uint64 // version 2: oom_kill as it was last read
}

// WatchOOM begins to watch; nil if the group has no memory controller.
//
// Version 1 notifies of each time that the limit was hit and nothing could be
// reclaimed (Linux, cgroup-v1/memory.rst, chapter 10), version 2 of each
// process that was killed for it, below the group too (cgroup-v2.rst,
// memory.events).
func (g *Group) WatchOOM() (*OOM, error) {
	d := g.dir("memory")
	if d == nil {
		return nil, nil
	}
	o := &OOM{FD: -1, dir: d, file: -1}
	watch := o.watch1
	if d.V2 {
		watch = o.watch2
	}
	if err := watch(); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

func (o *OOM) watch1() (err error) {
	path := o.dir.Path + "/memory.oom_control"
	if o.file, err = open(path, unix.O_RDONLY); err != nil {
		return &PathError{Op: "open", Path: path, Err: err}
	}
	if o.FD, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return &PathError{Op: "eventfd for", Path: path, Err: err}
	}
	return write(o.dir.Path+"/cgroup.event_control", strconv.Itoa(o.FD)+" "+strconv.Itoa(o.file))
}

func (o *OOM) watch2() (err error) {
	path := o.dir.Path + "/memory.events"
	if o.file, err = open(path, unix.O_RDONLY); err != nil {
		return &PathError{Op: "open", Path: path, Err: err}
	}
	if o.FD, err = unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK); err != nil {
		return &PathError{Op: "inotify for", Path: path, Err: err}
	}
	if _, err = unix.InotifyAddWatch(o.FD, path, unix.IN_MODIFY); err != nil {
		return &PathError{Op: "watch", Path: path, Err: err}
	}
	o.count, _ = o.kills()
	return nil
}

// News is how often memory ran out since the last call. It doesn't wait.
func (o *OOM) News() uint64 {
	b := make([]byte, 4096)
	n, err := unix.Read(o.FD, b)
	if !o.dir.V2 {
		if err != nil || n != 8 || o.gone() {
			return 0
		}
		return binary.NativeEndian.Uint64(b)
	}
	now, ok := o.kills()
	if !ok || now < o.count {
		return 0
	}
	news := now - o.count
	o.count = now
	return news
}

// gone tells that the group has been removed, of which version 1 notifies as well.
func (o *OOM) gone() bool {
	_, err := unix.Pread(o.file, make([]byte, 1), 0)
	return err != nil
}

// kills reads oom_kill of memory.events.
func (o *OOM) kills() (n uint64, ok bool) {
	b := make([]byte, 4096)
	size, err := unix.Pread(o.file, b, 0)
	if err != nil {
		return 0, false
	}
	for rest := b[:size]; len(rest) > 0; {
		var l []byte
		l, rest = line(rest)
		if value, found := bytes.CutPrefix(l, []byte("oom_kill ")); found {
			n, err := strconv.ParseUint(string(value), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// Close ends the watch. It may be called for nil.
func (o *OOM) Close() {
	if o == nil {
		return
	}
	for _, fd := range [...]int{o.FD, o.file} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
