package explain

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// files are those of /proc/PID that are read (proc(5)).
var files = [...]string{
	"status", "stat", "limits", "oom_score_adj", "cmdline", "environ", "mountinfo", "cgroup", "uid_map", "gid_map", "timens_offsets",
	"personality", "attr/current", "attr/apparmor/current", "net/dev", "numa_maps", "cpu_resctrl_groups",
}

// most is how much of a file is read: a container's own words may be as long as it likes.
const most = 16 << 20

// Read adds to f what the kernel says of a process, pid, which is held by its
// pidfd. What can't be read is noted; the error is ESRCH where the process has
// ended meanwhile, and then nothing that was read counts.
func (f *Facts) Read(s *specs.Spec, pid, pidfd int) error {
	dir, err := open(pid, pidfd)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	f.Files, f.Links = make(map[string]Reading), make(map[string]Reading)
	for _, name := range files {
		f.Files[name] = read(dir, name)
	}
	for _, name := range [...]string{"cwd", "root"} {
		f.Links[name] = link(dir, name)
	}
	f.Own = namespacesIn("self")
	for _, n := range kernel.Namespaces {
		f.Links["ns/"+n.File] = link(dir, "ns/"+n.File)
	}
	f.joined(s)
	f.scheduling(pid)
	f.places(s, dir)
	f.sources(s)
	f.limits(s)
	if ended(pidfd) {
		return unix.ESRCH
	}
	return nil
}

// open opens /proc/PID. As long as the pidfd's process lives, the number is its
// own; and what was opened then stays its own.
func open(pid, pidfd int) (dir int, err error) {
	dir, err = unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil && ended(pidfd) {
		unix.Close(dir)
		err = unix.ESRCH
	}
	return dir, err
}

func ended(pidfd int) bool {
	p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, _ := unix.Poll(p, 0)
	return n > 0
}

// read reads a file below a directory.
func read(dir int, name string) (r Reading) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Reading{Err: err}
	}
	defer unix.Close(fd)
	b := make([]byte, 0, 4096)
	for len(b) < most {
		n, err := unix.Read(fd, b[len(b):cap(b)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return Reading{Err: err}
		}
		if n == 0 {
			break
		}
		if b = b[:len(b)+n]; len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
	return Reading{Text: string(b)}
}

func link(dir int, name string) Reading {
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, b)
	if err != nil {
		return Reading{Err: err}
	}
	return Reading{Text: string(b[:n])}
}

// Namespaces gives the namespaces of a process that is held by its pidfd, by file
// below /proc/PID/ns; nil where they can't be seen.
func Namespaces(pid, pidfd int) map[string]string {
	dir, err := open(pid, pidfd)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	return namespacesAt(dir)
}

// namespacesIn gives those of a directory of /proc.
func namespacesIn(process string) map[string]string {
	dir, err := unix.Open("/proc/"+process, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	return namespacesAt(dir)
}

func namespacesAt(dir int) map[string]string {
	m := make(map[string]string, len(kernel.Namespaces))
	for _, n := range kernel.Namespaces {
		m[n.File] = link(dir, "ns/"+n.File).Text
	}
	return m
}

// joined looks at the namespaces that have a path.
func (f *Facts) joined(s *specs.Spec) {
	f.Joined = make(map[string]Reading)
	if s.Linux == nil {
		return
	}
	for _, n := range s.Linux.Namespaces {
		if n.Path != "" {
			p := look(unix.AT_FDCWD, n.Path, 0)
			f.Joined[n.Path] = Reading{natural(p.Ino), p.Err}
		}
	}
}

// scheduling asks for what has no file: by the number, which is still the
// process's if it lives when Read ends.
func (f *Facts) scheduling(pid int) {
	if a, err := unix.SchedGetAttr(pid, 0); err == nil {
		f.Scheduler = a
	}
	const whoProcess = 1
	f.IOPriority = -1
	if n, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, whoProcess, uintptr(pid), 0); errno == 0 {
		f.IOPriority = int(n)
	}
}

// places looks at the files in the container that its configuration names: from
// outside, never out of its root, over no magic link. They are not opened, but
// looked at: a device or a FIFO hears nothing of it.
func (f *Facts) places(s *specs.Spec, dir int) {
	f.Places = make(map[string]Place)
	root, err := unix.Openat(dir, "root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(root)
	}
	for _, path := range paths(s) {
		if err != nil {
			f.Places[path] = Place{Err: err}
		} else {
			f.Places[path] = within(root, path)
		}
	}
}

// paths are the files in the container that a configuration names.
func paths(s *specs.Spec) []string {
	list := []string{"/"}
	for i := range s.Mounts {
		list = append(list, s.Mounts[i].Destination)
	}
	for _, n := range rootfs.Nodes(s) {
		list = append(list, n.Path)
	}
	if s.Linux != nil {
		list = append(append(list, s.Linux.MaskedPaths...), s.Linux.ReadonlyPaths...)
	}
	return list
}

// within looks at a path in the root.
func within(root int, path string) Place {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(root, path, &how)
	for tries := 0; err == unix.EAGAIN && tries < 8; tries++ { // something on the machine was renamed meanwhile
		fd, err = unix.Openat2(root, path, &how)
	}
	if err != nil {
		return Place{Err: err}
	}
	defer unix.Close(fd)
	return look(fd, "", unix.AT_EMPTY_PATH)
}

// look is statx(2), without waiting for a server of the file system.
func look(dir int, path string, flags int) Place {
	var st unix.Statx_t
	if err := unix.Statx(dir, path, flags|unix.AT_STATX_DONT_SYNC, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID, &st); err != nil {
		return Place{Err: err}
	}
	return Place{
		Mount: int(st.Mnt_id), Top: st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0,
		Dev: unix.Mkdev(st.Dev_major, st.Dev_minor), Ino: st.Ino, Rdev: unix.Mkdev(st.Rdev_major, st.Rdev_minor),
		Mode: uint32(st.Mode), UID: st.Uid, GID: st.Gid,
	}
}

// sources looks at the root and at the sources of binds, on the host.
func (f *Facts) sources(s *specs.Spec) {
	f.Sources = map[string]Place{f.Rootfs: look(unix.AT_FDCWD, f.Rootfs, 0)}
	for i := range s.Mounts {
		if m := &s.Mounts[i]; rootfs.IsBind(m) {
			f.Sources[m.Source] = look(unix.AT_FDCWD, rootfs.Source(m, f.Bundle), 0)
		}
	}
}

// limits reads the files of the cgroups that linux.resources has written to.
func (f *Facts) limits(s *specs.Spec) {
	f.Cgroup = make(map[string]Reading)
	if f.Group == nil || s.Linux == nil {
		return
	}
	early, late, err := cgroup.Compile(s.Linux.Resources, f.Group.Layout())
	if err != nil {
		return
	}
	for _, list := range [...][]cgroup.Write{early, late} {
		for i := range list {
			f.file(&list[i])
		}
	}
}

func (f *Facts) file(w *cgroup.Write) {
	for ; w != nil; w = w.Else {
		name := f.Group.FileOf(w)
		if name == "" {
			continue
		}
		if w.Controller == "devices" { // what is written there is read elsewhere
			name = strings.TrimSuffix(name, w.File) + "devices.list"
		}
		if _, ok := f.Cgroup[name]; !ok {
			f.Cgroup[name] = read(unix.AT_FDCWD, name)
		}
	}
}
