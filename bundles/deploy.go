package bundles

import (
	"fmt"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/spec"
)

// A Deployment is what a bundle is to hold, and how it is to be run.
type Deployment struct {
	Program string   // a path, or a name to look for along PATH
	Args    []string // its arguments
	Contents

	// Edit, if there is one, changes the configuration before it is written,
	// and before anything is made; an error of its is Deploy's own.
	Edit func(*specs.Spec) error

	// Interrupted, if there is one, is asked again and again: an error of its
	// ends the work, and is Deploy's own.
	Interrupted func() error
}

// Contents is what a root file system is to hold beside a program.
type Contents struct {
	With   []string // further programs, scripts and shared libraries, with all that they need
	Copies []Copy
	Data   []string // names of the table data
}

// Deploy makes a bundle at dir that runs a program of this machine: its root
// file system holds the program, its dynamic loader and its shared libraries,
// or, for a script, the interpreters that its first line asks for and theirs;
// and what else d names. Everything keeps its path, and so do the links on the
// way; modes are kept but for setuid and setgid, and the owner is root, or the
// caller without rights. A name without a slash is looked up along PATH. The
// caller's ids decide between Default and Rootless, which the bundle follows,
// with no terminal, with the name of dir as hostname and with /tmp in memory,
// unless something of d lies there: then it is read-only like all the rest.
//
// What can't be seen in a program isn't there unless d names it: libraries that
// it loads by dlopen (those of iconv, of PAM, plug-ins and modules; libgcc_s,
// which glibc loads when a thread is cancelled), the modules of Python or Perl,
// data files and other programs that it starts. Static programs mostly need
// nothing.
//
// The same d gives the same bundle, byte for byte, whenever and under whatever
// umask: what is copied has the time of its last change on the host, and what
// is made, config.json too, the epoch.
//
// dir must be absent, with its parent present, or empty; a new one is closed to
// other users. After an error nothing that Deploy made is left.
func Deploy(dir string, d Deployment) error {
	file, err := lookUp("", d.Program, os.Getenv("PATH"))
	if err != nil {
		return err
	}
	config, err := deployed(dir, file, d.Args)
	if err != nil {
		return err
	}
	t := newTree("")
	t.interrupted = d.Interrupted
	if err := addProgram(t, file, 0); err != nil {
		return err
	}
	if err := d.Contents.addTo(t); err != nil {
		return err
	}
	if !t.holds("/tmp") {
		config.Mounts = append(config.Mounts, specs.Mount{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs",
			Options: []string{"nosuid", "nodev", "mode=1777", "size=65536k"}})
	}
	if err := edited(config, d.Edit); err != nil {
		return err
	}
	if err := t.checkCovered(config.Mounts); err != nil {
		return err
	}
	if err := t.addBase(); err != nil {
		return err
	}
	return Make(dir, func(rootfs string) (*specs.Spec, error) { return config, layRootfs(rootfs, t) })
}

// edited has the configuration changed, and refuses what no container could be made of.
func edited(s *specs.Spec, edit func(*specs.Spec) error) error {
	if edit == nil {
		return nil
	}
	if err := edit(s); err != nil {
		return err
	}
	text, err := encode(s)
	if err == nil {
		_, _, err = spec.Load(text)
	}
	return err
}

// deployed is the configuration for the program at file.
func deployed(dir, file string, args []string) (*specs.Spec, error) {
	for _, s := range append([]string{file}, args...) {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("%q: not UTF-8, so config.json can't hold it", s)
		}
	}
	abs, err := lexical(dir)
	if err != nil {
		return nil, err
	}
	// A cgroup namespace is right on any host here: no name of the host's cgroups matters to the program.
	config := Default(true)
	if uid := os.Geteuid(); uid != 0 {
		config = Rootless(uint32(uid), uint32(os.Getegid()), true)
	}
	config.Process.Terminal = false
	config.Process.Args = append([]string{file}, args...)
	config.Process.Env = []string{"PATH=" + defaultPath}
	if name := path.Base(abs); IsHostname(name) {
		config.Hostname = name
	}
	return config, nil
}

// IsHostname tells whether a name is one by RFC 1123 and fits the kernel's 64 bytes.
func IsHostname(name string) bool {
	if name == "" || len(name) > 64 || strings.Contains(name, "..") {
		return false
	}
	for _, r := range name {
		if !isLetterOrDigit(r) && r != '-' && r != '.' {
			return false
		}
	}
	return isLetterOrDigit(rune(name[0])) && isLetterOrDigit(rune(name[len(name)-1]))
}

func isLetterOrDigit(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
