package logfile

import "golang.org/x/sys/unix"

// Complete tells that a log is there, and that nobody writes it any more.
func Complete(name string) bool { return complete(unix.AT_FDCWD, name) }

// complete tells that nobody has the newest file locked (flock(2)). A writer locks
// each before it has its name; of one that has lost its name since it was opened,
// the lock says nothing.
func complete(dir int, name string) bool {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := unix.Openat(dir, name, flags, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) != nil {
		return false
	}
	var ours, named unix.Stat_t
	return unix.Fstat(fd, &ours) == nil && unix.Fstatat(dir, name, &named, unix.AT_SYMLINK_NOFOLLOW) == nil && ours.Ino == named.Ino
}
