package bundles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Empty tells whether c names nothing.
func (c Contents) Empty() bool { return len(c.With)+len(c.Copies)+len(c.Data) == 0 }

// addTo notes all of c in a tree that holds the bundle's program, if it has one.
func (c Contents) addTo(t *tree) error {
	for _, name := range c.With {
		if err := t.addWith(name); err != nil {
			return err
		}
	}
	for _, copy := range c.Copies {
		if err := t.addCopy(copy); err != nil {
			return err
		}
	}
	for _, name := range c.Data {
		if err := t.addData(name); err != nil {
			return err
		}
	}
	return t.lacks()
}

// addWith notes a program, a script or a shared library. What has no slash in
// its name is a program along PATH or else a library, which the loaders of the
// programs find.
func (t *tree) addWith(name string) error {
	file, err := lookUp(t.host, name, os.Getenv("PATH"))
	if err == nil {
		return t.addObject(file)
	}
	if strings.Contains(name, "/") || !strings.Contains(name, ".so") {
		return err
	}
	found := false
	for _, l := range t.loaders {
		err := l.loadNamed(name)
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		found = found || err == nil
	}
	if !found {
		return fmt.Errorf("%q: neither a program along PATH nor a library that the programs here would find", name)
	}
	return nil
}

// addObject notes the program, script or shared library at an absolute path.
func (t *tree) addObject(file string) error {
	e, err := t.file(file)
	if err != nil {
		return err
	}
	f, err := t.open(e.path)
	if err != nil {
		return err
	}
	defer f.Close()
	o, err := readObject(f)
	if err != nil || !o.isLibrary() {
		return addProgram(t, file, 0)
	}
	if _, err := t.addFile(file); err != nil {
		return err
	}
	for _, l := range t.loaders {
		if l.arch == o.arch {
			return l.loadAll(&loaded{object: o, path: file, origin: path.Dir(file)})
		}
	}
	return fmt.Errorf("%q: a shared library, and no program here loads libraries of its kind", file)
}

// checkCovered refuses a tree some of which the container couldn't see, since a
// file system of its own is mounted over it.
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

// addBase notes what every program expects, where nothing else was noted:
// places to mount onto, and the names of root.
func (t *tree) addBase() error {
	for _, e := range []entry{
		{path: "/dev", mode: fs.ModeDir | 0o755},
		{path: "/etc", mode: fs.ModeDir | 0o755},
		{path: "/proc", mode: fs.ModeDir | 0o755},
		{path: "/sys", mode: fs.ModeDir | 0o755},
		{path: "/root", mode: fs.ModeDir | 0o700},
		{path: "/tmp", mode: fs.ModeDir | fs.ModeSticky | 0o777},
		{path: "/etc/group", mode: 0o644, text: "root:x:0:\n"},
		{path: "/etc/passwd", mode: 0o644, text: "root:x:0:0:root:/root:/bin/sh\n"},
	} {
		if err := t.addMissing(e); err != nil {
			return err
		}
	}
	return nil
}

// addMissing notes a made entry where the tree has nothing.
func (t *tree) addMissing(e entry) error {
	way, err := t.makeWay(path.Dir(e.path))
	if err != nil {
		return err
	}
	e.path = path.Join(way, path.Base(e.path))
	if _, err := t.own(e.path); err == nil {
		return nil
	}
	return t.add(e)
}
