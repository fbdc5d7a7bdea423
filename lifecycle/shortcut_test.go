package lifecycle

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestWhatARecordAddsMakesStartAndDeleteNotPlain(t *testing.T) {
	t.Parallel()
	plain := Record{Program: true, NewPID: true}
	if !plain.plainStart() || !plain.plainDelete() {
		t.Fatal("the plainest record isn't plain")
	}
	// What the verb need not act on, or what the shortcut tells of.
	neither := []string{"OCIVersion", "ID", "Bundle", "Rootfs", "Created", "Annotations", "Process", "Creator", "Cgroups", "OldKeyring", "NetNS", "Deaf"}
	start := append(neither[:len(neither):len(neither)], "NewPID", "Points", "Mounts", "Scope", "Rdt", "Devices", "NetDevices", "Log")
	del := append(neither[:len(neither):len(neither)], "Program")
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Record]()) {
		r := plain
		fill(t, reflect.ValueOf(&r).Elem().FieldByIndex(f.Index))
		for _, verb := range []struct {
			name     string
			harmless []string
			plain    bool
		}{{"start", start, r.plainStart()}, {"delete", del, r.plainDelete()}} {
			if want := slices.Contains(verb.harmless, f.Name); verb.plain != want {
				t.Errorf("with another %s %s is plain: %v, want %v: what it asks for, package early does not do", f.Name, verb.name, verb.plain, want)
			}
		}
	}
}

// fill gives a value that isn't the one that it has.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int:
		v.SetInt(1)
	case reflect.Uint64:
		v.SetUint(1)
	case reflect.String:
		v.SetString("a")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Struct:
		fill(t, v.Field(0))
	default:
		t.Fatalf("no value of a %s", v.Type())
	}
}

func TestAShortcutHoldsItsLinesOrIsNone(t *testing.T) {
	t.Parallel()
	dir := func(path string, made ...string) RecordCgroup {
		return RecordCgroup{Controllers: []string{"freezer"}, Path: path, Made: made}
	}
	long := "/" + strings.Repeat("a", maxShortcut)
	for _, c := range []struct {
		name    string
		cgroups []RecordCgroup
		want    string
	}{
		{"no cgroup", nil, "7\n"},
		{"innermost first", []RecordCgroup{dir("/c/a/b", "/c/a", "/c/a/b")}, "7\n/c/a/b/freezer.state\n=/c/a/b\n-/c/a"},
		{"another's own", []RecordCgroup{dir("/c/a/b")}, "7\n/c/a/b/freezer.state"},
		{"no freezer", []RecordCgroup{{Path: "/c/a", Made: []string{"/c/a"}}}, ""},
		{"two lines in one", []RecordCgroup{dir("/c/a\nb", "/c/a\nb")}, ""},
		{"too long", []RecordCgroup{dir(long, long)}, ""},
		{"more to do", nil, "7\n\n!"},
	} {
		r := Record{Program: true, NewPID: true, Process: Proc{PID: 7}, Cgroups: c.cgroups}
		if c.name == "more to do" {
			r.Points = []string{"proc"}
		}
		if got := r.shortcut(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
