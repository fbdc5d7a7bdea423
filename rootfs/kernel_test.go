package rootfs_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"syscall"
	"testing"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"github.com/minirt/minirt/internal/tree"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// box is a bundle that a test builds, and what happens to it.
type box struct {
	t      *testing.T
	bundle string
	root   string
	canary string
	spec   *specs.Spec

	namespaces uintptr
	files      []uintptr // further descriptors of the stage, from 4 on
	facts      rootfs.Facts
}

// newBox makes a busybox bundle beside a canary, in a mount namespace of the
// test's own thread, so that a failing runtime can't hurt the machine.
func newBox(t *testing.T) *box {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("there is no static /bin/busybox to fill a root file system with")
	}
	ownMounts(t)
	dir := t.TempDir()
	b := &box{t: t, bundle: dir + "/bundle", root: dir + "/bundle/rootfs", canary: dir + "/canary",
		namespaces: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET}
	b.mkdir("bin")
	b.mkdir("etc")
	must(t, os.WriteFile(b.root+"/bin/busybox", busybox, 0o755))
	must(t, os.Symlink("busybox", b.root+"/bin/sh"))
	must(t, os.Mkdir(b.canary, 0o700))
	must(t, os.WriteFile(b.canary+"/secret", []byte("secret"), 0o600))
	before := listing(t, b.canary)
	t.Cleanup(func() {
		if after := listing(t, b.canary); after != before {
			t.Errorf("the canary is not the same:\n%s\nwas\n%s", after, before)
		}
	})
	b.spec = &specs.Spec{
		Root:    &specs.Root{Path: "rootfs"},
		Process: &specs.Process{Cwd: "/", Args: []string{"sh"}},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
			{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
			{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace},
			{Type: specs.UTSNamespace}, {Type: specs.IPCNamespace}, {Type: specs.NetworkNamespace}}},
	}
	return b
}

// ownMounts gives the test's thread a mount namespace; the thread ends with the test.
func ownMounts(t *testing.T) {
	runtime.LockOSThread()
	must(t, unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS))
	must(t, unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *box) mkdir(path string) { must(b.t, os.MkdirAll(filepath.Join(b.root, path), 0o755)) }

func (b *box) mount(m specs.Mount) { b.spec.Mounts = append(b.spec.Mounts, m) }

// outside makes a directory outside of the bundle.
func (b *box) outside(name string) string {
	dir := filepath.Dir(b.bundle) + "/" + name
	must(b.t, os.MkdirAll(dir, 0o755))
	return dir
}

// result is what a container did.
type result struct {
	out    string
	look   error  // what Look or Make said
	failed string // the line of the step that failed
	errno  unix.Errno
	origin string
	words  string
	status int
}

func (r *result) refused() bool { return r.look != nil || r.failed != "" }

// look fills in the facts and makes the mount points.
func (b *box) look() (*mountpoint.Points, error) {
	b.facts = rootfs.Facts{Root: b.root, Bundle: b.bundle, OpenTreeAttr: !noOpenTreeAttr,
		MountNamespace: b.namespaces&unix.CLONE_NEWNS != 0, UserNamespace: b.namespaces&unix.CLONE_NEWUSER != 0,
		NoPivot: b.facts.NoPivot, Cgroups: b.facts.Cgroups, Aliases: b.facts.Aliases, CgroupNamespace: b.facts.CgroupNamespace}
	p, err := mountpoint.Look(b.spec, &b.facts, 0, 0)
	if err != nil {
		return nil, err
	}
	return p, p.Make()
}

// noOpenTreeAttr forces the path of kernels before 6.15.
var noOpenTreeAttr = os.Getenv("MINIRT_NO_OPEN_TREE_ATTR") != ""

// trees makes what the parent must make.
func (b *box) trees(points *mountpoint.Points) error {
	ids := &tree.IDs{UserNamespace: b.facts.UserNamespace, UID: b.spec.Linux.UIDMappings, GID: b.spec.Linux.GIDMappings}
	b.files = nil
	for _, i := range tree.Need(b.spec, &b.facts, ids) {
		m, err := tree.Make(b.spec, &b.facts, ids, i, points.Covered(i))
		if err != nil {
			return err
		}
		b.t.Cleanup(func() { unix.Close(m.FD) })
		b.facts.Mounts[i].Tree = 4 + len(b.files)
		b.files = append(b.files, uintptr(m.FD))
	}
	nodes, err := tree.Nodes(b.spec, &b.facts, ids)
	for _, m := range nodes {
		b.t.Cleanup(func() { unix.Close(m.FD) })
		b.facts.Devices[m.Index].Tree = 4 + len(b.files)
		b.files = append(b.files, uintptr(m.FD))
	}
	return err
}

// run builds the container and runs a script in it.
func (b *box) run(script string) *result {
	b.t.Helper()
	points, err := b.look()
	if points != nil {
		defer points.Close()
		defer func() { must(b.t, mountpoint.Remove(b.root, points.Missing())) }()
	}
	if err == nil {
		err = b.trees(points)
	}
	if err != nil {
		return &result{look: err}
	}
	// Other tests exchange names without pause, which openat2(2) answers with
	// EAGAIN, in the whole machine, where a link has "..". That isn't tested here.
	r := b.exec(script)
	for range 50 {
		if r.errno == unix.EAGAIN {
			r = b.exec(script)
		}
	}
	return r
}

// exec runs a script in the container that the facts tell how to build.
func (b *box) exec(script string) *result {
	b.t.Helper()
	p := newPlan()
	if b.facts.UserNamespace {
		p.Do(plan.Unshare, unix.CLONE_NEWUSER)
		p.Do(plan.Write, 1, "u", 1)
		p.Do(plan.Read, 0, p.Buffer("byte", make([]byte, 8)), 1).Set(plan.ZeroFails) // the maps are written
		p.Do(plan.Setgid, 0)
		p.Do(plan.Setuid, 0)
		p.Do(plan.Unshare, int(b.namespaces&^unix.CLONE_NEWUSER))
	}
	p.Do(plan.Umask, 0)
	rootfs.Pivot(p, b.spec, &b.facts, rootfs.Enter(p, b.spec, &b.facts))
	p.At("exec")
	p.Do(plan.Umask, 0o022)
	if b.facts.UserNamespace && b.namespaces&unix.CLONE_NEWPID != 0 {
		b.t.Fatal("the test's stage makes no second process")
	}
	argv, env := p.Strings([]string{"sh", "-c", script}), p.Strings([]string{"PATH=/bin"})
	p.Do(plan.CloseRange, 3, -1, unix.CLOSE_RANGE_CLOEXEC)
	p.Do(plan.Execve, "/bin/busybox", argv, env)
	return b.start(p)
}

func newPlan() *plan.Plan {
	a, _ := plan.ArchOf(runtime.GOARCH)
	return plan.New(a, 3)
}

// start runs a plan, with stdout and stderr on one pipe, and its report on descriptor 3.
func (b *box) start(p *plan.Plan) *result {
	b.t.Helper()
	image, err := stage.Image(p)
	must(b.t, err)
	fd, err := stage.Seal(image, b.t.TempDir())
	must(b.t, err)
	defer unix.Close(fd)
	var in, out, report [2]int
	for _, p := range []*[2]int{&in, &out, &report} {
		must(b.t, unix.Pipe2(p[:], unix.O_CLOEXEC))
	}
	born := b.namespaces
	if born&unix.CLONE_NEWUSER != 0 {
		born = 0 // an execve before the maps are written would lose the capabilities
	}
	files := append([]uintptr{uintptr(in[0]), uintptr(out[1]), uintptr(out[1]), uintptr(report[1])}, b.files...)
	pr, err := stage.Start(fd, []string{"stage"}, files, born, -1)
	must(b.t, err)
	unix.Close(in[0])
	unix.Close(out[1])
	unix.Close(report[1])
	if b.namespaces&unix.CLONE_NEWUSER != 0 {
		unix.Read(out[0], make([]byte, 1))
		b.maps(pr.PID)
	}
	unix.Write(in[1], []byte("x"))
	unix.Close(in[1])
	r := &result{out: string(drain(out[0]))}
	text := drain(report[0])
	var ws syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pr.PID, &ws, 0, nil); err != syscall.EINTR {
			break
		}
	}
	unix.Close(pr.PIDFD)
	r.status = ws.ExitStatus()
	if rep, ok := stage.ParseReport(text); ok {
		r.failed, r.errno, r.origin = p.Line(rep.Step), unix.Errno(rep.Errno), p.Steps[rep.Step].Origin
		r.words = rootfs.Explain(b.spec, &p.Steps[rep.Step], r.errno)
	}
	return r
}

func (b *box) maps(pid int) {
	proc := "/proc/" + itoa(pid)
	line := func(l []specs.LinuxIDMapping) []byte {
		var s strings.Builder
		for _, m := range l {
			s.WriteString(itoa(int(m.ContainerID)) + " " + itoa(int(m.HostID)) + " " + itoa(int(m.Size)) + "\n")
		}
		return []byte(s.String())
	}
	must(b.t, os.WriteFile(proc+"/uid_map", line(b.spec.Linux.UIDMappings), 0))
	must(b.t, os.WriteFile(proc+"/gid_map", line(b.spec.Linux.GIDMappings), 0))
}

func drain(fd int) []byte {
	defer unix.Close(fd)
	var all bytes.Buffer
	b := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, b)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			return all.Bytes()
		}
		all.Write(b[:n])
	}
}

// ok fails the test unless the container ran and its script ended with 0.
func (r *result) ok(t *testing.T) *result {
	t.Helper()
	if r.refused() || r.status != 0 {
		t.Fatalf("look: %v; step: %s: %v (%s; %q); status %d; output:\n%s", r.look, r.failed, r.errno, r.origin, r.words, r.status, r.out)
	}
	return r
}

// says fails the test unless the container's output is this.
func (r *result) says(t *testing.T, want string) {
	t.Helper()
	r.ok(t)
	if got := strings.TrimSpace(r.out); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// listing lists a tree: names, modes, owners, times, contents.
func listing(t *testing.T, dir string) string {
	var lines []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		must(t, unix.Lstat(path, &st))
		line := strings.TrimPrefix(path, dir) + " " + d.Type().String() + " " + itoa(int(st.Mode)) + " " + itoa(int(st.Uid)) + ":" + itoa(int(st.Gid)) + " " + itoa(int(st.Rdev))
		switch {
		case d.Type().IsRegular() && st.Size < 1<<16:
			b, err := os.ReadFile(path)
			must(t, err)
			line += " " + string(b)
		case d.Type()&fs.ModeSymlink != 0:
			l, err := os.Readlink(path)
			must(t, err)
			line += " -> " + l
		}
		lines = append(lines, line)
		return nil
	}))
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}
