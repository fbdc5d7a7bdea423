// Package systemd makes, changes and stops transient scopes over D-Bus
// (org.freedesktop.systemd1(5)), so that a container's cgroup is systemd's own.
//
// Its law: nothing waits for ever, and nothing of somebody else's is touched.
// Each call has a deadline, and each error names the unit and the bus. A unit is
// stopped only if it has the description that its maker gave it: the name may be
// another's by now, or may never have become ours.
//
// It is the driver behind lifecycle.Systemd, which only programs that link it
// pay for: see lifecycle.Drivers.
package systemd

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/minirt/minirt/internal/systemd/unit"
)

// Driver asks the caller's systemd: the system's for root, their own for other
// users. It connects when it is first asked. It is for one goroutine.
type Driver struct {
	Limit     time.Duration // for a call, with the job that it begins; 30 s where 0
	Addresses []string      // of buses, the better first, instead of where this host has them
	User      bool          // with Addresses: it is a user's own systemd

	conn    *dbus.Conn
	address string
	signals chan *dbus.Signal
}

// Root is the cgroup of systemd itself, below which all of its units are: "/"
// mostly, and for a user's own what the system gave to it.
func (d *Driver) Root() (path string, user bool, err error) {
	err = d.with("its ControlGroup", func(ctx context.Context) error {
		return d.property(ctx, object, manager, "ControlGroup", &path)
	})
	return strings.TrimSuffix(path, "/"), d.User, err
}

// Start makes the scope and moves a process into it. A unit of that name that
// has failed is cleared away first; one that lives is an error. lacking are
// properties that this systemd doesn't know and that files stand in for.
func (d *Driver) Start(u unit.Unit, pid int, list []unit.Property) (lacking []string, err error) {
	list = append([]unit.Property{
		{Name: "Description", Value: u.Description},
		{Name: "Slice", Value: u.Slice},
		{Name: "Delegate", Value: true},
		{Name: "PIDs", Value: []uint32{uint32(pid)}},
		{Name: "CPUAccounting", Value: true},
		{Name: "MemoryAccounting", Value: true},
		{Name: "IOAccounting", Value: true},
		{Name: "TasksAccounting", Value: true},
		{Name: "DefaultDependencies", Value: false},
	}, list...)
	err = d.with(unitText(u), func(ctx context.Context) error {
		if err := d.listen(ctx, u); err != nil {
			return err
		}
		job := dbus.ObjectPath("")
		lacking, err = d.set(ctx, list, func(props []property) error {
			begin := func() error {
				return d.call(ctx, "StartTransientUnit", u.Name, "replace", props, []auxiliary{}).Store(&job)
			}
			err := begin()
			if is(err, "UnitExists") && d.call(ctx, "ResetFailedUnit", u.Name).Err == nil {
				err = begin()
			}
			if is(err, "UnitExists") {
				return text("a unit of this name exists already, and has not failed: is its container still there?")
			}
			return err
		})
		if err != nil {
			return err
		}
		return d.done(ctx, job)
	})
	return lacking, err
}

// Set changes properties of a unit, until it ends.
func (d *Driver) Set(u unit.Unit, list []unit.Property) (lacking []string, err error) {
	err = d.with(unitText(u), func(ctx context.Context) error {
		lacking, err = d.set(ctx, list, func(props []property) error {
			return d.call(ctx, "SetUnitProperties", u.Name, true, props).Err
		})
		return err
	})
	return lacking, err
}

// Attach moves a process into a unit that runs, or into a cgroup below its own.
func (d *Driver) Attach(u unit.Unit, below string, pid int) error {
	return d.with(unitText(u), func(ctx context.Context) error {
		return d.call(ctx, "AttachProcessesToUnit", u.Name, below, []uint32{uint32(pid)}).Err
	})
}

// Stop ends a unit, clears its failure away, and returns when it is gone. One
// that isn't there, or is another's, is no error.
func (d *Driver) Stop(u unit.Unit) error {
	return d.with(unitText(u), func(ctx context.Context) error {
		var path, job dbus.ObjectPath
		err := d.call(ctx, "GetUnit", u.Name).Store(&path)
		if is(err, "NoSuchUnit") {
			return nil
		}
		description := ""
		if err == nil {
			err = d.property(ctx, path, service+".Unit", "Description", &description)
		}
		if err != nil || description != u.Description {
			return err
		}
		if err := d.listen(ctx, u); err != nil {
			return err
		}
		err = d.call(ctx, "StopUnit", u.Name, "replace").Store(&job)
		if err == nil {
			err = d.done(ctx, job)
		}
		if is(err, "NoSuchUnit") {
			return nil
		}
		if e := d.call(ctx, "ResetFailedUnit", u.Name).Err; err == nil && !is(e, "NoSuchUnit") {
			err = e
		}
		return err
	})
}

// property and auxiliary are what StartTransientUnit takes: a(sv), a(sa(sv)).
type (
	property struct {
		Name  string
		Value dbus.Variant
	}
	auxiliary struct {
		Name       string
		Properties []property
	}
)

// set leaves out what this systemd is too old for, or doesn't know, as long as
// files stand in for it; only where a property needs it is the version asked for.
func (d *Driver) set(ctx context.Context, list []unit.Property, do func([]property) error) (lacking []string, err error) {
	list = slices.Clone(list)
	if since := func(p unit.Property) bool { return p.Since > 0 }; slices.ContainsFunc(list, since) {
		version, err := d.version(ctx)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(p unit.Property) bool { return p.Since > version })
	}
	for {
		props := make([]property, len(list))
		for i, p := range list {
			props[i] = property{p.Name, dbus.MakeVariant(p.Value)}
		}
		err := do(props)
		i := refused(err, list)
		if i < 0 {
			return lacking, err
		}
		if !list[i].Files {
			return lacking, &failure{list[i].Name, err}
		}
		lacking = append(lacking, list[i].Name)
		list = slices.Delete(list, i, i+1)
	}
}

// refused finds the property that systemd says it doesn't have; -1 for none:
// "Cannot set property X, or unknown property."
func refused(err error, list []unit.Property) int {
	if !is(err, "PropertyReadOnly") && !is(err, "UnknownProperty") {
		return -1
	}
	return slices.IndexFunc(list, func(p unit.Property) bool {
		return strings.Contains(err.Error(), "property "+p.Name+",") || strings.HasSuffix(err.Error(), "property "+p.Name)
	})
}

// version is systemd's: 252 of "252.39-1~deb12u1".
func (d *Driver) version(ctx context.Context) (n int, err error) {
	s := ""
	if err := d.property(ctx, object, manager, "Version", &s); err != nil {
		return 0, err
	}
	s = strings.TrimPrefix(s, "v")
	for len(s) > 0 && s[0] >= '0' && s[0] <= '9' {
		n, s = n*10+int(s[0]-'0'), s[1:]
	}
	return n, nil
}

func unitText(u unit.Unit) string { return "systemd unit " + strconv.Quote(u.Name) }

// is tells an error of systemd's or the bus's by the last part of its name.
func is(err error, name string) bool {
	var e dbus.Error
	return errors.As(err, &e) && strings.HasSuffix(e.Name, "."+name)
}
