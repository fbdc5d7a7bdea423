package bundles

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// maxScripts is how many interpreters may follow one another: as many as execve(2) takes.
const maxScripts = 5

// lineMax is how much of a script's first line the kernel reads (BINPRM_BUF_SIZE).
const lineMax = 256

// addProgram notes in t the program at an absolute path and all that can be
// seen to be needed to execute it: its libraries, or its interpreter and all
// that needs. It is the depth-th of the interpreters that follow one another.
func addProgram(t *tree, file string, depth int) error {
	if depth > maxScripts {
		return fmt.Errorf("%q: more than %d interpreters follow one another", file, maxScripts)
	}
	needed, err := addExecutable(t, file)
	for _, n := range needed {
		if err == nil {
			err = addProgram(t, n, depth+1)
		}
	}
	return err
}

// addExecutable notes one file that execve will be given, with its libraries;
// for a script, needed are the programs that must be noted as well.
func addExecutable(t *tree, file string) (needed []string, err error) {
	real, err := t.addFile(file)
	if err != nil {
		return nil, err
	}
	f, err := t.open(real)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm()&0o111 == 0 {
		return nil, fmt.Errorf("%q: %w: it isn't executable", file, unix.EACCES)
	}
	o, err := readObject(f)
	if errors.Is(err, errNotELF) {
		return script(t, f, file)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q: %w", file, err)
	case !o.program:
		return nil, fmt.Errorf("%q: an ELF file, but no program", file)
	case !runsHere(o.arch):
		return nil, fmt.Errorf("%q: made for another architecture (%s)", file, o.arch)
	case o.isLibrary():
		return nil, fmt.Errorf("%q: a shared library, and no program", file)
	case isAppImage(f):
		return nil, fmt.Errorf("%q: an AppImage, which mounts itself: unpack it with --appimage-extract, and deploy what comes out", file)
	}
	return nil, libraries(t, o, file, real)
}

// script reads in the first line of the script f what the kernel will execute
// (execve(2)): a path and at most one argument. Behind env(1) stands the name
// of the real interpreter, which is looked up where env will look inside.
func script(t *tree, f io.ReaderAt, file string) (needed []string, err error) {
	buf := make([]byte, lineMax)
	n, err := f.ReadAt(buf, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%q: %w", file, err)
	}
	line, ok := strings.CutPrefix(string(buf[:n]), "#!")
	if !ok {
		return nil, fmt.Errorf(`%q: neither an ELF program nor a script that begins with "#!"`, file)
	}
	line, _, whole := strings.Cut(line, "\n")
	line = strings.Trim(line, " \t")
	interp, arg := line, ""
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		interp, arg = line[:i], strings.Trim(line[i:], " \t")
	} else if !whole && n == lineMax {
		return nil, fmt.Errorf("%q: the interpreter's path is longer than the %d bytes that the kernel reads", file, lineMax)
	}
	if !strings.HasPrefix(interp, "/") {
		return nil, fmt.Errorf("%q: its interpreter %q isn't an absolute path", file, interp)
	}
	if _, err := t.file(interp); err != nil {
		return nil, fmt.Errorf("%q needs the interpreter %w", file, err)
	}
	name := ""
	if path.Base(interp) == "env" {
		name = envProgram(arg)
	}
	if name == "" {
		return []string{interp}, nil
	}
	if strings.Contains(name, "/") {
		return []string{interp, path.Join("/", name)}, nil // the container's cwd is /
	}
	found, err := lookUp(t.host, name, defaultPath)
	if err != nil {
		return nil, fmt.Errorf("%q needs the interpreter %w", file, err)
	}
	return []string{interp, found}, nil
}

// envProgram finds the program in the one argument that env(1) gets from a
// script: all of it, or after -S the first word that is neither an option nor NAME=VALUE.
func envProgram(arg string) string {
	rest, split := strings.CutPrefix(arg, "-S")
	if !split {
		if strings.HasPrefix(arg, "-") {
			return ""
		}
		return arg
	}
	for _, word := range strings.Fields(rest) {
		if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
			return word
		}
	}
	return ""
}
