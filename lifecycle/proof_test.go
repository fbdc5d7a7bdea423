package lifecycle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// The proofs run real containers, as root, and count afterwards what is left
// of them on the host. They don't run in parallel: what one of them leaves
// must not be taken for another's.

// long tells that the rounds are to be complete, however long they take.
var long = os.Getenv("MINIRT_LONG") != ""

// proof is a place for containers of its own.
type proof struct {
	*Runtime
	t      testing.TB
	dir    string // holds all of it but the cgroups
	bundle string
	cgroup string // below each hierarchy's mount point
	before []string // the census before
	tty    string   // socket for terminals, "" if the bundle wants none
}

// newProof makes a place with a bundle of config.json's text, which gets a
// cgroup and a busybox.
func newProof(t testing.TB, config []byte) *proof {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make these containers")
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("the host has no busybox")
	}
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) // what is orphaned comes to us, and is counted
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // a mapped root must get to its root
		t.Fatal(err)
	}
	p := &proof{
		Runtime: &Runtime{Root: filepath.Join(dir, "states")},
		t:       t, dir: dir, bundle: filepath.Join(dir, "bundle"),
		cgroup: "/minirt-test-" + strconv.Itoa(os.Getpid()) + "-proof",
	}
	t.Cleanup(p.clear)
	p.layBusybox(busybox)
	p.configure(config)
	if err := os.Mkdir(p.Root, 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *proof) layBusybox(busybox string) {
	bin := filepath.Join(p.bundle, "rootfs/bin")
	b, err := os.ReadFile(busybox)
	if err == nil {
		err = os.MkdirAll(bin, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(bin, "busybox"), b, 0o755)
	}
	for _, name := range []string{"sh", "true", "cat", "sleep", "ls", "uname", "stat", "mkdir"} {
		if err == nil {
			err = os.Symlink("busybox", filepath.Join(bin, name))
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// configure writes config.json, with a cgroup of the test's.
func (p *proof) configure(config []byte) {
	p.t.Helper()
	var c map[string]any
	d := json.NewDecoder(bytes.NewReader(config))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		p.t.Fatal(err)
	}
	linux, _ := c["linux"].(map[string]any)
	if linux == nil {
		linux = map[string]any{}
		c["linux"] = linux
	}
	linux["cgroupsPath"] = p.cgroup + "/web"
	b, err := json.MarshalIndent(c, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(p.bundle, "config.json"), b, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// clear takes away what a test that failed has left.
func (p *proof) clear() {
	entries, _ := os.ReadDir(p.Root)
	for _, e := range entries {
		p.Delete(e.Name(), true)
	}
	for _, m := range p.mounts() {
		unix.Unmount(strings.Fields(m)[4], unix.MNT_DETACH)
	}
	for _, h := range hierarchies() {
		filepath.WalkDir(h+p.cgroup, func(name string, _ fs.DirEntry, _ error) error {
			b, _ := os.ReadFile(name + "/cgroup.procs")
			for _, pid := range strings.Fields(string(b)) {
				if n, err := strconv.Atoi(pid); err == nil {
					unix.Kill(n, unix.SIGKILL)
				}
			}
			return nil
		})
	}
	reap()
	for _, h := range hierarchies() {
		for range 3 {
			filepath.WalkDir(h+p.cgroup, func(name string, _ fs.DirEntry, _ error) error { os.Remove(name); return nil })
		}
	}
}

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

// ends waits until the container has stopped.
func (p *proof) ends(id string) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		reap()
		if s, err := p.State(id); err != nil || s.Status == "stopped" {
			return
		}
	}
	p.t.Fatal("the container's program doesn't end")
}

// terminals gives the place a socket that takes terminals, and hangs up at once:
// what reads from them comes to its end.
func (p *proof) terminals() {
	p.t.Helper()
	p.tty = filepath.Join(p.dir, "tty")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.tty, Net: "unix"})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			b, rights := make([]byte, 4096), make([]byte, 1024)
			_, n, _, _, _ := c.ReadMsgUnix(b, rights)
			messages, _ := unix.ParseSocketControlMessage(rights[:n])
			for i := range messages {
				fds, _ := unix.ParseUnixRights(&messages[i])
				for _, fd := range fds {
					unix.Close(fd)
				}
			}
			c.Close()
		}
	}()
}

// options are those for the place's bundle.
func (p *proof) options() CreateOptions { return CreateOptions{Bundle: p.bundle, ConsoleSocket: p.tty} }

// arguments are the same on the command line.
func (p *proof) arguments() []string {
	if p.tty == "" {
		return []string{"-b", p.bundle, "web"}
	}
	return []string{"-b", p.bundle, "--console-socket", p.tty, "web"}
}

// program is minirt's own, built once; where there is no Go, $MINIRT names it.
var program = sync.OnceValues(func() ([]byte, error) {
	if name := os.Getenv("MINIRT"); name != "" {
		return os.ReadFile(name)
	}
	dir, err := os.MkdirTemp("", "minirt-proof")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", dir+"/minirt", "github.com/minirt/minirt/cmd/minirt")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %v: %s", err, out)
	}
	return os.ReadFile(dir + "/minirt")
})

// minirt gives a command line that begins with minirt's program.
func (p *proof) minirt() []string {
	p.t.Helper()
	name := filepath.Join(p.dir, "minirt")
	if _, err := os.Stat(name); err == nil {
		return []string{name, "--root", p.Root}
	}
	b, err := program()
	if err == nil {
		err = os.WriteFile(name, b, 0o755)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return []string{name, "--root", p.Root}
}

// call is a program that has run, and what it said.
type call struct {
	status int // -1 where a signal ended it
	stdout string
	stderr string
}

// started is a program that runs. Its output goes to files without names, since
// a container that outlives it would keep a pipe open.
type started struct {
	*exec.Cmd
	out [2]*os.File
}

func start(t testing.TB, command ...string) *started {
	t.Helper()
	s := &started{Cmd: exec.Command(command[0], command[1:]...)}
	for i := range s.out {
		fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		s.out[i] = os.NewFile(uintptr(fd), "output")
	}
	s.Stdout, s.Stderr = s.out[0], s.out[1]
	reaping.Lock()
	if err := s.Start(); err != nil {
		reaping.Unlock()
		t.Fatal(err)
	}
	awaited.Store(s.Process.Pid, true)
	reaping.Unlock()
	return s
}

// wait gives the program 30 seconds.
func (s *started) wait(t testing.TB) (c call) {
	t.Helper()
	timer := time.AfterFunc(30*time.Second, func() { s.Process.Kill() })
	s.Wait()
	awaited.Delete(s.Process.Pid)
	if !timer.Stop() {
		t.Errorf("%q hangs", s.Args)
	}
	c.status = s.ProcessState.ExitCode()
	for i, text := range []*string{&c.stdout, &c.stderr} {
		b := make([]byte, 1<<20)
		n, _ := s.out[i].ReadAt(b, 0)
		*text = string(b[:n])
		s.out[i].Close()
	}
	return c
}
