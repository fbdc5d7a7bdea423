package mountpoint

import (
	"time"

	"golang.org/x/sys/unix"
)

// Two containers may have the same root, and the second one's mounts may lie on
// what was made for the first. To remove a directory takes away the mounts that
// lie on it in every other namespace: the kernel asks nobody (rmdir(2) answers
// EBUSY for mounts of the caller's own namespace only). So what was made stays
// while another container is being created on the root, which a shared lock
// tells, or runs in it, which its processes tell.

// hold opens a root and takes the lock of one that a create works on, which is
// held until the descriptor is closed. A Remove that is under way is waited for,
// but not for long: anybody who can open the directory can lock it.
func hold(root string) (fd int, err error) {
	fd, err = unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == unix.EACCES {
		return unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	for range 100 {
		if err != nil || unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) != unix.EWOULDBLOCK {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return fd, err
}

// patience is how long a removal waits for a create, in milliseconds: one that
// fails for another reason leaves the points to us.
const patience = 1000

// inUse tells whether another create works on the root that fd has open, or a
// process has it for its root directory. If not, it leaves an exclusive lock on fd.
func inUse(fd int) bool {
	for tries := 0; unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK; tries++ {
		if tries == patience { // that create sees to it, if it doesn't fail before it has recorded anything
			return true
		}
		time.Sleep(time.Millisecond)
	}
	var root, st unix.Stat_t
	if unix.Fstat(fd, &root) != nil {
		return true
	}
	proc, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return true
	}
	defer unix.Close(proc)
	b := make([]byte, 16384)
	var names []string
	for {
		n, err := unix.ReadDirent(proc, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return true
		}
		if n == 0 {
			return false
		}
		_, _, names = unix.ParseDirent(b[:n], -1, names[:0])
		for _, name := range names {
			if name[0] < '1' || name[0] > '9' {
				continue
			}
			if unix.Fstatat(proc, name+"/root", &st, 0) == nil && st.Dev == root.Dev && st.Ino == root.Ino {
				return true
			}
		}
	}
}

// creating is the descriptor that holds this process's lock, -1 without one: a
// process makes one container at a time, and when that fails, its own lock must
// not keep it from undoing.
var creating = -1

// open opens a root for removing from it.
func open(root string) (fd int, own bool, err error) {
	if creating >= 0 {
		var a, b unix.Stat_t
		if unix.Stat(root, &a) == nil && unix.Fstat(creating, &b) == nil && a.Dev == b.Dev && a.Ino == b.Ino {
			return creating, true, nil
		}
	}
	fd, err = unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return fd, false, err
}
