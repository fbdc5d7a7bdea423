package security

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minirt/minirt/bundles"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// box is one attack's place: a bundle, a canary outside it, a state root and a
// cgroup of its own.
type box struct {
	*testing.T
	dir     string // of all below
	bundle  string
	root    string // the bundle's root file system
	canary  string
	states  string
	cgroup  string // as cgroupsPath takes it
	spec    *specs.Spec
	form    string                   // of symbolic links
	config  func(text string) string // edits the config's text
	caller  func(c *exec.Cmd)        // edits how the runtime is called
	before  func()                   // called between create and start
	program string                   // the runtime
	flags   []string                 // of create and run
	global  []string                 // flags before the verb
}

// applets are the programs of busybox in the root file system.
var applets = []string{"sh", "true", "cat", "id", "grep", "ls", "mknod", "touch", "mkdir", "stat", "sleep", "pwd", "env", "dd", "head", "readlink", "mount"}

func newBox(t *testing.T) *box {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("needs a static busybox")
	}
	dir, err := os.MkdirTemp("/var/tmp", "attack") // not /tmp: SEC-37
	must(t, err)
	b := &box{T: t, dir: dir, bundle: dir + "/bundle", root: dir + "/bundle/rootfs", canary: dir + "/canary", states: dir + "/states",
		cgroup: "/minirt-test-" + strconv.Itoa(os.Getpid()) + "-" + filepath.Base(dir), form: "absolute", program: runtime}
	t.Cleanup(b.clear)
	must(t, os.Chmod(dir, 0o755))
	must(t, os.MkdirAll(b.root, 0o755))
	for _, d := range []string{"bin", "etc", "proc", "sys", "dev", "tmp", "mnt"} {
		must(t, os.Mkdir(b.root+"/"+d, 0o755))
	}
	program, err := os.ReadFile(busybox)
	must(t, err)
	must(t, os.WriteFile(b.root+"/bin/busybox", program, 0o755))
	for _, a := range applets {
		must(t, os.Symlink("busybox", b.root+"/bin/"+a))
	}
	must(t, os.Mkdir(b.canary, 0o700))
	must(t, os.WriteFile(b.canary+"/secret", []byte("secret"), 0o600))

	b.spec = bundles.Default(false)
	b.spec.Process.Terminal, b.spec.Process.Args = false, []string{"true"}
	b.spec.Linux.CgroupsPath = b.cgroup
	b.spec.Version = "1.0.2" // older runtimes are to take it
	return b
}

// clear removes what is left, whatever it is.
func (b *box) clear() {
	entries, _ := os.ReadDir(b.states)
	for _, e := range entries {
		exec.Command(runtime, "--root", b.states, "delete", "--force", e.Name()).Run()
	}
	for _, pid := range b.processes() {
		unix.Kill(pid, unix.SIGKILL)
		unix.Wait4(pid, nil, 0, nil)
	}
	for _, dir := range b.cgroups() {
		for range 50 {
			if err := unix.Rmdir(dir); err == nil || err == unix.ENOENT {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	for _, m := range mountsBelow(b.dir) {
		unix.Unmount(m, unix.MNT_DETACH)
	}
	os.RemoveAll(b.dir)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sh makes the container's program a script.
func (b *box) sh(script string) { b.spec.Process.Args = []string{"/bin/sh", "-c", script} }

// hostile makes the container's program one of those in hostile_test.go.
func (b *box) hostile(name string, args ...string) {
	self, err := os.Executable()
	must(b, err)
	must(b, os.WriteFile(b.root+"/hostile", nil, 0o755))
	b.mount(specs.Mount{Destination: "/hostile", Source: self, Options: []string{"bind", "ro"}})
	b.spec.Process.Args = append([]string{"/hostile"}, args...)
	b.spec.Process.Env = append(b.spec.Process.Env, inside+"="+name)
}

func (b *box) user(uid, gid uint32) {
	b.spec.Process.User = specs.User{UID: uid, GID: gid}
}

func (b *box) capable(names ...string) {
	b.spec.Process.Capabilities = &specs.LinuxCapabilities{Bounding: names, Effective: names, Permitted: names}
}

func (b *box) mount(m specs.Mount) { b.spec.Mounts = append(b.spec.Mounts, m) }

// first puts mounts before those of the default.
func (b *box) first(m ...specs.Mount) { b.spec.Mounts = append(m, b.spec.Mounts...) }

// unmount leaves out the default's mounts at and below a destination.
func (b *box) unmount(dest string) {
	var keep []specs.Mount
	for _, m := range b.spec.Mounts {
		if m.Destination != dest && !strings.HasPrefix(m.Destination, dest+"/") {
			keep = append(keep, m)
		}
	}
	b.spec.Mounts = keep
}

// without leaves out a namespace of the default.
func (b *box) without(kind specs.LinuxNamespaceType) {
	var keep []specs.LinuxNamespace
	for _, n := range b.spec.Linux.Namespaces {
		if n.Type != kind {
			keep = append(keep, n)
		}
	}
	b.spec.Linux.Namespaces = keep
}

func (b *box) namespace(kind specs.LinuxNamespaceType, path string) {
	b.without(kind)
	b.spec.Linux.Namespaces = append(b.spec.Linux.Namespaces, specs.LinuxNamespace{Type: kind, Path: path})
}

// users gives the container a user namespace whose root is uid 100000.
func (b *box) users() {
	b.namespace(specs.UserNamespace, "")
	m := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	b.spec.Linux.UIDMappings, b.spec.Linux.GIDMappings = m, m
}

// volume makes a directory on the host that the container's author can write to.
func (b *box) volume(name string) string {
	dir := b.dir + "/" + name
	must(b, os.MkdirAll(dir, 0o777))
	return dir
}

// bind mounts a directory or file of the host.
func (b *box) bind(source, dest string, options ...string) {
	b.mount(specs.Mount{Destination: dest, Source: source, Options: append([]string{"bind"}, options...)})
}

// link makes path in the image a symbolic link to target, an absolute path on
// the host, in one of the three ways that a hostile image may try.
func (b *box) link(path, target string) {
	b.Helper()
	must(b, os.RemoveAll(b.root+path))
	must(b, os.MkdirAll(filepath.Dir(b.root+path), 0o755))
	switch b.form {
	case "relative":
		target = strings.Repeat("../", 30) + target[1:]
	case "chain":
		hop := "/hop" + strconv.Itoa(len(path))
		os.Remove(b.root + hop)
		must(b, os.Symlink(strings.Repeat("../", 30)+target[1:], b.root+hop))
		target = hop
	}
	must(b, os.Symlink(target, b.root+path))
}

// write puts a file into the image.
func (b *box) write(path, content string, mode os.FileMode) {
	b.Helper()
	must(b, os.MkdirAll(filepath.Dir(b.root+path), 0o755))
	must(b, os.WriteFile(b.root+path, []byte(content), mode))
	must(b, os.Chmod(b.root+path, mode))
}

// outcome is what came of one container.
type outcome struct {
	refused        bool // by run, create or start
	verb           string
	status         int
	stdout, stderr string
	took           time.Duration
}

func (o outcome) String() string {
	return fmt.Sprintf("%s: refused %v, status %d, stdout %q, stderr %q", o.verb, o.refused, o.status, o.stdout, o.stderr)
}

// ways are those in which a container can be run.
var ways = []string{"run", "create"}

// complaint is what a runtime says, and no program of busybox.
var complaint = regexp.MustCompile(`^minirt: |level=error|^(?:[^:]*\x60.*\x60|[a-z0-9 ]+): [A-Z]`)

// adviceLine is what may follow an error, and is no part of it.
var adviceLine = regexp.MustCompile(`(?m)^minirt: advice: .*\n\z`)

// run runs the container in one of the ways, up to its end and its deletion.
func (b *box) run(way string) outcome {
	b.Helper()
	b.save()
	if way == "run" {
		o := b.call("run", b.making("run")...)
		o.refused = o.status != 0 && o.stdout == "" && complaint.MatchString(o.stderr)
		return o
	}
	if o := b.create(); o.refused {
		return o
	}
	defer b.call("delete", "delete", "--force", "c")
	if b.before != nil {
		b.before()
	}
	return b.start()
}

// create makes the container; its output goes to files in b.dir.
func (b *box) create() outcome {
	b.Helper()
	b.save()
	o := b.call("create", b.making("create", "--pid-file", b.dir+"/pid")...)
	o.refused = o.status != 0
	return o
}

// start starts the created container and waits for its end.
func (b *box) start() outcome {
	b.Helper()
	began := time.Now()
	o := b.call("start", "start", "c")
	if o.status != 0 {
		o.refused = true
		return o
	}
	o.status = b.wait(b.pid())
	o.took = time.Since(began)
	out, _ := os.ReadFile(b.dir + "/create.stdout")
	text, _ := os.ReadFile(b.dir + "/create.stderr")
	o.stdout, o.stderr = string(out), adviceLine.ReplaceAllString(string(text), "")
	return o
}

func (b *box) making(verb string, more ...string) []string {
	args := append(append([]string{verb}, more...), b.flags...)
	return append(args, "--bundle", b.bundle, "c")
}

func (b *box) pid() int {
	text, err := os.ReadFile(b.dir + "/pid")
	must(b, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(b, err)
	return pid
}

// wait gives the exit status of a container's process, a child of ours by now.
func (b *box) wait(pid int) int {
	b.Helper()
	var ws unix.WaitStatus
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		switch got, err := unix.Wait4(pid, &ws, unix.WNOHANG, nil); {
		case got == pid:
			return exitStatus(ws)
		case err != nil && err != unix.EINTR:
			b.Fatalf("wait for %d: %v", pid, err)
		}
	}
	b.Fatalf("the container's process %d did not end", pid)
	return -1
}

func exitStatus(ws unix.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// save writes config.json.
func (b *box) save() {
	b.Helper()
	text, err := json.MarshalIndent(b.spec, "", "\t")
	must(b, err)
	if b.config != nil {
		edited := b.config(string(text))
		if edited == string(text) {
			b.Fatal("the edit of config.json changed nothing")
		}
		text = []byte(edited)
	}
	must(b, os.WriteFile(b.bundle+"/config.json", text, 0o644))
}

// patience is how long a verb may take.
const patience = 15 * time.Second

// call calls the runtime. Its output goes to files: a container that outlives
// it would keep a pipe open.
func (b *box) call(verb string, args ...string) outcome {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, b.program, append(append([]string{"--root", b.states}, b.global...), args...)...)
	stdout, err := os.Create(b.dir + "/" + verb + ".stdout")
	must(b, err)
	defer stdout.Close()
	stderr, err := os.Create(b.dir + "/" + verb + ".stderr")
	must(b, err)
	defer stderr.Close()
	c.Stdout, c.Stderr = stdout, stderr
	if b.caller != nil {
		b.caller(c)
	}
	began := time.Now()
	err = c.Run()
	o := outcome{verb: verb, took: time.Since(began)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		b.Errorf("%s did not end within %v", verb, patience)
		o.status = -1
	case errors.As(err, &exit):
		o.status = exitStatus(unix.WaitStatus(exit.Sys().(syscall.WaitStatus)))
	case err != nil:
		b.Fatal(err)
	}
	out, _ := os.ReadFile(stdout.Name())
	text, _ := os.ReadFile(stderr.Name())
	o.stdout, o.stderr = string(out), adviceLine.ReplaceAllString(string(text), "")
	return o
}
