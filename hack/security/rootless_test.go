package security

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/minirt/minirt/bundles"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// ordinary makes the caller an ordinary user, with the config that `spec
// --rootless` writes for such a one.
func (b *box) ordinary() {
	const id = 1000
	if text, _ := os.ReadFile("/proc/sys/user/max_user_namespaces"); strings.TrimSpace(string(text)) == "0" {
		b.Skip("user namespaces are switched off here")
	}
	b.spec = bundles.Rootless(id, id, false)
	b.spec.Process.Terminal, b.spec.Process.Args, b.spec.Version = false, []string{"true"}, "1.0.2"
	b.states = b.volume("own") + "/states"
	must(b, os.Chown(b.dir+"/own", id, id))
	must(b, filepath.WalkDir(b.bundle, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, id, id)
	}))
	b.caller = func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
	}
	must(b, os.Chmod(b.dir, 0o777)) // for the pid file
}

// delegate makes cgroups that the ordinary user may write to.
func (b *box) delegate() {
	hierarchies, _ := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	for _, h := range hierarchies {
		must(b, os.Mkdir(filepath.Dir(h)+b.cgroup, 0o755))
		must(b, os.Chown(filepath.Dir(h)+b.cgroup, 1000, 1000))
	}
}

// What holds for root's containers holds for an ordinary user's.
func TestAnOrdinaryUsersContainerIsClosedAsWell(t *testing.T) {
	withstand(t, []attack{
		{
			sec: "SEC-12", is: "writing to the cgroups of the host, bound with /sys",
			bundle: func(b *box) {
				b.ordinary()
				b.delegate()
				b.unmount("/sys")
				b.mount(specs.Mount{Destination: "/sys", Source: "/sys", Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"}})
				b.mount(specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
				b.sh("ls -d /sys/fs/cgroup/*; for d in /sys/fs/cgroup /sys/fs/cgroup/* /sys/fs/cgroup/*" + b.cgroup + " /sys/kernel/*; do touch $d/x && echo WRITTEN; mkdir $d/y && echo WRITTEN; done; true")
			},
			says: "Read-only file system", never: "WRITTEN",
		},
		{
			sec: "SEC-12", is: "writing to a cgroup that is the user's own, with the config of spec --rootless",
			bundle: func(b *box) {
				b.ordinary()
				b.delegate()
				b.unmount("/sys/fs/cgroup")
				b.sh("for d in /sys/fs/cgroup/*" + b.cgroup + "; do touch $d/x && echo WRITTEN; mkdir $d/y && echo WRITTEN; done; true")
			},
			says: "/y': Read-only file system", never: "WRITTEN",
		},
		{
			sec: "SEC-43", is: "groups of the caller",
			bundle: func(b *box) {
				b.ordinary()
				b.spec.Process.User.AdditionalGids = []uint32{5}
			},
			refused: "additionalGids",
		},
		{
			sec: "SEC-23", is: "/dev is a link", links: true,
			bundle: func(b *box) {
				b.ordinary()
				own := b.volume("target")
				must(b, os.WriteFile(own+"/ptmx", nil, 0o666))
				must(b, os.Chown(own, 1000, 1000))
				b.unmount("/dev")
				b.link("/dev", own)
			},
			either: true,
			after: func(b *box) {
				if files, _ := filepath.Glob(b.dir + "/target/*"); len(files) != 1 {
					b.Errorf("made on the host: %v", files)
				}
			},
		},
		{
			sec: "SEC-15", is: "a descriptor of the caller's as the working directory",
			bundle: func(b *box) {
				b.ordinary()
				as := b.caller
				b.leak(9)
				leak := b.caller
				b.caller = func(c *exec.Cmd) { as(c); leak(c) }
				b.spec.Process.Cwd = "/proc/self/fd/9"
			},
			refused: "process.cwd",
		},
	})
}

// SEC-36: not even the user who made it can trace a container's process before the program runs.
func TestSEC36AnOrdinaryUsersStageCantBeTraced(t *testing.T) {
	b := newBox(t)
	b.ordinary()
	if o := b.create(); o.refused {
		t.Skipf("no containers of ordinary users here: %v", o)
	}
	c := exec.Command("/proc/self/exe", strconv.Itoa(b.pid()))
	c.Env = append(os.Environ(), inside+"=attach")
	b.caller(c)
	out, err := c.Output()
	must(t, err)
	if string(out) != "attach: operation not permitted\n" {
		t.Errorf("%s", out)
	}
	b.call("delete", "delete", "--force", "c")
}
