package systemd

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	service = "org.freedesktop.systemd1"
	object  = dbus.ObjectPath("/org/freedesktop/systemd1")
	manager = service + ".Manager"
)

// systemBus is where dbus-daemon(1) listens. systemd's own socket, for its own
// tools, isn't asked: it doesn't answer all calls from a connection like ours.
const systemBus = "unix:path=/run/dbus/system_bus_socket"

// host finds out whose systemd is to be asked, and where. The directory of the
// system's belongs to whoever is root where it runs: in the user namespace of an
// engine without root's rights that is nobody, in a container with a systemd of
// its own it is us.
func host() (user bool, addresses []string, err error) {
	info, err := os.Lstat("/run/systemd/system")
	if err != nil {
		return false, nil, text("systemd does not run on this host (there is no /run/systemd/system): leave --systemd-cgroup out")
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && int(s.Uid) == os.Geteuid() && s.Uid == 0 {
		if a := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"); a != "" {
			return false, []string{a}, nil
		}
		return false, []string{systemBus}, nil
	}
	if a := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" {
		addresses = append(addresses, a)
	}
	if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
		addresses = append(addresses, "unix:path="+dbus.EscapeBusAddressValue(d+"/bus"))
	}
	if addresses == nil {
		err = text("no systemd of this user's can be found: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set; log in by logind, or leave --systemd-cgroup out")
	}
	return true, addresses, err
}

// connect reaches the first of the addresses that can be reached, before the
// context ends.
func connect(ctx context.Context, addresses []string) (c *dbus.Conn, address string, err error) {
	var first error
	for _, a := range addresses {
		if c, err = dial(ctx, a); err == nil {
			return c, a, nil
		}
		if first == nil {
			first = &failure{"bus " + a, err}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, "", first
}

// dial makes a connection, which is then there until it is closed. A bus that
// has too many callers at its door is tried again.
func dial(ctx context.Context, address string) (c *dbus.Conn, err error) {
	if !strings.HasPrefix(address, "unix:") { // others start programs, or leave the machine
		return nil, text("not the address of a unix socket")
	}
	alive, end := context.WithCancel(context.Background())
	defer context.AfterFunc(ctx, end)()
	for pause := 10 * time.Millisecond; ; pause *= 2 {
		if c, err = dbus.Dial(address, dbus.WithContext(alive)); !errors.Is(err, syscall.EAGAIN) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, late(ctx, err)
		case <-time.After(pause):
		}
	}
	if err != nil {
		end()
		return nil, err
	}
	if err = c.Auth([]dbus.Auth{dbus.AuthExternal("")}); err == nil { // the kernel tells the bus who we are
		err = c.Hello()
	}
	if err != nil {
		c.Close()
		return nil, late(ctx, err)
	}
	return c, nil
}

// late is err, unless the time was up, of which it then came.
func late(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return text("no answer in time")
	}
	return err
}

// text is an error without a cause.
type text string

func (t text) Error() string { return string(t) }

// failure is what was tried, and what came of it.
type failure struct {
	what  string
	cause error
}

func (f *failure) Error() string { return f.what + ": " + f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }
