package conformance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// base is the configuration that each test starts from: the probe, as root
// with a few capabilities, in namespaces of its own. Version 1.0.2 is what
// every runtime knows.
func base(cgroup string) *specs.Spec {
	some := []string{"CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"}
	return &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{
			Args: []string{"/bin/probe"}, Env: []string{"PATH=/bin"}, Cwd: "/",
			Capabilities: &specs.LinuxCapabilities{Bounding: some, Effective: some, Permitted: some},
		},
		Root:     &specs.Root{Path: "rootfs"},
		Hostname: "box",
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755", "size=65536k"}},
		},
		Linux: &specs.Linux{
			CgroupsPath: cgroup,
			Namespaces:  []specs.LinuxNamespace{{Type: "pid"}, {Type: "mount"}, {Type: "ipc"}, {Type: "uts"}, {Type: "network"}},
		},
	}
}

// Places in base that tests name often.
const (
	pidNS, mountNS, ipcNS, utsNS, netNS = "linux.namespaces[0]", "linux.namespaces[1]", "linux.namespaces[2]", "linux.namespaces[3]", "linux.namespaces[4]"
	oneMore                             = "linux.namespaces[+]" // behind the last
)

// An edit changes a configuration. Configurations are JSON values here and no
// specs.Spec, since much of what is to be refused can't be said in one.
type edit func(t *testing.T, config any) any

// set puts a value at a path such as mounts[2].options; [+] is a new element,
// and what a path leads through is made where it is missing. Keys of maps that
// have dots can't be named: set the whole map.
func set(path string, value any) edit {
	return func(t *testing.T, config any) any { return put(t, config, split(path), plain(t, value)) }
}

// drop takes out a member of an object.
func drop(path string) edit {
	return func(t *testing.T, config any) any { return put(t, config, split(path), gone{}) }
}

// args sets the program.
func args(a ...string) edit { return set("process.args", a) }

// shell sets the program to a script of busybox's.
func shell(script string) edit { return args("/bin/sh", "-c", script) }

// user makes a user namespace with the first ids of a range of the host's.
func user(namespace string) edit {
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 65536}}
	return all(set(namespace+".type", "user"), set("linux.uidMappings", ids), set("linux.gidMappings", ids))
}

// all makes one edit of several.
func all(edits ...edit) edit {
	return func(t *testing.T, config any) any {
		for _, e := range edits {
			config = e(t, config)
		}
		return config
	}
}

type gone struct{}

// raw is a value that is written into config.json as it stands.
type raw = json.RawMessage

// plain turns a value into what encoding/json makes of it, numbers as they are written.
func plain(t *testing.T, value any) any {
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// split cuts a path into keys and, for elements, "[N]".
func split(path string) []string {
	var parts []string
	for _, p := range strings.Split(path, ".") {
		key, rest, indexed := strings.Cut(p, "[")
		if key != "" {
			parts = append(parts, key)
		}
		if indexed {
			for _, i := range strings.Split(rest, "[") {
				parts = append(parts, "["+i)
			}
		}
	}
	return parts
}

// put gives the value with what path leads to replaced.
func put(t *testing.T, at any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	if i, ok := strings.CutPrefix(path[0], "["); ok {
		list, _ := at.([]any)
		n, err := strconv.Atoi(strings.TrimSuffix(i, "]"))
		if i == "+]" {
			n, err = len(list), nil
		}
		if err != nil || n > len(list) {
			t.Fatalf("no element %s in %v", path[0], at)
		}
		if n == len(list) {
			list = append(list, nil)
		}
		list[n] = put(t, list[n], path[1:], value)
		if list[n] == (gone{}) {
			list = append(list[:n], list[n+1:]...)
		}
		return list
	}
	object, _ := at.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	object[path[0]] = put(t, object[path[0]], path[1:], value)
	if object[path[0]] == (gone{}) {
		delete(object, path[0])
	}
	return object
}

func TestEditsReachWhatTheyName(t *testing.T) {
	config := plain(t, raw(`{"a":{"b":[{"c":1},{"c":2}]}}`))
	config = all(set("a.b[1].c", 3), set("a.b[+].d", "x"), drop("a.b[0].c"), set("e.f", true))(t, config)
	got, _ := json.Marshal(config)
	if want := `{"a":{"b":[{},{"c":3},{"d":"x"}]},"e":{"f":true}}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := fmt.Sprint(split("a.b[1][+].c")); got != "[a b [1] [+] c]" {
		t.Error(got)
	}
}
