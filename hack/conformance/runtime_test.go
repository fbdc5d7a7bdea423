package conformance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var (
	program string // the runtime's
	ours    bool   // it is minirt, whose words and choices are known
	probe   string // the probe's program
	parent  = "/minirt-test-" + strconv.Itoa(os.Getpid())
)

// TestMain builds the runtime, unless RUNTIME names one, and the probe, and
// makes the cgroups that the containers' are made below: two runtimes that
// find a parent missing would race for it.
func TestMain(m *testing.M) { os.Exit(test(m)) }

func test(m *testing.M) int {
	if os.Geteuid() != 0 {
		return m.Run() // tests with containers skip
	}
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755) // a hook in a user namespace must get to the probe
	program, probe = os.Getenv("RUNTIME"), filepath.Join(dir, "probe")
	ours = program == "" || strings.Contains(filepath.Base(program), "minirt")
	if program == "" {
		program = filepath.Join(dir, "minirt")
		err = build(program, "../../cmd/minirt")
	}
	if name := os.Getenv("PROBE"); name != "" { // where there is no compiler
		probe = name
	} else {
		err = errors.Join(err, build(probe, "./probe"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, h := range hierarchies() {
		os.Mkdir(h+parent, 0o755)
		defer removeCgroups(h + parent)
	}
	return m.Run()
}

func build(out, dir string) error {
	c := exec.Command("go", "build", "-o", out, dir)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", dir, err, said)
	}
	return nil
}
