package bundles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Deploy makes a bundle at dir that runs a program of this machine: its root
// file system holds the program, its dynamic loader and its shared libraries,
// or, for a script, the interpreters that its first line asks for and theirs.
// Everything keeps its path, and so do the links on the way; modes are kept but
// for setuid and setgid, and the owner is root, or the caller without rights.
// A name without a slash is looked up along PATH. The caller's ids decide
// between Default and Rootless, which the bundle follows, with no terminal,
// with the name of dir as hostname and with /tmp in memory, unless some of the
// program's own files lie there: then it is read-only like all the rest.
//
// What can't be seen in the files isn't there: libraries that a program loads
// by dlopen (those of iconv, of NSS beyond files, of PAM, plug-ins and modules;
// libgcc_s, which glibc loads when a thread is cancelled), the modules of
// Python or Perl, data files, locales, certificates and other programs that it
// starts. Put them into dir/rootfs. Static programs mostly need nothing.
//
// dir must be absent, with its parent present, or empty. After an error nothing
// that Deploy made is left.
func Deploy(dir, program string, args []string) error {
	file, err := lookUp("", program, os.Getenv("PATH"))
	if err != nil {
		return err
	}
	spec, err := deployed(dir, file, args)
	if err != nil {
		return err
	}
	t := newTree("")
	if err := addProgram(t, file, 0); err != nil {
		return err
	}
	if err := t.checkCovered(spec.Mounts); err != nil {
		return err
	}
	if !t.holds("/tmp") {
		spec.Mounts = append(spec.Mounts, specs.Mount{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs",
			Options: []string{"nosuid", "nodev", "mode=1777", "size=65536k"}})
	}
	t.addBase()
	return makeBundle(dir, spec, t)
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
	spec := Default(true)
	if uid := os.Geteuid(); uid != 0 {
		spec = Rootless(uint32(uid), uint32(os.Getegid()), true)
	}
	spec.Process.Terminal = false
	spec.Process.Args = append([]string{file}, args...)
	spec.Process.Env = []string{"PATH=" + defaultPath}
	if name := path.Base(abs); validHostname(name) {
		spec.Hostname = name
	}
	return spec, nil
}

// validHostname tells whether a name is one by RFC 1123 and fits the kernel's 64 bytes.
func validHostname(name string) bool {
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

// checkCovered refuses a program some of whose files the container couldn't
// see, since a file system of its own is mounted over them.
func (t *tree) checkCovered(mounts []specs.Mount) error {
	for _, e := range t.entries {
		for _, m := range mounts {
			if strings.HasPrefix(e.path, m.Destination+"/") {
				return fmt.Errorf("%q lies under %s, over which the container mounts its own", e.path, m.Destination)
			}
		}
	}
	return nil
}

// holds tells whether anything in the tree lies below dir.
func (t *tree) holds(dir string) bool {
	for _, e := range t.entries {
		if strings.HasPrefix(e.path, dir+"/") {
			return true
		}
	}
	return false
}

// addBase notes what every program expects: places to mount onto, and the names of root.
func (t *tree) addBase() {
	for _, dir := range []string{"/dev", "/etc", "/proc", "/sys"} {
		t.add(entry{path: dir, mode: fs.ModeDir | 0o755})
	}
	t.add(entry{path: "/root", mode: fs.ModeDir | 0o700})
	t.add(entry{path: "/tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777})
	t.add(entry{path: "/etc/group", mode: 0o644, text: "root:x:0:\n"})
	t.add(entry{path: "/etc/passwd", mode: 0o644, text: "root:x:0:0:root:/root:/bin/sh\n"})
}

// makeBundle makes the bundle, or takes back what it made of it.
func makeBundle(dir string, spec *specs.Spec, t *tree) (err error) {
	var made []string
	defer func() {
		for i := len(made) - 1; i >= 0 && err != nil; i-- {
			os.RemoveAll(made[i])
		}
	}()
	isNew, err := makeOrFindEmpty(dir)
	if err != nil {
		return fmt.Errorf("bundle %q: %w", dir, errnoOf(err))
	}
	if isNew {
		made = append(made, dir)
	}
	rootfs := path.Join(dir, spec.Root.Path)
	if err := os.Mkdir(rootfs, 0o700); err != nil {
		return err
	}
	made = append(made, rootfs)
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := t.lay(root); err != nil {
		return err
	}
	if err := root.Chmod(".", 0o755); err != nil {
		return err
	}
	return Write(dir, spec)
}

// makeOrFindEmpty makes dir, or finds it there with nothing in it.
func makeOrFindEmpty(dir string) (isNew bool, err error) {
	err = os.Mkdir(dir, 0o777)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	d, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0) // O_DIRECTORY: a FIFO would wait
	if err != nil {
		return false, err
	}
	defer d.Close()
	names, err := d.Readdirnames(1)
	if len(names) > 0 {
		return false, errors.New("exists and isn't empty")
	}
	if err == io.EOF {
		err = nil
	}
	return false, err
}
