package stage

import (
	"errors"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Seal puts an image into a file that nobody can change and that can be
// executed: a sealed memfd (memfd_create(2)). Where the sysctl
// vm.memfd_noexec forbids that, a nameless file in directory dir takes its
// place: the caller's own, never one like /tmp (SEC-37). The descriptor is
// close-on-exec.
func Seal(image []byte, dir string) (fd int, err error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err = unix.MemfdCreate("minirt", flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // before Linux 6.3 every memfd can be executed
		fd, err = unix.MemfdCreate("minirt", flags)
	}
	if err == unix.EACCES { // vm.memfd_noexec=2
		return nameless(image, dir)
	}
	if err != nil {
		return -1, failure("memfd_create: " + err.Error())
	}
	err = write(fd, image)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	}
	if err != nil {
		unix.Close(fd)
		return -1, failure("stage image: " + err.Error())
	}
	return fd, nil
}

// nameless writes the image into an O_TMPFILE of mode 0500 and opens that
// again for reading: a file that is open for writing can't be executed.
func nameless(image []byte, dir string) (int, error) {
	hint := func(err error) error {
		return failure("stage image: the sysctl vm.memfd_noexec=2 forbids to run it from a memfd, and " + dir +
			" can't serve instead (" + err.Error() + "): set vm.memfd_noexec to 0 or 1, or put --root on a file system that is not mounted noexec")
	}
	w, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o500)
	if err != nil {
		return -1, hint(err)
	}
	defer unix.Close(w)
	if err := unix.Fchmod(w, 0o500); err != nil { // whatever the umask
		return -1, hint(err)
	}
	if err := write(w, image); err != nil {
		return -1, hint(err)
	}
	name := path(w)
	var fs unix.Statfs_t
	if err := unix.Fstatfs(w, &fs); err == nil && fs.Flags&unix.ST_NOEXEC != 0 {
		return -1, hint(errors.New("mounted noexec"))
	}
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, hint(err)
	}
	return fd, nil
}

func write(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err != nil && err != unix.EINTR {
			return err
		}
		b = b[max(n, 0):]
	}
	return nil
}

func path(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// Process is a stage that has been started.
type Process struct {
	PID   int
	PIDFD int // refers to the process, close-on-exec; -1 where the kernel gave none
}

// Start runs a sealed image: argv is what ps shows, files become its
// descriptors 0, 1, 2 …, namespaces are the CLONE_NEW flags of new namespaces
// that it is born in, and cgroup, unless it is -1, is a directory of cgroup v2
// that it is born in (Linux 5.7). The stage has no environment.
func Start(image int, argv []string, files []uintptr, namespaces uintptr, cgroup int) (Process, error) {
	top := highest(files)
	if image <= top {
		high, err := unix.FcntlInt(uintptr(image), unix.F_DUPFD_CLOEXEC, top+1)
		if err == unix.EINVAL { // beyond RLIMIT_NOFILE
			err = unix.EMFILE
		}
		if err != nil {
			return Process{}, err
		}
		defer unix.Close(high)
		image = high
	}
	pidfd := -1
	sys := syscall.SysProcAttr{Cloneflags: namespaces, PidFD: &pidfd}
	if cgroup >= 0 {
		sys.UseCgroupFD, sys.CgroupFD = true, cgroup
	}
	pid, err := syscall.ForkExec(path(image), argv, &syscall.ProcAttr{Files: files, Sys: &sys})
	if err != nil {
		return Process{}, err
	}
	return Process{pid, pidfd}, nil
}

// highest is the highest descriptor that ForkExec may use in the child, before
// execve opens the image by its number: it first moves its own pipe, and each
// of files that is in the way, beyond all of them.
func highest(files []uintptr) int {
	top := len(files)
	for _, f := range files {
		top = max(top, int(f))
	}
	return top + len(files) + 3
}
