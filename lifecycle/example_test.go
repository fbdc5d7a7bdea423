package lifecycle_test

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/lifecycle"
	"golang.org/x/sys/unix"
)

// The examples make containers, for which these tests must be root's.
func TestMain(m *testing.M) {
	flag.Parse()
	if why := withoutExamples(); why != "" {
		skip := flag.Lookup("test.skip").Value
		if skip.String() == "" {
			skip.Set("^Example")
		} else {
			skip.Set(skip.String() + "|^Example")
		}
	}
	os.Exit(m.Run())
}

// withoutExamples tells why the examples can't run here, if so.
func withoutExamples() string {
	if os.Geteuid() != 0 {
		return "the examples need the rights of root"
	}
	if _, err := os.Stat("/bin/sh"); err != nil {
		return "the examples need a shell: " + err.Error()
	}
	return ""
}

func TestTheExamplesRun(t *testing.T) {
	if why := withoutExamples(); why != "" {
		t.Skip(why)
	}
}

// bundle makes a directory with a bundle that runs a program of this machine.
func bundle(program string, args ...string) (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "minirt-example")
	if err == nil {
		err = bundles.Deploy(filepath.Join(dir, "web"), bundles.Deployment{Program: program, Args: args})
	}
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

// A container's life: create makes it, up to the user's program; start runs the
// program; kill sends it a signal; delete takes all of it away.
func Example() {
	dir, remove := bundle("sleep", "60")
	defer remove()

	r := &lifecycle.Runtime{
		Root:          filepath.Join(dir, "states"),
		CgroupManager: lifecycle.CgroupDisabled,
	}
	if err := r.Create("web", lifecycle.CreateOptions{Bundle: filepath.Join(dir, "web")}); err != nil {
		log.Fatal(err)
	}
	defer r.Delete("web", true)

	s, err := r.State("web")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.ID, "is", s.Status)

	if err := r.Start("web"); err != nil {
		log.Fatal(err)
	}
	s, err = r.State("web")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.ID, "is", s.Status)

	if err := r.Kill("web", int(unix.SIGKILL), false); err != nil {
		log.Fatal(err)
	}
	for s.Status != "stopped" {
		time.Sleep(time.Millisecond)
		if s, err = r.State("web"); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(s.ID, "is", s.Status)

	if err := r.Delete("web", false); err != nil {
		log.Fatal(err)
	}
	_, err = r.State("web")
	fmt.Println(errors.Is(err, lifecycle.ErrNotExist))
	// Output:
	// web is created
	// web is running
	// web is stopped
	// true
}

// Run does it all: it waits for the program's end, and gives its exit status.
func ExampleRuntime_Run() {
	dir, remove := bundle("/bin/sh", "-c", "exit 3")
	defer remove()

	r := &lifecycle.Runtime{Root: filepath.Join(dir, "states"), CgroupManager: lifecycle.CgroupDisabled}
	status, err := r.Run("job", lifecycle.RunOptions{
		CreateOptions: lifecycle.CreateOptions{Bundle: filepath.Join(dir, "web")},
	})
	fmt.Println(status, err)
	// Output:
	// 3 <nil>
}

// Plan shows what the container's first process would do, and does nothing.
func ExampleRuntime_Plan() {
	dir, remove := bundle("/bin/sh", "-c", "exit 3")
	defer remove()

	r := &lifecycle.Runtime{Root: filepath.Join(dir, "states"), CgroupManager: lifecycle.CgroupDisabled}
	p, err := r.Plan("web", lifecycle.CreateOptions{Bundle: filepath.Join(dir, "web")})
	if err != nil {
		log.Fatal(err)
	}
	last := len(p.Steps) - 1
	fmt.Println(p.Line(last))
	fmt.Println(p.Steps[last].Origin)
	// Output:
	// execve(program, ["/bin/sh", "-c", "exit 3"], ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"])
	// process.args[0]
}

// What is wrong with a bundle is told with its place in config.json.
func ExampleRuntime_Create_error() {
	dir, remove := bundle("/bin/sh", "-c", "exit 3")
	defer remove()
	config := `{"ociVersion": "1.3.0", "root": {"path": "rootfs"}, "process": {"cwd": "tmp", "args": ["sh"], "user": {"uid": 0, "gid": 0}}}`
	if err := os.WriteFile(filepath.Join(dir, "web/config.json"), []byte(config), 0o644); err != nil {
		log.Fatal(err)
	}

	r := &lifecycle.Runtime{Root: filepath.Join(dir, "states"), CgroupManager: lifecycle.CgroupDisabled}
	fmt.Println(r.Create("web", lifecycle.CreateOptions{Bundle: filepath.Join(dir, "web")}))
	// Output:
	// create web: process.cwd: "tmp" is not absolute (config.json:1:72)
}
