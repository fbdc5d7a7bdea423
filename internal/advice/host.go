package advice

import (
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Host is the machine, as Facts. It opens no file by package os, which would want
// one more descriptor, for epoll(7), where perhaps none is left, and end the program.
type Host struct {
	Root     string                 // of the states that the verb worked with; "" if it isn't known
	StatusOf func(id string) string // for Status; may be nil
}

func (h *Host) UID() int { return os.Geteuid() }

func (h *Host) Status(id string) string {
	if h.StatusOf == nil {
		return ""
	}
	return h.StatusOf(id)
}

// Roots are the one that was used, and those of others that this user may see.
func (h *Host) Roots() (roots []string) {
	if h.Root == "" {
		return nil
	}
	others := []string{"/run/minirt"}
	if xdg := os.Getenv("XDG_RUNTIME_DIR"); xdg != "" {
		others = append(others, xdg+"/minirt")
	}
	for _, uid := range h.Names("/run/user") {
		others = append(others, "/run/user/"+uid+"/minirt")
	}
	roots = []string{h.Root}
	for _, root := range others {
		if !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	return roots
}

func (h *Host) Limit(resource int) uint64 {
	var limit unix.Rlimit
	unix.Prlimit(0, resource, nil, &limit)
	return limit.Max
}

func (h *Host) Read(path string) string {
	fd := within("/", path)
	if fd < 0 {
		return ""
	}
	defer unix.Close(fd)
	return strings.TrimSpace(contents(fd, 1<<20))
}

func (h *Host) Names(dir string) (names []string) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	for b := make([]byte, 8192); ; {
		n, err := unix.ReadDirent(fd, b)
		if n <= 0 || err != nil {
			slices.Sort(names)
			return names
		}
		_, _, names = unix.ParseDirent(b[:n], -1, names)
	}
}

func (h *Host) Look(root, path string) (f File) {
	fd := within(root, path)
	if fd < 0 {
		return f
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	var fs unix.Statfs_t
	if unix.Fstat(fd, &st) != nil || unix.Fstatfs(fd, &fs) != nil {
		return f
	}
	f = File{Mode: st.Mode, UID: st.Uid, GID: st.Gid, FS: int64(fs.Type), Flags: int64(fs.Flags), Blocks: fs.Bavail, Inodes: fs.Ffree}
	if fs.Files == 0 { // it doesn't count them
		f.Inodes = math.MaxUint64
	}
	f.Head = contents(fd, 4096)
	return f
}

func (h *Host) Link(root, path string) string {
	fd := held(root, path, unix.O_NOFOLLOW)
	if fd < 0 {
		return ""
	}
	defer unix.Close(fd)
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

// within holds what lies at a path inside a directory, without opening it; -1
// if nothing does. No link leads out of the directory.
func within(root, path string) int { return held(root, path, 0) }

// held is within, with one more flag of open(2).
func held(root, path string, flag int) int {
	if root == "/" { // the host's own, such as /proc/self/ns/net; and where openat2(2) is what failed
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|flag, 0)
		if err != nil {
			return -1
		}
		return fd
	}
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	defer unix.Close(dir)
	how := unix.OpenHow{Flags: uint64(unix.O_PATH | unix.O_CLOEXEC | flag), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	fd, err := unix.Openat2(dir, path, &how)
	if err != nil {
		return -1
	}
	return fd
}

// contents reads up to limit bytes of what is held, if that is a regular file.
func contents(file, limit int) string {
	var st unix.Stat_t
	if unix.Fstat(file, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return ""
	}
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(file), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	b := make([]byte, 0, min(limit, 1<<16))
	for len(b) < limit { // files of procfs come in pieces
		b = slices.Grow(b, 4096)
		n, err := unix.Read(fd, b[len(b):cap(b)])
		if n <= 0 || err != nil {
			break
		}
		b = b[:len(b)+n]
	}
	return string(b[:min(len(b), limit)])
}
