// Command runtime-tools builds the validation programs of opencontainers/runtime-tools
// v0.9.0 (module suite), runs each against some runtimes, and writes their verdicts
// to hack/conformance/checklist/tools.txt, which docs/conformance.md is made of.
//
//	go run ./hack/conformance/runtime-tools [-guest] NAME=PROGRAM...
//
// The first runtime is minirt; the programs have runc's command line. It is called
// in the tree's root, by root. A program passes if it ends with status 0, prints no
// "not ok", and no error where it prints no check at all. poststart is a race
// between the hook and the program, and has three tries. With -guest, what fails for want of capabilities or
// AppArmor is run again, for the first runtime and for the guest's runc, in hack/vm's
// guest, which has them: "guest" is the verdict of those that pass there.
//
// The programs are built with a Go that doesn't raise the soft limit of open files
// when they start, as Go did before 1.19: one of them looks at that limit.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	suite   = "hack/conformance/runtime-tools/suite"
	verdict = "hack/conformance/checklist/tools.txt"
	module  = "github.com/opencontainers/runtime-tools"
)

// rich are the programs that need what the guest has.
var rich = []string{"linux_process_apparmor_profile", "linux_rootfs_propagation", "process_capabilities"}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runtime-tools:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	guest := len(args) > 0 && args[0] == "-guest"
	if guest {
		args = args[1:]
	}
	if len(args) == 0 {
		return errors.New("usage: runtime-tools [-guest] NAME=PROGRAM...")
	}
	dir, err := os.MkdirTemp("", "runtime-tools")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	programs, err := build(dir)
	if err != nil {
		return err
	}
	table := map[string][]string{}
	var names []string
	for i, arg := range args {
		name, command, _ := strings.Cut(arg, "=")
		names = append(names, name)
		wrapper, err := wrap(dir, i, command)
		if err != nil {
			return err
		}
		for _, p := range programs {
			table[p] = append(table[p], try(dir, p, wrapper))
			fmt.Println(name, p, table[p][i])
		}
		clear(dir, i, wrapper)
	}
	if guest {
		if err := inGuest(dir, args, table); err != nil {
			return err
		}
	}
	text := "program\t" + strings.Join(names, "\t") + "\n"
	for _, p := range programs {
		text += p + "\t" + strings.Join(table[p], "\t") + "\n"
	}
	return os.WriteFile(verdict, []byte(text), 0o644)
}

// build builds the programs into dir, and lays beside them what they look for there.
func build(dir string) (programs []string, err error) {
	overlay, err := lowLimit(dir)
	if err != nil {
		return nil, err
	}
	where, err := output("go", "-C", suite, "list", "-m", "-f", "{{.Dir}}", module)
	if err == nil {
		_, err = output("go", "-C", suite, "build", "-overlay", overlay, "-o", dir+"/", module+"/validation/...", module+"/cmd/runtimetest")
	}
	if err != nil {
		return nil, err
	}
	archives, err := filepath.Glob(filepath.Join(strings.TrimSpace(where), "rootfs-*.tar.gz"))
	for _, a := range archives {
		if b, err := os.ReadFile(a); err != nil || os.WriteFile(filepath.Join(dir, filepath.Base(a)), b, 0o644) != nil {
			return nil, fmt.Errorf("copy %s: %w", a, err)
		}
	}
	list, _ := os.ReadDir(dir)
	for _, f := range list {
		if !strings.Contains(f.Name(), ".") && f.Name() != "runtimetest" {
			programs = append(programs, f.Name())
		}
	}
	return programs, err
}

// lowLimit makes the overlay (go help build) in which package syscall leaves the limit alone.
func lowLimit(dir string) (overlay string, err error) {
	root, err := output("go", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	name := filepath.Join(strings.TrimSpace(root), "src/syscall/rlimit.go")
	b, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	ours := filepath.Join(dir, "rlimit.go")
	if err := os.WriteFile(ours, bytes.Replace(b, []byte("func init() {"), []byte("func raise() {"), 1), 0o644); err != nil {
		return "", err
	}
	b, err = json.Marshal(map[string]any{"Replace": map[string]string{name: ours}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, b, 0o644)
}

func output(name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	out, err := c.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, exit.Stderr)
	}
	return string(out), err
}

// wrap makes a program that calls the runtime with a state root of its own: the
// suite gives no flags. Flags of the runtime's may follow its name.
func wrap(dir string, number int, command string) (name string, err error) {
	name = filepath.Join(dir, fmt.Sprintf("runtime%d.sh", number))
	script := fmt.Sprintf("#!/bin/sh\nexec %s --root %s \"$@\"\n", command, states(dir, number))
	return name, os.WriteFile(name, []byte(script), 0o755)
}

// clear deletes the containers that the programs have left.
func clear(dir string, number int, wrapper string) {
	left, _ := os.ReadDir(states(dir, number))
	for _, c := range left {
		exec.Command(wrapper, "delete", "--force", c.Name()).Run()
	}
}

func states(dir string, number int) string { return fmt.Sprintf("%s/states%d", dir, number) }

// try runs a program; the one that is a race (reasons.txt) up to three times.
func try(dir, program, wrapper string) (verdict string) {
	for range 3 {
		if verdict = judge(dir, program, wrapper); verdict == "pass" || program != "poststart" {
			break
		}
	}
	return verdict
}

func judge(dir, program, wrapper string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "./"+program)
	c.Dir, c.Env, c.WaitDelay = dir, append(os.Environ(), "RUNTIME="+wrapper), time.Second
	out, err := c.Output()
	return read(out, err == nil)
}

var check = regexp.MustCompile(`(?m)^(not )?ok\b`)

// read reads what a program has printed (the Test Anything Protocol).
func read(out []byte, ended bool) string {
	checks := check.FindAll(out, -1)
	bad := slices.ContainsFunc(checks, func(c []byte) bool { return bytes.HasPrefix(c, []byte("not")) })
	if !ended || bad || len(checks) == 0 && bytes.Contains(out, []byte(`"error"`)) {
		return "fail"
	}
	return "pass"
}

// inGuest runs the rich programs that fail here in the guest.
func inGuest(dir string, args []string, table map[string][]string) error {
	_, ours, _ := strings.Cut(args[0], "=")
	b, err := os.ReadFile(strings.Fields(ours)[0])
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "minirt"), b, 0o755); err != nil {
		return err
	}
	const script = `cp -r . /tmp/w && cd /tmp/w || exit 1
echo 'profile acme_secure_profile flags=(attach_disconnected) { file, capability, network, mount, umount, signal, ptrace, pivot_root, unix, }' >p
apparmor_parser -r p || exit 1
printf '#!/bin/sh\nexec %s --root /run/w "$@"\n' "$1" >rt && chmod +x rt
RUNTIME=$PWD/rt ./"$2"`
	for i, arg := range args {
		name, command, _ := strings.Cut(arg, "=")
		f := strings.Fields(command)
		switch {
		case strings.HasPrefix(name, "minirt"):
			f[0] = "/tmp/w/minirt"
		case name == "runc":
			f = []string{"runc"}
		default:
			continue
		}
		for _, p := range rich {
			if table[p][i] == "pass" {
				continue
			}
			c := exec.Command("hack/vm/vm-test", "--timeout", "120", "--share", dir, "--", "sh", "-c", script, "sh", strings.Join(f, " "), p)
			out, err := c.Output()
			if read(out, err == nil) == "pass" {
				table[p][i] = "guest"
			}
			fmt.Println(name, p, table[p][i], "in the guest")
		}
	}
	return nil
}
