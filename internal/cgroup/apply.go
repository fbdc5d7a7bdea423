package cgroup

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Apply makes the writes, in their order, and ends at the first that the
// kernel refuses, with a *WriteError:
//
//	linux.resources.memory.limit: 99: write /sys/fs/cgroup/memory/x/memory.limit_in_bytes: invalid argument
//
// Those before it remain written.
func (g *Group) Apply(ws []Write) error {
	var again []*Write
	f := openFile{fd: -1}
	defer f.close()
	for i := range ws {
		w := &ws[i]
		err := g.apply(&f, w)
		if err != nil && w.Retry && isInvalid(err) {
			again = append(again, w)
			continue
		}
		if err != nil {
			return &WriteError{*w, err}
		}
	}
	for _, w := range again {
		if err := g.apply(&f, w); err != nil {
			return &WriteError{*w, err}
		}
	}
	return nil
}

func isInvalid(err error) bool {
	e, ok := err.(*PathError)
	return ok && e.Err == unix.EINVAL
}

// openFile is the file of the last write: device rules are many for one.
type openFile struct {
	path string
	fd   int
}

func (f *openFile) close() {
	if f.fd >= 0 {
		unix.Close(f.fd)
	}
	f.fd = -1
}

func (f *openFile) open(path string) error {
	if f.fd >= 0 && f.path == path {
		return nil
	}
	f.close()
	fd, err := open(path, unix.O_WRONLY|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	f.path, f.fd = path, fd
	return nil
}

func (g *Group) apply(f *openFile, w *Write) error {
	d := g.dir(w.Controller)
	if w.V2 {
		d = g.v2()
	}
	if d == nil {
		return errors.New("the container has no cgroup with the " + w.Controller + " controller")
	}
	if w.Program != nil {
		return attach(d.Path, w.Program)
	}
	path := d.Path + "/" + w.File
	if err := f.open(path); err != nil {
		switch {
		case err == unix.ENOENT && w.Else != nil:
			return g.apply(f, w.Else)
		case err == unix.ENOENT && w.Optional:
			return nil
		case err == unix.ENOENT:
			return &PathError{"open", path, d.absence(w.Controller), err}
		}
		return &PathError{Op: "open", Path: path, Err: err}
	}
	if w.NotBelow != "" {
		if err := notBelow(d.Path+"/"+w.NotBelow, w.Value); err != nil {
			return err
		}
	}
	if err := put(f.fd, w.Value); err != nil {
		return &PathError{"write", path, d.objection(w.File, err), err}
	}
	return nil
}

// objection is what the kernel means, if we know more than it says: version 1
// refuses a limit of memory that can't be reached.
func (d *Dir) objection(file string, err error) string {
	if err != unix.EBUSY || file != "memory.limit_in_bytes" && file != "memory.memsw.limit_in_bytes" {
		return ""
	}
	b, err := read(d.Path + "/" + strings.Replace(file, "limit", "usage", 1))
	if err != nil {
		return ""
	}
	return "the usage is " + string(bytes.TrimSpace(b)) + ", and can't be brought below"
}

// absence is why there is no file of a controller.
func (d *Dir) absence(controller string) string {
	if !d.V2 || controller == "cgroup" {
		return "this kernel has no such limit"
	}
	b, err := read(d.Path + "/cgroup.controllers")
	have := Hierarchy{Controllers: strings.Fields(string(b))}
	if err != nil || have.Has(controller) {
		return "this kernel has no such limit"
	}
	why := "the " + controller + " controller can't be enabled for this cgroup"
	for dir := parent(d.Path); len(dir) > len(d.Mount); dir = parent(dir) {
		// Linux, cgroup-v2.rst, No Internal Process Constraint
		if b, _ := readList(dir + "/cgroup.procs"); len(b) > 0 {
			return why + ", as there are processes in " + dir
		}
	}
	return why
}

// notBelow refuses a limit under the usage that a file tells (MM-07).
func notBelow(path, value string) error {
	b, err := read(path)
	if err != nil {
		return err
	}
	usage, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	if err != nil {
		return err
	}
	if limit, err := strconv.ParseInt(value, 10, 64); err == nil && limit < usage {
		return &PathError{"check", path, "the usage is " + number(usage) + " already", unix.EBUSY}
	}
	return nil
}
