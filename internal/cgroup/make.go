package cgroup

import (
	"bytes"
	"strings"

	"golang.org/x/sys/unix"
)

// Survey finds which directories are missing and fills in Made with them, so
// that the state can be recorded before Make makes them. Nothing is made.
//
// Where the first hierarchy lacks some, those of version 1 are taken to lack the
// same: to look costs 7 µs in each, and Make leaves those that exist out of Made.
func (g *Group) Survey() error {
	for i := range g.Dirs {
		d, first := &g.Dirs[i], &g.Dirs[0]
		if i > 0 && !d.V2 && len(first.Made) > 0 {
			d.mirror(first)
			continue
		}
		if err := d.survey(); err != nil {
			return err
		}
	}
	return nil
}

// mirror lacks what other lacks.
func (d *Dir) mirror(other *Dir) {
	d.Made = make([]string, len(other.Made))
	for i, p := range other.Made {
		d.Made[i] = d.Mount + p[len(other.Mount):]
	}
}

func (d *Dir) survey() error {
	d.Made = nil
	var s unix.Stat_t
	for p := d.Path; len(p) > len(d.Mount); p = parent(p) {
		err := unix.Lstat(p, &s)
		if err == nil && s.Mode&unix.S_IFMT != unix.S_IFDIR {
			err = unix.ENOTDIR
		}
		if err == nil {
			break
		}
		if err != unix.ENOENT {
			return &PathError{Op: "stat", Path: p, Err: err}
		}
		d.Made = append([]string{p}, d.Made...)
	}
	return nil
}

// Make makes the directories that are missing, those of Survey and, if they
// went away since, their parents. In a cpuset of version 1 cpus and mems are
// filled in from the parent, without which no process could join. In version 2
// the controllers are enabled in all directories above; they stay enabled when
// the container is gone, as a neighbour may be in need of them.
//
// On an error, what it made is removed. Who has no rights gets ErrNoRights.
func (g *Group) Make() error {
	for i := range g.Dirs {
		if err := g.Dirs[i].make(); err != nil {
			for ; i >= 0; i-- {
				g.Dirs[i].unmake()
			}
			return err
		}
	}
	return nil
}

func (d *Dir) make() error {
	if d.Made == nil {
		if err := d.survey(); err != nil {
			return err
		}
	}
	// a removal at the same time may take parents away that survey saw
	for try := 0; ; try++ {
		err := d.mkdirs()
		if err == nil {
			break
		}
		d.unmake()
		if e, ok := err.(*PathError); !ok || e.Err != unix.ENOENT || try == 10 {
			return err
		}
		if err := d.survey(); err != nil {
			return err
		}
	}
	if d.V2 && !d.leaf() {
		return d.enable()
	}
	return nil
}

func (d *Dir) mkdirs() error {
	made := d.Made
	d.Made = make([]string, 0, len(made))
	for _, p := range made {
		if d.V2 && p == d.Path {
			if err := d.enable(); err != nil {
				return err
			}
		}
		err := unix.Mkdir(p, 0o755)
		if err == unix.EEXIST { // another's, made since survey
			continue
		}
		if err != nil {
			return &PathError{Op: "mkdir", Path: p, Err: err}
		}
		d.Made = append(d.Made, p)
		if !d.V2 && d.Has("cpuset") {
			if err := d.fill(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// unmake is the undo of make, when no process has been inside.
func (d *Dir) unmake() {
	for i := len(d.Made) - 1; i >= 0; i-- {
		unix.Rmdir(d.Made[i])
	}
	d.Made = nil
}

// fill gives a new cpuset of version 1 what its parent has, and the parent
// before, if that is empty too.
func (d *Dir) fill(dir string) error {
	for _, file := range [...]string{"/cpuset.cpus", "/cpuset.mems"} {
		if err := d.fillFile(dir, file); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) fillFile(dir, file string) error {
	value, err := read(parent(dir) + file)
	if err != nil {
		return err
	}
	value = bytes.TrimSpace(value)
	if len(value) == 0 && len(parent(dir)) > len(d.Mount) {
		if err := d.fillFile(parent(dir), file); err != nil {
			return err
		}
		if value, err = read(parent(dir) + file); err != nil {
			return err
		}
		value = bytes.TrimSpace(value)
	}
	return write(dir+file, string(value))
}

// enable turns the controllers on for Path, in every directory above it
// (UN-01). What can't be turned on is told when a limit finds no file.
//
// It comes before Path is made: a controller reads as enabled while another's
// write is still making its files in the directories that are there, and mkdir
// waits for that.
func (d *Dir) enable() error {
	if len(d.Controllers) == 0 {
		return nil
	}
	has, err := read(parent(d.Path) + "/cgroup.subtree_control")
	if err != nil {
		return err
	}
	if len(d.lacking(has)) == 0 {
		return nil
	}
	for end := len(d.Mount); end < len(d.Path); {
		dir := d.Path[:end]
		on, err := read(dir + "/cgroup.subtree_control")
		if err != nil {
			return err
		}
		if more := d.lacking(on); len(more) > 0 && write(dir+"/cgroup.subtree_control", "+"+strings.Join(more, " +")) != nil {
			for _, c := range more { // all or nothing: one that can't be mustn't keep out the rest
				write(dir+"/cgroup.subtree_control", "+"+c)
			}
		}
		next := strings.IndexByte(d.Path[end+1:], '/')
		if next < 0 {
			break
		}
		end += 1 + next
	}
	return nil
}

// lacking is the controllers that aren't in the list.
func (d *Dir) lacking(list []byte) []string {
	have := Hierarchy{Controllers: strings.Fields(string(list))}
	var more []string
	for _, c := range d.Controllers {
		if !have.Has(c) {
			more = append(more, c)
		}
	}
	return more
}

// parent is the directory that a clean absolute path is in.
func parent(p string) string { return p[:strings.LastIndexByte(p, '/')] }
