package lifecycle

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// hierarchies are the mount points of cgroups.
var hierarchies = sync.OnceValue(func() (paths []string) {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.SplitSeq(string(b), "\n") {
		if before, after, ok := strings.Cut(line, " - "); ok && strings.HasPrefix(after, "cgroup") {
			paths = append(paths, strings.Fields(before)[4])
		}
	}
	return paths
})

// mounts are the lines of mountinfo that name the place.
func (p *proof) mounts() (lines []string) {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.Contains(line, p.dir) || strings.Contains(line, p.cgroup) {
			lines = append(lines, line)
		}
	}
	return lines
}

// census counts all that a container can leave: files, mounts, cgroups,
// processes, namespaces, sockets and descriptors, each with what can be told of it.
func (p *proof) census() (found []string) {
	add := func(kind, format string, args ...any) { found = append(found, kind+" "+fmt.Sprintf(format, args...)) }
	filepath.WalkDir(p.dir, func(name string, _ fs.DirEntry, err error) error {
		var st unix.Stat_t
		if err != nil || unix.Lstat(name, &st) != nil {
			add("file", "%s: %v", name, err)
			return nil
		}
		if st.Mode&unix.S_IFMT == unix.S_IFDIR {
			st.Size = 0 // a directory keeps the size that it once needed
		}
		add("file", "%s mode %o owner %d:%d device %d size %d links %d", name, st.Mode, st.Uid, st.Gid, st.Rdev, st.Size, st.Nlink)
		return nil
	})
	for _, m := range p.mounts() {
		add("mount", "%s", m)
	}
	for _, h := range hierarchies() {
		filepath.WalkDir(h+p.cgroup, func(name string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				add("cgroup", "%s", name)
			}
			return nil
		})
	}
	namespaces := map[string]bool{}
	for _, pid := range append(descendants(os.Getpid()), os.Getpid()) {
		name, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		add("process", "%d %s", pid, bytes.TrimSpace(name))
		links, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/ns/*")
		for _, l := range links {
			if target, err := os.Readlink(l); err == nil && !namespaces[target] {
				namespaces[target] = true
				add("namespace", "%s", target)
			}
		}
	}
	for _, e := range entries("/proc/self/fd") {
		if target, err := os.Readlink("/proc/self/fd/" + e); err == nil && target != "/proc/"+strconv.Itoa(os.Getpid())+"/fd" {
			add("descriptor", "%s %s", e, target)
		}
	}
	b, _ := os.ReadFile("/proc/net/unix")
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.Contains(line, p.dir) {
			add("socket", "%s", line)
		}
	}
	for _, e := range entries("/dev/shm") {
		add("shm", "%s", e)
	}
	slices.Sort(found)
	return found
}

func entries(dir string) (names []string) {
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// descendants are the processes below pid.
func descendants(pid int) (all []int) {
	lists, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, name := range lists {
		b, _ := os.ReadFile(name)
		for _, f := range strings.Fields(string(b)) {
			child, _ := strconv.Atoi(f)
			all = append(append(all, child), descendants(child)...)
		}
	}
	slices.Sort(all)
	return all
}

// reap buries the dead, as the init of a machine would, but for those that
// somebody waits for.
func reap() {
	reaping.Lock()
	defer reaping.Unlock()
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, name := range lists {
		b, _ := os.ReadFile(name)
		for _, f := range strings.Fields(string(b)) {
			pid, _ := strconv.Atoi(f)
			if _, awaited := awaited.Load(pid); !awaited {
				syscall.Wait4(pid, nil, unix.WNOHANG, nil)
			}
		}
	}
}

var (
	awaited sync.Map // the numbers of children that somebody waits for
	reaping sync.Mutex
)

// nothingLeft compares a census with what there was before. What is on its way
// out, such as a stage whose parent has been killed, gets a moment.
func (p *proof) nothingLeft(before []string, what string) bool {
	p.t.Helper()
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		reap()
		p.hangUp()
		diff := cmp.Diff(before, p.census())
		if diff == "" {
			return true
		}
		if time.Now().After(end) {
			p.t.Errorf("%s: the host is not as before (-before +after):\n%s", what, diff)
			return false
		}
	}
}
