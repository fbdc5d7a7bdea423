package advice

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// machine are rows of what the machine has run out of, or never had.
var machine = []row{
	{"no-inodes", "a file system has no room for one more file",
		"{} has no inodes left: remove files there, or name another directory with --root", func(f *Failure, h Facts) []string {
			return f.full(h, func(file File) bool { return file.Inodes < few })
		}},
	{"no-space", "a file system is full",
		"{} is full: make room there, or name another directory with --root", func(f *Failure, h Facts) []string {
			return f.full(h, func(file File) bool { return file.Blocks < few })
		}},
	{"too-many-mounts", "the mount namespace has as many mounts as a sysctl allows",
		"the sysctl fs.mount-max allows {} mounts in one mount namespace: unmount what is not needed here, or raise it", func(f *Failure, h Facts) []string {
			if f.Errno == unix.ENOSPC && (f.Call == "mount" || f.Call == "move_mount") {
				return only(h.Read("/proc/sys/fs/mount-max"))
			}
			return nil
		}},
	{"too-many-files", "minirt may open too few files",
		"the limit of open files is {}: raise it by ulimit -n 1024", func(f *Failure, h Facts) []string {
			if f.Errno == unix.EMFILE {
				return say(hardLimit(h, unix.RLIMIT_NOFILE))
			}
			return nil
		}},
	{"too-many-files-of-all", "all programs together have as many files open as the kernel allows",
		"as root: raise the sysctl fs.file-max, which is {}", func(f *Failure, h Facts) []string {
			if f.Errno == unix.ENFILE {
				return only(h.Read("/proc/sys/fs/file-max"))
			}
			return nil
		}},
	{"cgroup-pids-reached", "the cgroup that minirt runs in allows no more processes",
		"{} is {}: raise it, or end processes there", func(f *Failure, h Facts) []string {
			if f.Errno != unix.EAGAIN {
				return nil
			}
			for dir := pidsOf(h); len(dir) > len("/sys/fs/cgroup"); dir = path.Dir(dir) {
				most, err1 := strconv.Atoi(h.Read(dir + "/pids.max"))
				now, err2 := strconv.Atoi(h.Read(dir + "/pids.current"))
				if err1 == nil && err2 == nil && now+1 >= most {
					return say(dir+"/pids.max", itoa(most))
				}
			}
			return nil
		}},
	{"too-many-processes", "the user may have no more processes",
		"user {} may have {} processes: raise the limit by ulimit -u, or in /etc/security/limits.conf", func(f *Failure, h Facts) []string {
			if f.Errno != unix.EAGAIN || f.Spec == nil || h.UID() == 0 || h.Limit(unix.RLIMIT_NPROC) == unix.RLIM_INFINITY {
				return nil
			}
			return say(itoa(h.UID()), hardLimit(h, unix.RLIMIT_NPROC))
		}},
	{"kernel-too-old", "the kernel has not a system call that minirt takes",
		"this is Linux {}: minirt takes 5.14 or newer", func(f *Failure, h Facts) []string {
			if f.Errno != unix.ENOSYS {
				return nil
			}
			if release := h.Read("/proc/sys/kernel/osrelease"); older(release, 5, 14) {
				return say(release)
			}
			return nil
		}},
	{"call-filtered", "a seccomp filter of the caller's hides a system call that the kernel has",
		"the kernel has it, and a seccomp filter hides it: start the outer container with a newer seccomp profile (docker: --security-opt seccomp=unconfined)", func(f *Failure, h Facts) []string {
			if f.Errno == unix.ENOSYS && filtered(h) {
				return say()
			}
			return nil
		}},
}

// few is what a file system may have left again, after the failure has been undone.
const few = 16

// full names the mount that has run out of something: that of the state root, or of the bundle.
func (f *Failure) full(h Facts, out func(File) bool) []string {
	if f.Errno != unix.ENOSPC {
		return nil
	}
	for _, dir := range append(slices.Clone(h.Roots()), f.Rootfs, f.Bundle) {
		for ; dir != "" && dir != "/" && absent(h, dir); dir = path.Dir(dir) {
		}
		if file := h.Look("/", dir); dir != "" && file.Mode != 0 && file.FS != unix.BTRFS_SUPER_MAGIC && out(file) {
			return say(mountOf(h, dir).point)
		}
	}
	return nil
}

// pidsOf is the directory of the caller's own cgroup that counts processes; "" if it can't be found.
func pidsOf(h Facts) string {
	for line := range strings.Lines(h.Read("/proc/self/cgroup")) {
		w := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(w) != 3 {
			continue
		}
		for _, mount := range [...]string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
			if dir := path.Join(mount, w[2]); (w[1] == "pids" || w[1] == "") && !absent(h, dir+"/pids.max") {
				return dir
			}
		}
	}
	return ""
}

// older tells whether a release of Linux is before another.
func older(release string, major, minor int) bool {
	a, rest, _ := strings.Cut(release, ".")
	b, _, _ := strings.Cut(rest, ".")
	x, err1 := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	return err1 == nil && err2 == nil && (x < major || x == major && y < minor)
}

// filtered tells whether the caller has a seccomp filter (proc(5), status).
func filtered(h Facts) bool {
	return strings.Contains(h.Read("/proc/self/status"), "\nSeccomp:\t2\n")
}
