package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// docker.json is what the generator of github.com/moby/profiles/seccomp v0.3.0
// makes of its default profile for Docker's default capabilities on amd64.
//
//go:embed floor.c true.c pause.c default.json docker.json
var sources embed.FS

// tools are the programs that the bench builds on the spot.
type tools struct {
	dir                               string
	floor, true, pause, hello, minirt string // minirt is "" where it does not build
}

const helloGo = `package main

import "os"

func main() { os.Stdout.WriteString("hello, world\n") }
`

func build(dir string) (*tools, error) {
	t := &tools{dir: dir}
	var err error
	if t.floor, err = t.c("floor"); err != nil {
		return nil, err
	}
	if t.true, err = t.c("true"); err != nil {
		return nil, err
	}
	if t.pause, err = t.c("pause"); err != nil {
		return nil, err
	}
	hello := filepath.Join(dir, "hello.go")
	if err := os.WriteFile(hello, []byte(helloGo), 0o600); err != nil {
		return nil, err
	}
	if t.hello, err = t.golang("hello", dir, hello); err != nil {
		return nil, err
	}
	top, err := tree()
	if err != nil {
		return nil, err
	}
	if t.minirt, err = t.golang("minirt", top, "./cmd/minirt"); err != nil {
		fmt.Fprintln(os.Stderr, "bench: without minirt: "+err.Error())
		t.minirt = ""
	}
	return t, nil
}

// c builds one of the C sources that stand beside this file.
func (t *tools) c(name string) (string, error) {
	b, err := sources.ReadFile(name + ".c")
	if err != nil {
		return "", err
	}
	out := filepath.Join(t.dir, "bin-"+name)
	cmd := exec.Command("gcc", "-O2", "-static", "-s", "-x", "c", "-o", out, "-")
	cmd.Stdin = strings.NewReader(string(b))
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc %s.c: %w\n%s", name, err, msg)
	}
	return out, nil
}

// golang builds a Go program as a release of minirt is built.
func (t *tools) golang(name, dir, pkg string) (string, error) {
	out := filepath.Join(t.dir, "bin-"+name)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", name, err, msg)
	}
	return out, rewrite(out)
}

// rewrite writes a program anew, as every installation does. What the linker
// has written, through a mapping, lies in the page cache in single pages, which
// cost each start more to map: measured, minirt 0.2 ms, a hello world 0.05.
func rewrite(program string) error {
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := os.Remove(program); err != nil {
		return err
	}
	return os.WriteFile(program, text, 0o755)
}

// tree is the top of minirt's source tree, above the working directory.
func tree() (string, error) {
	d, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; d = filepath.Dir(d) {
		b, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && strings.HasPrefix(string(b), "module github.com/minirt/minirt\n") {
			return d, nil
		}
		if d == "/" {
			return "", errors.New("not inside minirt's source tree")
		}
	}
}

// The programs in a bundle.
const (
	trueProgram  = "/bin/true"
	pauseProgram = "/bin/pause"
)

// makeBundle makes the contender's bundle: the default config with a program
// that ends at once, or one that waits for ever.
func (t *tools) makeBundle(c *contender) error {
	root := filepath.Join(c.bundle, "rootfs")
	for _, d := range []string{"bin", "proc", "dev", "sys"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return err
		}
	}
	for program, built := range map[string]string{trueProgram: t.true, pauseProgram: t.pause} {
		b, err := os.ReadFile(built)
		if err == nil {
			err = os.WriteFile(root+program, b, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return c.configure(0)
}

// configure writes config.json: `runc spec`'s default without a terminal, the
// container in the contender's cgroup, with a memory limit of so many bytes if not 0.
func (c *contender) configure(memory int64) error {
	var config map[string]any
	if err := decode("default.json", &config); err != nil {
		return err
	}
	process, linux := config["process"].(map[string]any), config["linux"].(map[string]any)
	process["terminal"], process["args"] = false, []string{c.program}
	linux["cgroupsPath"] = c.group
	if memory != 0 {
		linux["resources"].(map[string]any)["memory"] = map[string]any{"limit": memory}
	}
	if c.profile {
		var profile map[string]any
		if err := decode("docker.json", &profile); err != nil {
			return err
		}
		if runtime.GOARCH != "amd64" {
			delete(profile, "architectures") // the machine's own is always in
		}
		linux["seccomp"] = profile
	}
	b, err := json.MarshalIndent(config, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.bundle, "config.json"), b, 0o644)
}

func decode(name string, v any) error {
	b, err := sources.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	return err
}
