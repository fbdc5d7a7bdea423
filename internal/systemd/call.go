package systemd

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/minirt/minirt/internal/systemd/unit"
)

const defaultLimit = 30 * time.Second

// with connects, does what is to be done before the deadline, and puts what it
// was about and the bus into an error. A connection that has been lost since
// (the bus was restarted) is made once more.
func (d *Driver) with(what string, do func(context.Context) error) error {
	limit := d.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	kept := d.conn != nil
	err := d.open(ctx)
	if err != nil {
		return &failure{what, err}
	}
	err = do(ctx)
	if kept && errors.Is(err, dbus.ErrClosed) {
		d.close()
		if err = d.open(ctx); err == nil {
			err = do(ctx)
		}
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || errors.Is(err, dbus.ErrClosed) {
		d.close()
	}
	if ctx.Err() != nil {
		err = text("no answer within " + strconv.FormatFloat(limit.Seconds(), 'f', -1, 64) + " s")
	}
	return &failure{what + " on " + d.bus(), err}
}

func (d *Driver) open(ctx context.Context) (err error) {
	if d.conn != nil {
		return nil
	}
	if d.Addresses == nil {
		if d.User, d.Addresses, err = host(); err != nil {
			return err
		}
	}
	if d.conn, d.address, err = connect(ctx, d.Addresses); err != nil {
		return &failure{"can't reach the " + d.whose() + " systemd (is its D-Bus running? without --systemd-cgroup none is needed)", err}
	}
	d.signals = make(chan *dbus.Signal, 64)
	d.conn.Signal(d.signals)
	return nil
}

func (d *Driver) close() {
	if d.conn != nil {
		d.conn.Close()
		d.conn = nil
	}
}

func (d *Driver) whose() string {
	if d.User {
		return "user's"
	}
	return "system's"
}

// bus is for error texts.
func (d *Driver) bus() string { return "the " + d.whose() + " bus (" + d.address + ")" }

// call calls a method of systemd's manager.
func (d *Driver) call(ctx context.Context, method string, args ...any) *dbus.Call {
	return d.conn.Object(service, object).CallWithContext(ctx, manager+"."+method, 0, args...)
}

// property reads a property.
func (d *Driver) property(ctx context.Context, path dbus.ObjectPath, of, name string, to any) error {
	var v dbus.Variant
	err := d.conn.Object(service, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, of, name).Store(&v)
	if err != nil {
		return err
	}
	return v.Store(to)
}

// listen asks to be told of the ends of a unit's jobs.
func (d *Driver) listen(ctx context.Context, u unit.Unit) error {
	return d.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(service), dbus.WithMatchObjectPath(object),
		dbus.WithMatchInterface(manager), dbus.WithMatchMember("JobRemoved"), dbus.WithMatchArg(2, u.Name))
}

// done waits for a job's end.
func (d *Driver) done(ctx context.Context, job dbus.ObjectPath) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s, ok := <-d.signals:
			if !ok {
				return dbus.ErrClosed
			}
			var id uint32
			var path dbus.ObjectPath
			var name, result string
			if s.Name != manager+".JobRemoved" || dbus.Store(s.Body, &id, &path, &name, &result) != nil || path != job {
				continue
			}
			if result != "done" {
				return text("its job ended with " + strconv.Quote(result))
			}
			return nil
		}
	}
}
