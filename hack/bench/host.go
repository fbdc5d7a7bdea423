package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cgroupRoot = "/sys/fs/cgroup"

// isolate moves the driver into a mount namespace of its own, without the
// version 2 tree of a hybrid layout, by running itself again in there.
func isolate() error {
	const mark = "MINIRT_BENCH_ISOLATED"
	if os.Getenv(mark) != "" {
		return nil
	}
	runtime.LockOSThread() // the namespace is the thread's until exec
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("private mount namespace (needs root): %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	err := unix.Unmount(cgroupRoot+"/unified", unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("unmount the unified hierarchy: %w", err)
	}
	if err == nil { // crun takes the bare directory for a hierarchy, and would leave its cgroups there
		if err := unix.Mount("none", cgroupRoot+"/unified", "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("cover the unified hierarchy's place: %w", err)
		}
	}
	return unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), mark+"=1"))
}

// host is the bench's place on this machine: a directory, a cgroup in every
// version 1 hierarchy (or in version 2), /dev/null and a file for complaints.
type host struct {
	dir         string
	group       string   // path of the cgroup below each hierarchy
	hierarchies []string // directories of cgroupRoot, or "" for version 2
	home        string   // where the driver's CPU time was counted before
	null, log   *os.File
}

func openHost(dir string) (*host, error) {
	h := &host{dir: dir, group: "/minirt-bench-" + strconv.Itoa(os.Getpid())}
	var err error
	if h.null, err = os.OpenFile("/dev/null", os.O_RDWR, 0); err != nil {
		return nil, err
	}
	if h.log, err = os.OpenFile(filepath.Join(dir, "stderr"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("child subreaper: %w", err)
	}
	if err := h.findHierarchies(); err != nil {
		return nil, err
	}
	for _, d := range h.hierarchies {
		if err := makeGroup(filepath.Join(cgroupRoot, d, h.group)); err != nil {
			h.close()
			return nil, err
		}
	}
	// The driver and all that it starts are counted together, see cpuacct.
	h.moveTo(h.group)
	return h, nil
}

func (h *host) findHierarchies() error {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	for l := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSpace(l), ":", 3)
		if f[1] == "" {
			continue
		}
		d := strings.TrimPrefix(f[1], "name=")
		h.hierarchies = append(h.hierarchies, d)
		if strings.Contains(d, "cpuacct") {
			h.home = f[2]
		}
	}
	if len(h.hierarchies) == 0 {
		h.hierarchies = []string{""}
	}
	return nil
}

func (h *host) version2() bool { return h.hierarchies[0] == "" }

// makeGroup makes a cgroup; a new cpuset is empty until it has its parent's values.
func makeGroup(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
		b, err := os.ReadFile(filepath.Join(dir, "..", f))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f), b, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h *host) cpuacctDir(group string) string {
	for _, d := range h.hierarchies {
		if strings.Contains(d, "cpuacct") {
			return filepath.Join(cgroupRoot, d, group)
		}
	}
	return ""
}

func (h *host) moveTo(group string) {
	if d := h.cpuacctDir(group); d != "" {
		os.WriteFile(filepath.Join(d, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
	}
}

// cpuacct is the CPU time that the kernel has counted for the driver and all it
// ever started, or 0 where version 1's cpuacct is absent.
func (h *host) cpuacct() time.Duration {
	d := h.cpuacctDir(h.group)
	if d == "" {
		return 0
	}
	b, _ := os.ReadFile(filepath.Join(d, "cpuacct.usage"))
	n, _ := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return time.Duration(n)
}

// members are the processes in a container's cgroup.
func (h *host) members(group string) []int {
	var d string
	for _, d = range h.hierarchies {
		if d == "" || d == "pids" || d == "systemd" {
			break
		}
	}
	b, _ := os.ReadFile(filepath.Join(cgroupRoot, d, group, "cgroup.procs"))
	var pids []int
	for _, f := range strings.Fields(string(b)) {
		n, _ := strconv.Atoi(f)
		pids = append(pids, n)
	}
	return pids
}

// exists tells whether any hierarchy has the cgroup.
func (h *host) exists(group string) bool {
	for _, d := range h.hierarchies {
		if _, err := os.Stat(filepath.Join(cgroupRoot, d, group)); err == nil {
			return true
		}
	}
	return false
}

// clear ends what still runs in a container's cgroup and removes the cgroup.
func (h *host) clear(group string) {
	for _, pid := range h.members(group) {
		unix.Kill(pid, unix.SIGKILL)
	}
	for try := 0; len(h.members(group)) > 0 && try < 100; try++ {
		time.Sleep(10 * time.Millisecond)
		reapDead()
	}
	reapDead()
	for _, d := range h.hierarchies {
		os.Remove(filepath.Join(cgroupRoot, d, group))
	}
}

// close removes the bench's cgroups and what a failed contender left in them.
func (h *host) close() {
	h.moveTo(h.home)
	for _, d := range h.hierarchies {
		subs, _ := filepath.Glob(filepath.Join(cgroupRoot, d, h.group, "*/cgroup.procs"))
		for _, s := range subs {
			h.clear(h.group + "/" + filepath.Base(filepath.Dir(s)))
		}
	}
	for _, d := range h.hierarchies {
		os.Remove(filepath.Join(cgroupRoot, d, h.group))
	}
}

// mountRun puts a tmpfs where the state roots are to be: /run, where runtimes
// keep their state, is one on every Debian machine.
func mountRun(dir string) error {
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", run, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("tmpfs for the state roots: %w", err)
	}
	return nil
}
