package security

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// runtime is the runtime under attack, and ours tells that it is minirt.
var (
	runtime string
	ours    bool
)

const (
	sealed = "MINIRT_SECURITY_SEALED" // set in the process that has a mount namespace of its own
	inside = "MINIRT_SECURITY_INSIDE" // names the hostile program that this binary is to be
)

// TestMain puts all tests into a private mount namespace, so that a runtime
// that fails can't hurt the machine, and builds minirt.
func TestMain(m *testing.M) {
	if name := os.Getenv(inside); name != "" {
		os.Exit(hostile(name, os.Args[1:]))
	}
	if os.Geteuid() != 0 {
		os.Exit(m.Run()) // each test says why it skips
	}
	if os.Getenv(sealed) == "" {
		os.Exit(again())
	}
	os.Exit(under(m))
}

// again runs the tests once more, in their own mount namespace.
func again() int {
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = append(os.Environ(), sealed+"=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := c.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func under(m *testing.M) int {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Fprintln(os.Stderr, "private mounts:", err)
		return 1
	}
	// The containers' processes become ours, so that we learn their status.
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	runtime = os.Getenv("RUNTIME")
	ours = runtime == "" || filepath.Base(runtime) == "minirt"
	if runtime == "" {
		dir, err := os.MkdirTemp("", "minirt-security")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		os.Chmod(dir, 0o755)
		runtime = dir + "/minirt"
		build := exec.Command("go", "build", "-o", runtime, "./cmd/minirt")
		build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build minirt: %v\n%s", err, out)
			return 1
		}
	}
	if strings.HasPrefix(filepath.Base(runtime), "crun") { // of old refuses hybrid hosts
		if unix.Unmount("/sys/fs/cgroup/unified", unix.MNT_DETACH) == nil {
			unix.Mount("none", "/sys/fs/cgroup/unified", "tmpfs", 0, "mode=755") // where it leaves what it takes for cgroups
		}
	}
	return m.Run()
}
