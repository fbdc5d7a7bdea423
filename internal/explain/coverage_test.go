package explain

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// full is a configuration with something in every field.
func full(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		full(v.Elem(), path)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		full(v.Index(0), path+"[]")
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		full(value, path+"{}")
		v.SetMapIndex(reflect.ValueOf(keyOf(path)).Convert(v.Type().Key()), value)
	case reflect.Struct:
		each(v.Type(), path, func(i int, p string) { full(v.Field(i), p) })
	default:
		simple(v, path, "")
	}
}

// keyOf is the key of the one entry of a map.
func keyOf(path string) string {
	if strings.HasSuffix(path, "unified") {
		return "memory.high"
	}
	return "a.b"
}

// words that have to be of a kind, or the conversion for cgroups refuses all of them.
var fixed = map[string]string{
	"linux.resources.devices[].type": "c", "linux.resources.devices[].access": "rw", "linux.resources.hugepageLimits[].pageSize": "2MB",
	"linux.resources.cpu.cpus": "0", "linux.resources.cpu.mems": "0", "linux.resources.network.priorities[].name": "eth0",
	"linux.namespaces[].type": "network", "linux.devices[].type": "c",
}

// simple gives a value to what has no parts; another one where salt is given.
func simple(v reflect.Value, path, salt string) {
	switch v.Kind() {
	case reflect.String:
		text := "/some" + salt
		if w, ok := fixed[path]; ok {
			text = w
			if salt != "" {
				text = map[string]string{"c": "b", "rw": "r", "2MB": "1GB", "0": "1", "network": "ipc", "eth0": "eth1"}[w]
			}
		}
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(salt == "")
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(100 + int64(len(salt)))
		if strings.HasSuffix(path, "idle") {
			v.SetInt(1 - int64(len(salt)))
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n := uint64(20)
		if strings.HasSuffix(path, "swappiness") || strings.HasSuffix(path, "burst") {
			n = 10
		}
		v.SetUint(n + uint64(len(salt)))
	}
}

// each calls do for each field of a type, with its path.
func each(t reflect.Type, path string, do func(i int, path string)) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch p := strings.TrimPrefix(path+"."+name, "."); {
		case f.Anonymous && name == "":
			do(i, path)
		case !isUnseen(p):
			do(i, p)
		}
	}
}

func isUnseen(path string) bool {
	for _, u := range unseen {
		if u.field == path {
			return true
		}
	}
	return false
}

// leaves calls do with each value without parts, and its path.
func leaves(v reflect.Value, path string, do func(leaf reflect.Value, path string)) {
	switch v.Kind() {
	case reflect.Pointer:
		leaves(v.Elem(), path, do)
	case reflect.Slice:
		leaves(v.Index(0), path+"[]", do)
	case reflect.Map:
		if v.Len() == 0 { // unified
			return
		}
		key := v.MapKeys()[0]
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		leaves(value, path+"{}", func(leaf reflect.Value, p string) {
			old := reflect.New(leaf.Type()).Elem()
			old.Set(leaf)
			simple(leaf, p, "x")
			v.SetMapIndex(key, value)
			changed := reflect.New(leaf.Type()).Elem()
			changed.Set(leaf)
			do(changed, p) // the change is in the map by now
			leaf.Set(old)
			v.SetMapIndex(key, value)
		})
	case reflect.Struct:
		each(v.Type(), path, func(i int, p string) { leaves(v.Field(i), p, do) })
	default:
		do(v, path)
	}
}

func group(v2 bool) *cgroup.Group {
	all := []string{"cpu", "cpuset", "memory", "pids", "hugetlb", "rdma"}
	if v2 {
		return &cgroup.Group{Dirs: []cgroup.Dir{{Hierarchy: cgroup.Hierarchy{Controllers: append(all, "io"), Mount: "/cg", V2: true}, Path: "/cg/x"}}}
	}
	return &cgroup.Group{Dirs: []cgroup.Dir{{Hierarchy: cgroup.Hierarchy{Controllers: append(all, "blkio", "devices", "net_cls", "net_prio"), Mount: "/cg"}, Path: "/cg/x"}}}
}

// unified looks at what version 1 refuses, and takes it out.
func unified(t *testing.T, s *specs.Spec) {
	only := &specs.Spec{Linux: &specs.Linux{Resources: &specs.LinuxResources{Unified: s.Linux.Resources.Unified}}}
	rows := Explain(only, &Facts{Group: group(true)})
	if !slices.ContainsFunc(rows, func(r Row) bool { return strings.HasPrefix(r.Field, "linux.resources.unified") && r.Config == "/some" }) {
		t.Errorf("linux.resources.unified isn't told: %v", rows)
	}
	s.Linux.Resources.Unified = nil
}

// told is all that the sides of the configuration say.
func told(s *specs.Spec) string {
	text := ""
	for _, r := range Explain(s, &Facts{Group: group(false), IOPriority: -1}) {
		text += r.Field + "=" + r.Config + ";" + r.Kernel + ";" + r.Note + "\n"
	}
	return text
}

// Every field of the configuration is in a row, or is listed as one that the
// kernel doesn't tell of: whatever value is another one makes the rows others.
func TestEveryFieldIsExplainedOrListedAsUnseen(t *testing.T) {
	t.Parallel()
	s := new(specs.Spec)
	full(reflect.ValueOf(s).Elem(), "")
	unified(t, s)
	before := told(s)
	looked := 0
	leaves(reflect.ValueOf(s).Elem(), "", func(leaf reflect.Value, path string) {
		looked++
		old := reflect.New(leaf.Type()).Elem()
		old.Set(leaf)
		inMap := strings.Contains(path, "{}")
		if !inMap {
			simple(leaf, path, "x")
		}
		if told(s) == before {
			t.Errorf("%s: another value changes nothing", path)
		}
		if !inMap {
			leaf.Set(old)
		}
	})
	if looked < 120 {
		t.Errorf("only %d values were looked at", looked)
	}
	if told(s) != before || strings.Contains(before, "linux.resources=") {
		t.Log(before)
		t.Error("the configuration was not put back, or its limits can't be converted")
	}
}
