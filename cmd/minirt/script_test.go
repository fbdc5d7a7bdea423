package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
	"rsc.io/script"
	"rsc.io/script/scripttest"
)

// The test binary is minirt when it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "minirt" {
		main()
	}
	os.Exit(m.Run())
}

// TestScripts runs testdata/*.txt. Each script has a work directory, a state
// root ($ROOT) and a cgroup ($CGROUP, as cgroupsPath takes it) of its own, so
// that all of them run at once; when it ends, every container left in $ROOT is
// deleted, and so is the cgroup. Beside the commands of rsc.io/script there are
//
//	minirt [args...]               minirt with --root $ROOT before args
//	status N                       check the exit status of the last minirt
//	bundle name [program args...]  a bundle with busybox that runs the program, or /bin/true
//	edit file path JSON            set a value in a JSON file, as in: edit web/config.json mounts[0].type '"tmpfs"'
//	drop file path                 take a value out of a JSON file
//	advice name                    check which row of package advice has spoken in the last command
//
// and the conditions [root], [busybox] and [exists:path]. $MINIRT is minirt's own path, for `exec`.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts in testdata: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			runScript(t, file)
		})
	}
}

func runScript(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	work := t.TempDir()
	p := newPlace(t, work)
	s, err := script.NewState(ctx, work, p.env)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ExtractFiles(archive); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.clear(t) })
	scripttest.Run(t, p.engine(), s, file, bytes.NewReader(archive.Comment))
}

// A place is what a script has for itself.
type place struct {
	program string // a name of the test binary that makes it minirt
	root    string // of the states
	cgroup  string // absolute, below each hierarchy's root
	env     []string
	status  int // of the last minirt
}

func newPlace(t *testing.T, work string) *place {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	p := &place{
		program: filepath.Join(bin, "minirt"),
		root:    filepath.Join(work, ".state"),
		cgroup:  "/minirt-test-" + filepath.Base(filepath.Dir(bin)),
	}
	if err := os.Symlink(self, p.program); err != nil {
		t.Fatal(err)
	}
	p.env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + work,
		"TMPDIR=" + work,
		"WORK=" + work,
		"ROOT=" + p.root,
		"CGROUP=" + p.cgroup,
		"MINIRT=" + p.program,
	}
	return p
}

func (p *place) engine() *script.Engine {
	e := script.NewEngine()
	e.Cmds = scripttest.DefaultCmds()
	e.Cmds["minirt"] = p.minirt()
	e.Cmds["status"] = p.checkStatus()
	e.Cmds["bundle"] = p.bundle()
	e.Cmds["edit"] = edit()
	e.Cmds["drop"] = drop()
	e.Cmds["advice"] = checkAdvice()
	e.Conds = scripttest.DefaultConds()
	e.Conds["root"] = script.BoolCondition("the test runs as root", os.Geteuid() == 0)
	_, err := exec.LookPath("busybox")
	e.Conds["exists"] = script.PrefixCondition("<suffix> is a file or directory of the host", func(_ *script.State, name string) (bool, error) {
		_, err := os.Stat(name)
		return err == nil, nil
	})
	e.Conds["busybox"] = script.BoolCondition("the host has a busybox", err == nil)
	return e
}

// minirt is the program with the script's own state root. Its output goes to
// files: a container that outlives it would keep a pipe open, and a reader waiting.
func (p *place) minirt() script.Cmd {
	return script.Command(script.CmdUsage{
		Summary: "run minirt with the script's state root",
		Args:    "[args...]",
		Async:   true,
	}, func(s *script.State, args ...string) (script.WaitFunc, error) {
		dir, err := os.MkdirTemp(filepath.Dir(p.program), "output")
		if err != nil {
			return nil, err
		}
		c := exec.CommandContext(s.Context(), p.program, append([]string{"--root", p.root}, args...)...)
		c.Dir, c.Env = s.Getwd(), s.Environ()
		c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
		c.WaitDelay = 5 * time.Second
		for name, f := range map[string]*io.Writer{"stdout": &c.Stdout, "stderr": &c.Stderr} {
			file, err := os.Create(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			defer file.Close()
			*f = file
		}
		if err := c.Start(); err != nil {
			return nil, err
		}
		return func(*script.State) (stdout, stderr string, err error) {
			err = c.Wait()
			p.status = c.ProcessState.ExitCode()
			out, outErr := os.ReadFile(filepath.Join(dir, "stdout"))
			text, textErr := os.ReadFile(filepath.Join(dir, "stderr"))
			return string(out), string(text), errors.Join(err, outErr, textErr)
		}, nil
	})
}

func (p *place) checkStatus() script.Cmd {
	return script.Command(script.CmdUsage{
		Summary: "check the exit status of the last minirt",
		Args:    "N",
	}, func(s *script.State, args ...string) (script.WaitFunc, error) {
		if len(args) != 1 {
			return nil, script.ErrUsage
		}
		if args[0] != strconv.Itoa(p.status) {
			return nil, fmt.Errorf("it was %d", p.status)
		}
		return nil, nil
	})
}

// clear deletes what the script's containers have left.
func (p *place) clear(t *testing.T) {
	entries, _ := os.ReadDir(p.root)
	for _, e := range entries {
		if out, err := exec.Command(p.program, "--root", p.root, "delete", "--force", e.Name()).CombinedOutput(); err != nil {
			t.Errorf("delete %s: %v: %s", e.Name(), err, out)
		}
	}
	hierarchies, _ := filepath.Glob("/sys/fs/cgroup/*")
	for _, h := range append(hierarchies, "/sys/fs/cgroup") {
		removeCgroups(t, h+p.cgroup)
	}
}

// removeCgroups removes the cgroups at dir and below.
func removeCgroups(t *testing.T, dir string) {
	var dirs []string
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		if err := syscall.Rmdir(dirs[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("cgroup %s: %v", dirs[i], err)
		}
	}
}
