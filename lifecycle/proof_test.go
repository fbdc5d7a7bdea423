package lifecycle

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
	cgroup string   // below each hierarchy's mount point
	before []string // the census before
	tty    string   // socket for terminals, "" if the bundle wants none
	flags  []string // more flags for create and run

	mutex   sync.Mutex
	masters []int // of the terminals that came
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
	b := changed(p.t, config, func(c map[string]any) {
		linux, _ := c["linux"].(map[string]any)
		if linux == nil {
			linux = map[string]any{}
			c["linux"] = linux
		}
		linux["cgroupsPath"] = p.cgroup + "/web"
	})
	if err := os.WriteFile(filepath.Join(p.bundle, "config.json"), b, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// changed gives a config's text with a change. Numbers stay what they are: the
// largest limits aren't a float64.
func changed(t testing.TB, config []byte, change func(config map[string]any)) []byte {
	t.Helper()
	var c map[string]any
	d := json.NewDecoder(bytes.NewReader(config))
	d.UseNumber()
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	change(c)
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return b
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

// ends waits until the container has stopped.
func (p *proof) ends(id string) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		reap()
		p.hangUp()
		if s, err := p.State(id); err != nil || s.Status == "stopped" {
			return
		}
	}
	p.t.Fatal("the container's program doesn't end")
}
