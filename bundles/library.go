package bundles

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// A loader finds shared libraries as the dynamic loader of a program does, but
// without LD_LIBRARY_PATH, LD_PRELOAD and ld.so.preload, which the container
// doesn't have: ld.so(8), or for musl its ldso/dynlink.c.
type loader struct {
	tree  *tree
	arch  arch
	musl  bool
	main  *loaded             // the program
	self  string              // path of the loader itself, as the program names it
	dirs  []string            // where it looks at last
	cache map[string][]string // /etc/ld.so.cache: name → paths; glibc's alone
	names map[string]bool     // names of libraries that are done
	files map[string]bool     // real paths of libraries that are done
}

// loaded is an object with its place and with what asked for it.
type loaded struct {
	*object
	path   string // as it was looked up, for error texts
	origin string // the directory that $ORIGIN stands for
	by     *loaded
}

// libraries notes in t the loader of the program at file, which really lies at
// real, and all libraries that it needs, and those that they need. Those that
// aren't there are noted as missing.
func libraries(t *tree, program *object, file, real string) error {
	if program.interp == "" {
		return nil // static: it loads nothing
	}
	if !strings.HasPrefix(program.interp, "/") {
		return fmt.Errorf("%q: its loader %q isn't an absolute path", file, program.interp)
	}
	if _, err := t.addFile(program.interp); err != nil {
		return fmt.Errorf("%q needs the loader %w", file, err)
	}
	l, err := newLoader(t, program)
	if err != nil {
		return err
	}
	l.main = &loaded{object: program, path: file, origin: path.Dir(real)}
	t.loaders = append(t.loaders, l)
	return l.loadAll(l.main)
}

// loadAll loads what o needs, and what that needs, in the loader's own order: breadth first.
func (l *loader) loadAll(o *loaded) error {
	for queue := []*loaded{o}; len(queue) > 0; queue = queue[1:] {
		for _, name := range queue[0].needed {
			lib, err := l.load(name, queue[0])
			if errors.Is(err, errNotFound) {
				l.tree.lack(fmt.Sprintf("library %q not found: %q needs it", name, queue[0].path))
				continue
			}
			if err != nil {
				return err
			}
			if lib != nil {
				queue = append(queue, lib)
			}
		}
	}
	return nil
}

// loadNamed notes the library of that name as dlopen(3) would find it, and what
// it needs; errNotFound if it is nowhere.
func (l *loader) loadNamed(name string) error {
	lib, err := l.load(name, l.main)
	if err != nil || lib == nil {
		return err
	}
	return l.loadAll(lib)
}

// lack notes what is missing, once.
func (t *tree) lack(text string) {
	if !slices.Contains(t.missing, text) {
		t.missing = append(t.missing, text)
	}
}

// lacks is the error that says all that is missing.
func (t *tree) lacks() error {
	if len(t.missing) == 0 {
		return nil
	}
	return errors.New(strings.Join(t.missing, "; "))
}

func newLoader(t *tree, program *object) (*loader, error) {
	l := &loader{tree: t, arch: program.arch, self: program.interp, names: map[string]bool{}, files: map[string]bool{}}
	if strings.HasPrefix(path.Base(l.self), "ld-musl-") {
		l.musl = true
		dirs, err := muslDirs(t, l.self)
		l.dirs = dirs
		return l, err
	}
	l.dirs = glibcDirs(program.arch)
	cache, err := t.read("/etc/ld.so.cache", cacheMax)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l.cache = parseCache(cache)
	return l, nil
}

// load finds the library name for the object by and notes it; nil if it was
// noted before, or is the loader itself; errNotFound if it is nowhere.
func (l *loader) load(name string, by *loaded) (*loaded, error) {
	if l.names[name] || l.isSelf(name) {
		return nil, nil
	}
	for _, file := range l.candidates(name, by) {
		real, o, err := l.try(file)
		if err != nil {
			continue
		}
		l.names[name] = true
		if l.files[real] {
			return nil, nil
		}
		l.files[real] = true
		if _, err := l.tree.addFile(file); err != nil {
			return nil, err
		}
		if err := l.keepFindable(file, name); err != nil {
			return nil, err
		}
		return &loaded{object: o, path: file, origin: path.Dir(file), by: by}, nil
	}
	return nil, errNotFound
}

// errNotFound says that no library has the name.
var errNotFound = errors.New("library not found")

// try opens a candidate: the loader, too, passes over what isn't there, isn't
// a library or is one of another architecture.
func (l *loader) try(file string) (real string, o *object, err error) {
	e, err := l.tree.file(file)
	if err != nil {
		return "", nil, err
	}
	f, err := l.tree.open(e.path)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	o, err = readObject(f)
	if err == nil && o.arch != l.arch {
		err = errors.New("another architecture")
	}
	return e.path, o, err
}

// candidates are the paths where the loader looks for name, in its order.
func (l *loader) candidates(name string, by *loaded) []string {
	if strings.Contains(name, "/") {
		return []string{by.expand(name, l.arch)}
	}
	var files []string
	in := func(o *loaded, dirs []string) {
		for _, d := range dirs {
			if d = o.expand(d, l.arch); strings.HasPrefix(d, "/") { // relative ones depend on the caller's place
				files = append(files, path.Join(d, name))
			}
		}
	}
	if l.musl {
		// musl makes no difference between the two, and asks all who led here.
		for o := by; o != nil; o = o.by {
			in(o, or(o.runpath, o.rpath))
		}
	} else {
		// DT_RPATH holds for all below, but not beside a DT_RUNPATH; DT_RUNPATH for its own object alone.
		for o := by; o != nil && by.runpath == nil; o = o.by {
			if o.runpath == nil {
				in(o, o.rpath)
			}
		}
		in(by, by.runpath)
		files = append(files, l.cache[name]...)
	}
	in(by, l.dirs)
	return files
}

// isSelf tells whether name is the loader's own: musl's is the C library too,
// under each name that a C library has had.
func (l *loader) isSelf(name string) bool {
	if name == path.Base(l.self) {
		return true
	}
	if rest, ok := strings.CutPrefix(name, "lib"); ok && l.musl {
		base, _, dot := strings.Cut(rest, ".")
		return dot && slices.Contains([]string{"c", "pthread", "rt", "m", "dl", "util", "xnet"}, base)
	}
	return false
}

// keepFindable notes ld.so.cache beside a library that is found through it
// alone, in a directory where the loader wouldn't look by itself.
func (l *loader) keepFindable(file, name string) error {
	if slices.Contains(l.cache[name], file) && !slices.Contains(l.dirs, path.Dir(file)) {
		_, err := l.tree.addFile("/etc/ld.so.cache")
		return err
	}
	return nil
}

// expand puts in what $ORIGIN, $LIB and $PLATFORM stand for: ld.so(8), Dynamic string tokens.
func (o *loaded) expand(s string, a arch) string {
	if !strings.Contains(s, "$") {
		return s
	}
	lib := "lib"
	if m := multiarch(a); m != "" {
		lib += "/" + m
	}
	return strings.NewReplacer(
		"$ORIGIN", o.origin, "${ORIGIN}", o.origin,
		"$LIB", lib, "${LIB}", lib,
		"$PLATFORM", platform(a), "${PLATFORM}", platform(a),
	).Replace(s)
}

// read gives a whole file of the host, of at most limit bytes.
func (t *tree) read(file string, limit int64) ([]byte, error) {
	e, err := t.file(file)
	if err != nil {
		return nil, err
	}
	f, err := t.open(e.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%q: larger than %d bytes", file, limit)
	}
	return text, err
}

func or(a, b []string) []string {
	if a != nil {
		return a
	}
	return b
}
