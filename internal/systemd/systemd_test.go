package systemd

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/minirt/minirt/internal/systemd/unit"
)

var scope = unit.Unit{Name: "x.scope", Slice: "a.slice", Description: "minirt container x in /run/minirt/x"}

func TestAScopeIsStartedWithItsProcessAndProperties(t *testing.T) {
	t.Parallel()
	b, d := busOf(t, nil)
	lacking, err := d.Start(scope, 4711, []unit.Property{{Name: "MemoryMax", Value: uint64(1 << 20), Files: true}})
	if err != nil || lacking != nil {
		t.Fatalf("%v, %v", lacking, err)
	}
	got := map[string]any{}
	for _, p := range b.props {
		got[p.Name] = p.Value.Value()
	}
	want := map[string]any{
		"Description": scope.Description, "Slice": "a.slice", "Delegate": true, "PIDs": []uint32{4711}, "DefaultDependencies": false,
		"CPUAccounting": true, "MemoryAccounting": true, "IOAccounting": true, "TasksAccounting": true, "MemoryMax": uint64(1 << 20),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"StartTransientUnit"}, b.called()); d != "" {
		t.Error(d)
	}
}

func TestAUnitThatHasFailedIsClearedAwayAndOneThatLivesIsNot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		times int
		want  string
		calls []string
	}{
		{"failed", 1, "", []string{"StartTransientUnit", "ResetFailedUnit", "StartTransientUnit"}},
		{"lives", 2, `systemd unit "x.scope" on the system's bus (ADDRESS): a unit of this name exists already, and has not failed: is its container still there?`,
			[]string{"StartTransientUnit", "ResetFailedUnit", "StartTransientUnit"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			b, d := busOf(t, func(a *answer) bool {
				if a.member != "StartTransientUnit" || n == tt.times {
					return false
				}
				n++
				a.err, a.text = service+".UnitExists", "Unit x.scope already exists."
				return true
			})
			_, err := d.Start(scope, 1, nil)
			b.is(t, tt.want, err)
			if d := cmp.Diff(tt.calls, b.called()); d != "" {
				t.Error(d)
			}
		})
	}
}

// is compares an error's text, in which the bus's address is ADDRESS.
func (b *fakeBus) is(t *testing.T, want string, err error) {
	t.Helper()
	got := ""
	if err != nil {
		got = strings.ReplaceAll(err.Error(), b.address, "ADDRESS")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAJobThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	b, d := busOf(t, func(a *answer) bool {
		if a.member == "StartTransientUnit" {
			a.result = "timeout"
			return true
		}
		return false
	})
	_, err := d.Start(scope, 1, nil)
	b.is(t, `systemd unit "x.scope" on the system's bus (ADDRESS): its job ended with "timeout"`, err)
}

func TestWhatThisSystemdLacksIsLeftOutWhereFilesStandInForIt(t *testing.T) {
	t.Parallel()
	lacks := func(a *answer) bool {
		if a.member != "StartTransientUnit" && a.member != "SetUnitProperties" {
			return false
		}
		for _, p := range a.body {
			if list, ok := p.([][]any); ok {
				for _, p := range list {
					if p[0] == "New" {
						a.err, a.text = "org.freedesktop.DBus.Error.PropertyReadOnly", "Cannot set property New, or unknown property."
						return true
					}
				}
			}
		}
		return false
	}
	b, d := busOf(t, lacks)
	list := []unit.Property{{Name: "Newer", Value: true, Files: true}, {Name: "New", Value: true, Files: true}}
	for name, do := range map[string]func() ([]string, error){
		"Start": func() ([]string, error) { return d.Start(scope, 1, list) },
		"Set":   func() ([]string, error) { return d.Set(scope, list) },
	} {
		lacking, err := do()
		if d := cmp.Diff([]string{"New"}, lacking); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
		if last := b.props[len(b.props)-1].Name; last != "Newer" {
			t.Errorf("%s: the last property is %s", name, last)
		}
	}
	list[1].Files = false // an annotation's
	_, err := d.Start(scope, 1, list)
	b.is(t, `systemd unit "x.scope" on the system's bus (ADDRESS): New: Cannot set property New, or unknown property.`, err)
}

func TestTheVersionIsAskedForOnlyWhereAPropertyNeedsIt(t *testing.T) {
	t.Parallel()
	b, d := busOf(t, nil)
	list := []unit.Property{{Name: "Old", Value: true, Since: 252}, {Name: "New", Value: true, Since: 253}}
	if _, err := d.Set(scope, list); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"Get", "SetUnitProperties"}, b.called()); d != "" {
		t.Error(d)
	}
	if len(b.props) != 1 || b.props[0].Name != "Old" {
		t.Errorf("set: %v", b.props)
	}
}

func TestOnlyItsOwnUnitIsStopped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, description string
		calls             []string
	}{
		{"ours", scope.Description, []string{"GetUnit", "Get", "StopUnit", "ResetFailedUnit"}},
		{"another's", "minirt container x in /run/other/x", []string{"GetUnit", "Get"}},
		{"gone", "", []string{"GetUnit"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, d := busOf(t, nil)
			b.units["x.scope"] = tt.description
			if err := d.Stop(scope); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.calls, b.called()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAUnitThatGoesWhileItIsStoppedIsNoError(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"StopUnit", "ResetFailedUnit"} {
		b, d := busOf(t, func(a *answer) bool {
			a.err, a.text = service+".NoSuchUnit", "Unit x.scope not loaded."
			if a.member != when {
				a.err = ""
			}
			return a.member == when
		})
		b.units["x.scope"] = scope.Description
		if err := d.Stop(scope); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
}

// Every call has an end, whatever the bus does not say.
func TestABusThatNeverAnswersIsWaitedForOnlySoLong(t *testing.T) {
	t.Parallel()
	for _, silent := range []string{"Hello", "Get", "AddMatch", "StartTransientUnit", "SetUnitProperties", "AttachProcessesToUnit", "StopUnit"} {
		t.Run(silent, func(t *testing.T) {
			t.Parallel()
			b, d := busOf(t, func(a *answer) bool { a.silent = a.member == silent; return a.silent })
			b.units["x.scope"] = scope.Description
			d.Limit = 200 * time.Millisecond
			begun := time.Now()
			_, _, err := d.Root()
			for _, do := range []func() error{
				func() error { _, err := d.Start(scope, 1, nil); return err },
				func() error { _, err := d.Set(scope, nil); return err },
				func() error { return d.Attach(scope, "", 1) },
				func() error { return d.Stop(scope) },
			} {
				if err == nil {
					err = do()
				}
			}
			if err == nil || !strings.Contains(err.Error(), "no answer") || !strings.Contains(err.Error(), b.address) {
				t.Errorf("the error is %v", err)
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("that took %v", took)
			}
		})
	}
}

func TestAJobWithoutAnEndIsWaitedForOnlySoLong(t *testing.T) {
	t.Parallel()
	b, d := busOf(t, func(a *answer) bool {
		if a.member != "StartTransientUnit" {
			return false
		}
		a.reply = []any{dbus.ObjectPath("/org/freedesktop/systemd1/job/9")}
		return true
	})
	d.Limit = 200 * time.Millisecond
	_, err := d.Start(scope, 1, nil)
	b.is(t, `systemd unit "x.scope" on the system's bus (ADDRESS): no answer within 0.2 s`, err)
}

// One that takes a connection and says nothing at all.
func TestASocketThatSaysNothingIsWaitedForOnlySoLong(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := &Driver{Limit: 200 * time.Millisecond, Addresses: []string{"unix:path=" + name}}
	begun := time.Now()
	_, _, err = d.Root()
	if err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("the error is %v", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("that took %v", took)
	}
}

func TestErrorsOfTheBusNameTheUnitAndTheBus(t *testing.T) {
	t.Parallel()
	b, d := busOf(t, func(a *answer) bool {
		if a.member == "Hello" || a.member == "AddMatch" {
			return false
		}
		a.err, a.text = "org.freedesktop.DBus.Error.AccessDenied", "Permission denied"
		return true
	})
	_, err := d.Start(scope, 1, nil)
	b.is(t, `systemd unit "x.scope" on the system's bus (ADDRESS): Permission denied`, err)
	_, err = d.Set(scope, nil)
	b.is(t, `systemd unit "x.scope" on the system's bus (ADDRESS): Permission denied`, err)
	b.is(t, `systemd unit "x.scope" on the system's bus (ADDRESS): Permission denied`, d.Attach(scope, "", 1))
	b.is(t, `systemd unit "x.scope" on the system's bus (ADDRESS): Permission denied`, d.Stop(scope))
}

func TestABusThatWasRestartedIsReachedAgain(t *testing.T) {
	t.Parallel()
	_, d := busOf(t, nil)
	if _, _, err := d.Root(); err != nil {
		t.Fatal(err)
	}
	d.conn.Close()
	if _, err := d.Start(scope, 1, nil); err != nil {
		t.Error(err)
	}
}

func TestWithoutABusTheErrorSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for address, cause := range map[string]string{
		"unix:path=/nowhere/bus":    "no such file or directory",
		"/nowhere/private":          "not the address of a unix socket",
		"unix:":                     "invalid address",
		"unixexec:path=/bin/true":   "not the address of a unix socket", // would start a program
		"tcp:host=localhost,port=1": "not the address of a unix socket",
		"nonsense":                  "not the address of a unix socket",
	} {
		d := &Driver{Addresses: []string{address}}
		_, _, err := d.Root()
		if err == nil || !strings.Contains(err.Error(), "can't reach the system's systemd (is its D-Bus running? without --systemd-cgroup none is needed): bus "+address+": ") ||
			!strings.Contains(err.Error(), cause) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestTheSecondBusServesWhereTheFirstIsNotThere(t *testing.T) {
	t.Parallel()
	b, d := busOf(t, nil)
	d.Addresses = []string{"unix:path=/nowhere/bus", b.address}
	if _, err := d.Start(scope, 1, nil); err != nil {
		t.Error(err)
	}
}

func TestWithoutSystemdTheErrorSaysSo(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		t.Skip("systemd runs here")
	}
	_, _, err := new(Driver).Root()
	if err == nil || !strings.Contains(err.Error(), "systemd does not run on this host") {
		t.Errorf("the error is %v", err)
	}
}
