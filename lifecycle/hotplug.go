package lifecycle

import (
	"os"
	"slices"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/systemd/unit"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Device is a device of the host's that Update gives to a container.
type Device struct {
	Source string // the host's node
	Path   string // of the container's, absolute; Source where empty
	Access string // some of r, w and m; all where empty
}

// A device is added to a running container by its rule in the cgroup and by its
// node in the container's /dev: both, or neither. What was added is in the
// record before it is made, and only that can be removed again; the config's
// rules stay as they are.
//
// No Go code looks at the container's paths from within, and none is trusted: a
// small stage that has joined the container's mount namespace makes the node,
// beneath a directory that it has reached over no link (hotplug_plan.go).

// plug is a container whose devices are being changed.
type plug struct {
	*Runtime
	*container
	config *specs.Spec
	target int     // pidfd of its process
	flags  uintptr // CLONE_NEW flags of the mount and user namespaces that aren't the caller's
	done   *undo
}

// changeDevices removes and adds what u says. What it has done is in done.
func (p *plug) changeDevices(u *Changes) error {
	if len(u.AddDevices)+len(u.RemoveDevices) == 0 {
		return nil
	}
	if err := p.open(); err != nil {
		return err
	}
	for _, path := range u.RemoveDevices {
		if err := p.remove(path); err != nil {
			return because("remove device "+quote(path), err)
		}
	}
	for i := range u.AddDevices {
		if err := p.add(&u.AddDevices[i]); err != nil {
			return because("add device "+quote(u.AddDevices[i].Source), err)
		}
	}
	return nil
}

// open finds out what all changes need to know.
func (p *plug) open() (err error) {
	if os.Geteuid() != 0 || inUserNamespace() {
		return text("devices can't be added or removed without the rights of the host's root")
	}
	if len(p.Cgroups) == 0 {
		return text("devices can't be added or removed: the container has no cgroup of its own, and so no rules for devices")
	}
	if p.config, err = p.container.config(); err != nil {
		return err
	}
	if p.target, err = p.Process.open(); err != nil {
		return err
	}
	created, joined := namespacesOf(p.config)
	for _, n := range namespacesIn((created | joined) & (unix.CLONE_NEWNS | unix.CLONE_NEWUSER)) {
		same, err := sharedNamespace(p.Process.PID, n.File)
		if err != nil {
			return err
		}
		if !same {
			p.flags |= uintptr(n.Flag)
		}
	}
	return nil
}

func (p *plug) close() {
	if p.target >= 0 {
		unix.Close(p.target)
	}
}

// add records the device, allows it, and makes its node.
func (p *plug) add(d *Device) error {
	n, err := p.device(d)
	if err != nil {
		return err
	}
	if err := p.place(n); err != nil {
		return err
	}
	old := p.Devices
	p.done.add(func() error { return p.note(old) })
	if err := p.note(append(slices.Clone(old), *n)); err != nil {
		return err
	}
	if err := p.rule(old, p.Devices); err != nil {
		return err
	}
	p.done.add(func() error { return p.unmake(n) })
	return p.make(n)
}

// remove forbids a device that was added, takes its node away, and forgets it.
func (p *plug) remove(path string) error {
	i := p.find(rootfs.Clean(path))
	if i < 0 {
		return text("it was not added by an update")
	}
	n, old := p.Devices[i], p.Devices
	left := slices.Delete(slices.Clone(old), i, i+1)
	if err := p.rule(old, left); err != nil {
		return err
	}
	p.done.add(func() error { return p.remake(&n) })
	if err := p.unmake(&n); err != nil {
		return err
	}
	p.done.add(func() error { return p.note(old) })
	return p.note(left)
}

// note records which devices are added.
func (p *plug) note(list []RecordDevice) error {
	p.Devices = list
	return p.write(p.Record)
}

func (p *plug) find(path string) int {
	return slices.IndexFunc(p.Devices, func(d RecordDevice) bool { return d.Path == path })
}

// rule puts the rules of one list of added devices in force in place of another's.
func (p *plug) rule(from, to []RecordDevice) error {
	g := p.group()
	write := func(from, to []RecordDevice) error {
		w, err := cgroup.ChangeDevices(p.rules(from), p.rules(to), g.Layout())
		if err == nil {
			err = g.Apply(w)
		}
		if err == nil {
			err = p.tellSystemd(g, to)
		}
		return err
	}
	p.done.add(func() error { return write(to, from) })
	return write(from, to)
}

// tellSystemd tells it all rules, where it made the cgroup: on version 1 it
// writes its own each time that it is reloaded. A list of devices is added to
// what it knows of, unless an empty one comes first.
func (p *plug) tellSystemd(g *cgroup.Group, added []RecordDevice) error {
	if p.Scope.Name == "" {
		return nil
	}
	_, rules, err := cgroup.Compile(&specs.LinuxResources{Devices: p.rules(added)}, g.Layout())
	if err != nil {
		return err
	}
	properties := unit.Properties(rules)
	if len(properties) == 0 {
		return nil
	}
	forget := unit.Property{Name: "DeviceAllow", Value: []unit.Device{}}
	lacking, err := p.Drivers.Systemd.Set(p.unit(), append([]unit.Property{forget}, properties...))
	p.lacks(p.unit(), lacking)
	return err
}

// rules are the config's, and those of the devices that were added.
func (p *plug) rules(added []RecordDevice) (list []specs.LinuxDeviceCgroup) {
	if l := p.config.Linux; l != nil && l.Resources != nil {
		list = slices.Clone(l.Resources.Devices)
	}
	for i := range added {
		d := &added[i]
		list = append(list, specs.LinuxDeviceCgroup{Allow: true, Type: d.Type, Major: &d.Major, Minor: &d.Minor, Access: d.Access})
	}
	return list
}

// device is d as the host has it.
func (p *plug) device(d *Device) (*RecordDevice, error) {
	path := d.Path
	if path == "" {
		path = d.Source
	}
	n := &RecordDevice{Path: rootfs.Clean(path), Access: d.Access, Source: d.Source, Bound: p.flags&unix.CLONE_NEWUSER != 0}
	if n.Access == "" {
		n.Access = "rwm"
	}
	if !strings.HasPrefix(path, "/") || n.Path == "" || slices.Contains(strings.Split(n.Path, "/"), "..") {
		return nil, text(quote(path) + " is not the absolute path of a node")
	}
	if strings.Trim(n.Access, "rwm") != "" {
		return nil, text("access " + quote(n.Access) + " is not made of r, w and m")
	}
	st, err := hostDevice(d.Source)
	if err != nil {
		return nil, err
	}
	n.Type = "c"
	if st.Mode&unix.S_IFMT == unix.S_IFBLK {
		n.Type = "b"
	}
	n.Major, n.Minor = int64(unix.Major(uint64(st.Rdev))), int64(unix.Minor(uint64(st.Rdev)))
	if p.find(n.Path) >= 0 {
		return nil, text(quote(path) + " was added already")
	}
	return n, nil
}

// hostDevice looks at a node of the host's.
func hostDevice(path string) (st unix.Stat_t, err error) {
	if err = unix.Stat(path, &st); err != nil {
		return st, err
	}
	if kind := st.Mode & unix.S_IFMT; kind != unix.S_IFCHR && kind != unix.S_IFBLK {
		return st, text("it is not a device node")
	}
	return st, nil
}
