package lifecycle

import (
	"slices"
	"sort"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/systemd/unit"
	"github.com/minirt/minirt/spec"
	"golang.org/x/sys/unix"
)

// scope is what create asks systemd for.
type scope struct {
	unit.Unit
	early []unit.Property // with the unit
	late  []unit.Property // once the stage is ready
}

// seeScope finds the place of the scope that cgroupsPath names, below the
// systemd that makes it, and its properties.
func (r *Runtime) seeScope(v *sight, cgroupsPath, id string) error {
	if r.Drivers.Systemd == nil {
		return ErrDriver
	}
	top, user, err := r.Drivers.Systemd.Root()
	if err != nil {
		return err
	}
	u, err := unit.Of(cgroupsPath, id, r.Root+"/"+id, user)
	if err != nil {
		return v.locate(err)
	}
	v.scope = &scope{Unit: u}
	v.group = &cgroup.Group{Dirs: make([]cgroup.Dir, len(v.layout.Hierarchies))}
	for i, h := range v.layout.Hierarchies {
		v.group.Dirs[i] = cgroup.Dir{Hierarchy: h, Path: h.Mount + top + u.Path()}
	}
	v.host.Moved = true
	return v.seeAnnotations()
}

// seeAnnotations reads the properties that the config's annotations set (SEC-42).
func (v *sight) seeAnnotations() error {
	var faults spec.Faults
	for key, value := range v.spec.Annotations {
		name, ok := strings.CutPrefix(key, unit.Annotation)
		if !ok {
			continue
		}
		path := "annotations[" + quote(key) + "]"
		p, why := unit.Annotated(name, value)
		if why != "" {
			faults = append(faults, spec.Fault{Path: path, Text: quote(value) + ": " + why})
		}
		p.Path = path
		v.scope.early = append(v.scope.early, p)
	}
	if len(faults) > 0 {
		return placed(faults, v.bundle.Config)
	}
	sort.Slice(v.scope.early, func(a, b int) bool { return v.scope.early[a].Name < v.scope.early[b].Name })
	return nil
}

// limit adds the properties of the writes, where annotations haven't set them,
// and rounds what is written as systemd would.
func (s *scope) limit(early, late []cgroup.Write) {
	unit.Round(early)
	own := s.early
	without := func(list []unit.Property) []unit.Property {
		return slices.DeleteFunc(list, func(p unit.Property) bool {
			return slices.ContainsFunc(own, func(o unit.Property) bool { return o.Name == p.Name })
		})
	}
	s.early = append(own, without(unit.Properties(early))...)
	s.late = without(unit.Properties(late))
}

// orderOfScope is order for a scope: systemd takes only a process that exists,
// so the stage is started, and stops until it has been moved.
func (c *creation) orderOfScope() []func() error {
	return []func() error{c.record, c.makeNotify, c.makePoints, c.makeTrees, c.foreseeScope, c.launch, c.makeScope,
		c.admit, c.keepFiles, c.serve, c.settle}
}

// recordScope notes the scope, and which of its directories aren't there yet:
// one that is may be another's.
func (c *creation) recordScope() {
	if c.scope == nil {
		return
	}
	c.Scope = RecordScope{c.scope.Name, c.scope.Description}
	for i := range c.group.Dirs {
		if d := &c.group.Dirs[i]; len(d.Made) > 0 && managed(d) {
			d.Made = []string{d.Path}
		}
	}
}

// foreseeScope puts the scope's end behind that of the stage, in the list of undos.
func (c *creation) foreseeScope() error {
	c.undo.add(c.group.Remove)
	c.undo.add(func() error { return c.Drivers.Systemd.Stop(c.scope.Unit) })
	return nil
}

// makeScope has the scope made with the stage in it, and adds what systemd
// hasn't: hierarchies and limits that it doesn't know.
func (c *creation) makeScope() error {
	c.phase("have systemd make the scope")
	lacking, err := c.Drivers.Systemd.Start(c.scope.Unit, c.Process.PID, c.scope.early)
	if err != nil {
		return c.scope.blame(err)
	}
	c.lacks(c.scope.Unit, lacking)
	if err := c.inScope(); err != nil {
		return err
	}
	err = c.group.Make()
	c.own()
	if err != nil {
		return err
	}
	return c.group.Apply(c.early)
}

// own notes which directories are ours to remove: of the hierarchies that systemd
// manages the scope's, in which it may leave cgroups of the container's; the
// slices above are its own. What else Make has made is ours alone.
func (c *creation) own() {
	for i := range c.group.Dirs {
		if d := &c.group.Dirs[i]; managed(d) {
			d.Made = []string{d.Path}
		}
	}
}

// managed tells the hierarchies in which systemd makes cgroups: version 2, and
// of version 1 those with these controllers (systemd.resource-control(5)).
func managed(d *cgroup.Dir) bool {
	for _, c := range [...]string{"cpu", "cpuacct", "blkio", "memory", "devices", "pids", "name=systemd"} {
		if d.Has(c) {
			return true
		}
	}
	return d.V2
}

// inScope proves that systemd has put the stage where the limits are written.
func (c *creation) inScope() error {
	b, err := readFile(c.proc("cgroup"), 1<<16)
	if err != nil {
		return err
	}
	for i := range c.group.Dirs {
		d := &c.group.Dirs[i]
		line := "name=systemd:"
		if d.V2 {
			line = "0::"
		}
		if !d.V2 && !d.Has("name=systemd") {
			continue
		}
		_, place, ok := strings.Cut(string(b), line)
		place, _, _ = strings.Cut(place, "\n")
		if d.V2 && len(c.group.Dirs) > 1 && place != d.Path[len(d.Mount):] {
			continue // hybrid: systemd may use version 2 for nothing
		}
		if ok && place != d.Path[len(d.Mount):] {
			return text("systemd unit " + quote(c.scope.Name) + ": the process was put into the cgroup " + quote(place) + ", not " + quote(d.Path[len(d.Mount):]))
		}
	}
	return nil
}

// blame tells which annotation asks for a property that systemd has refused.
func (s *scope) blame(err error) error {
	for _, p := range s.early {
		if !p.Files && strings.Contains(err.Error(), p.Name) {
			return &pathError{p.Path, p.Name, err}
		}
	}
	return err
}

// lacks warns of limits that the files hold, and systemd takes back when it is reloaded.
func (r *Runtime) lacks(u unit.Unit, properties []string) {
	if len(properties) > 0 {
		r.warn("systemd unit " + quote(u.Name) + ": this systemd has no " + strings.Join(properties, ", ") + ": the limit is written to the cgroup alone")
	}
}

// settleScope puts in force what would have hindered the stage.
func (c *creation) settleScope() error {
	if c.scope == nil || len(c.scope.late) == 0 {
		return nil
	}
	lacking, err := c.Drivers.Systemd.Set(c.scope.Unit, c.scope.late)
	c.lacks(c.scope.Unit, lacking)
	return err
}

// needsSystemd gives ErrDriver for a container that was made as a scope, if
// there is no driver.
func (r *Runtime) needsSystemd(rec *Record) error {
	if rec.Scope.Name != "" && r.Drivers.Systemd == nil {
		return ErrDriver
	}
	return nil
}

// unit is the container's scope.
func (rec *Record) unit() unit.Unit {
	return unit.Unit{Name: rec.Scope.Name, Description: rec.Scope.Description}
}

// stopScope ends the container's scope. What still lives in it is killed at
// once: systemd would ask it to end, and wait.
func (r *Runtime) stopScope(c *container) error {
	if c.Scope.Name == "" {
		return nil
	}
	c.group().Kill(unix.SIGKILL)
	return r.Drivers.Systemd.Stop(c.unit())
}

// attach has a process moved by systemd that the caller may not move itself,
// nor let be born there: from where it is, a session of the user's, only root may.
// Where the scope takes no processes any more, it goes to the container's first.
func (e *entrance) attach() error {
	if !e.attached {
		return nil
	}
	err := e.Drivers.Systemd.Attach(e.unit(), "", e.pid)
	if err == nil {
		return nil
	}
	if dir, e2 := e.initCgroup(); e2 == nil {
		below := strings.TrimPrefix(dir, e.joined.Dirs[len(e.joined.Dirs)-1].Path)
		return e.Drivers.Systemd.Attach(e.unit(), below, e.pid)
	}
	return err
}

// updateScope tells systemd of limits that are in force already, so that it
// doesn't take them back when it is reloaded. It rounds a CPU quota (unit.Round).
func (r *Runtime) updateScope(c *container, limits []cgroup.Write) error {
	properties := unit.Properties(limits)
	if len(properties) == 0 {
		return nil
	}
	lacking, err := r.Drivers.Systemd.Set(c.unit(), properties)
	r.lacks(c.unit(), lacking)
	return err
}

// inForce gives the writes the values that their files now have: what was
// written may leave out what stays as it was, as cpu.max does, and a quota of
// version 1 means nothing without the period.
func inForce(g *cgroup.Group, writes []cgroup.Write) []cgroup.Write {
	const quota, period = "cpu.cfs_quota_us", "cpu.cfs_period_us"
	now := slices.Clone(writes)
	if slices.ContainsFunc(now, func(w cgroup.Write) bool { return w.File == quota || w.File == period }) {
		now = append(now, cgroup.Write{Controller: "cpu", File: quota}, cgroup.Write{Controller: "cpu", File: period})
	}
	for i := range now {
		if value, ok := g.Says(&now[i]); ok {
			now[i].Value = value
		}
	}
	return now
}
