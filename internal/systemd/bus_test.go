package systemd

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// fakeBus is a bus with a systemd on it, as far as the driver speaks to one.
type fakeBus struct {
	t       *testing.T
	address string
	units   map[string]string // description by name

	mu    sync.Mutex
	calls []string           // members that were called
	props []property         // of the last call that had some
	bear  func(*answer) bool // answers instead, if it says so
}

// answer is what the bus says to a call.
type answer struct {
	member string
	body   []any
	reply  []any
	err    string // a D-Bus error's name
	text   string
	result string // of the job that the call begins; "" for none
	silent bool
}

// busOf makes a bus that ends with the test.
func busOf(t *testing.T, bear func(*answer) bool) (*fakeBus, *Driver) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	b := &fakeBus{t: t, address: "unix:path=" + name, units: map[string]string{}, bear: bear}
	var conns []net.Conn
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			served.Go(func() { b.serve(c) })
		}
	})
	d := &Driver{Limit: 5 * time.Second, Addresses: []string{b.address}}
	t.Cleanup(func() {
		d.close()
		l.Close()
		for _, c := range conns {
			c.Close()
		}
		served.Wait()
	})
	return b, d
}

func (b *fakeBus) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	in.ReadByte()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch strings.TrimSpace(line) {
		case "AUTH":
			c.Write([]byte("REJECTED EXTERNAL\r\n"))
		case "AUTH EXTERNAL":
			c.Write([]byte("DATA\r\n")) // no name was told: by SO_PEERCRED then
		case "DATA":
			c.Write([]byte("OK 0123456789abcdef0123456789abcdef\r\n"))
		case "BEGIN":
			b.answers(c, in)
			return
		default:
			c.Write([]byte("ERROR\r\n"))
		}
	}
}

func (b *fakeBus) answers(c net.Conn, in *bufio.Reader) {
	serial := uint32(0)
	send := func(kind dbus.Type, headers map[dbus.HeaderField]dbus.Variant, body []any) {
		serial++
		m := &dbus.Message{Type: kind, Headers: headers, Body: body}
		if len(body) > 0 {
			headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
		}
		var out bytes.Buffer
		if err := m.EncodeTo(&out, binary.LittleEndian); err != nil {
			b.t.Errorf("a message of the bus: %v", err)
		}
		binary.LittleEndian.PutUint32(out.Bytes()[8:], serial) // which only a Conn gives
		c.Write(out.Bytes())
	}
	for {
		m, err := dbus.DecodeMessage(in)
		if err != nil {
			return
		}
		a := &answer{member: m.Headers[dbus.FieldMember].Value().(string), body: m.Body}
		b.decide(a)
		if a.silent {
			continue
		}
		headers := map[dbus.HeaderField]dbus.Variant{dbus.FieldReplySerial: dbus.MakeVariant(m.Serial())}
		if a.err != "" {
			headers[dbus.FieldErrorName] = dbus.MakeVariant(a.err)
			send(dbus.TypeError, headers, []any{a.text})
			continue
		}
		if a.result != "" {
			a.reply = []any{dbus.ObjectPath("/org/freedesktop/systemd1/job/7")}
		}
		send(dbus.TypeMethodReply, headers, a.reply)
		if a.result != "" {
			for _, job := range []dbus.ObjectPath{"/org/freedesktop/systemd1/job/6", "/org/freedesktop/systemd1/job/7"} { // one of another's first
				result := a.result
				if job != "/org/freedesktop/systemd1/job/7" {
					result = "failed"
				}
				send(dbus.TypeSignal, map[dbus.HeaderField]dbus.Variant{
					dbus.FieldPath:      dbus.MakeVariant(object),
					dbus.FieldInterface: dbus.MakeVariant(manager),
					dbus.FieldMember:    dbus.MakeVariant("JobRemoved"),
				}, []any{uint32(7), job, "x.scope", result})
			}
		}
	}
}

// decide is a systemd that does what it is asked for.
func (b *fakeBus) decide(a *answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, a.member)
	for _, x := range a.body {
		if list, ok := x.([][]any); ok && len(list) > 0 {
			b.props = nil
			for _, p := range list {
				b.props = append(b.props, property{p[0].(string), p[1].(dbus.Variant)})
			}
		}
	}
	if b.bear != nil && b.bear(a) {
		return
	}
	switch a.member {
	case "Hello":
		a.reply = []any{":1.1"}
	case "Get":
		switch a.body[1] {
		case "Version":
			a.reply = []any{dbus.MakeVariant("252.39-1~deb12u1")}
		case "ControlGroup":
			a.reply = []any{dbus.MakeVariant("/user.slice/user@1.service")}
		case "Description":
			a.reply = []any{dbus.MakeVariant(b.units["x.scope"])}
		}
	case "GetUnit":
		a.reply = []any{dbus.ObjectPath("/org/freedesktop/systemd1/unit/x_2escope")}
		if b.units[a.body[0].(string)] == "" {
			a.err, a.text = service+".NoSuchUnit", "Unit not loaded."
		}
	case "StartTransientUnit", "StopUnit":
		a.result = "done"
	}
}

// called are the calls of systemd's own methods.
func (b *fakeBus) called() (list []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.calls {
		if c != "Hello" && c != "AddMatch" {
			list = append(list, c)
		}
	}
	return list
}
