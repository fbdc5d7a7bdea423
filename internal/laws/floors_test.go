package laws

import (
	"slices"
	"strings"
	"testing"
)

// floors are the floors of the house, from the top: a package imports those
// of lower floors alone. A room of internal that isn't named stands on the
// floor "internal": it knows the rooms below, and none beside it.
var floors = [][]string{
	{"cmd"},
	{"bundles/image", "internal/explain", "internal/network", "internal/top"}, // cold: what nobody waits for
	{"cmd/minirt/hot"},   // the verbs that are run before kong begins
	{"cmd/minirt/early"}, // and what is done before Go does: it imports nothing
	{"lifecycle"},
	{"internal", "bundles"},   // and bundles/…
	{"internal/systemd/unit"}, // values: what the driver asks systemd for, made of the cgroups' writes
	{"spec", "rootfs", "internal/seccomp", "internal/cgroup", "internal/stage"}, // each a chapter of its own
	{"internal/plan", "internal/json"},
	{"internal/kernel"},
}

func floor(pkg string) int {
	best, length := -1, -1
	for i, list := range floors {
		for _, p := range list {
			if (pkg == p || strings.HasPrefix(pkg, p+"/")) && len(p) > length {
				best, length = i, len(p)
			}
		}
	}
	return best
}

func TestImportsGoDownOnly(t *testing.T) {
	for _, f := range program(t) {
		if floor(f.pkg) < 0 {
			t.Errorf("%s: package %s stands on no floor", f.name, f.pkg)
			continue
		}
		for _, p := range f.imports {
			below, ours := strings.CutPrefix(p, module)
			if ours && floor(below) <= floor(f.pkg) && below != f.pkg {
				t.Errorf("%s imports %s, which is not on a lower floor", f.name, below)
			}
		}
	}
}

// cold are the rooms whose packages may import what costs time at start: those
// of the second floor, and two below that are careful with it.
var cold = append([]string{"cmd", "bundles"}, floors[1]...)

func TestSomeImportsHaveTheirRooms(t *testing.T) {
	laws := []struct {
		what  string   // the import's path, or what it begins with
		rooms []string // packages, with those below, and single files
	}{
		{"github.com/alecthomas/kong", []string{"cmd/minirt"}}, // and not its room hot: see below
		{"github.com/sirupsen/logrus", []string{"cmd", "lifecycle"}},
		{"unsafe", []string{"internal/stage", "internal/listener", "internal/cgroup/bpf.go", "cmd/minirt/early"}}, // bpf(2) takes a pointer within a struct
		{"C", nil},
		{"plugin", nil},
		{"net/http", nil},
		{"text/template", nil},
		{"html/template", nil},
		{"math/rand", nil},
		{"os/exec", nil}, // not even where a program is to be run: its goroutines and its look at PATH (SEC-27)
		{"testing", nil},
		// What costs time at start or run time is for verbs that nobody waits for:
		{"reflect", cold},
		{"regexp", []string{"bundles/schema", "cmd"}},
		{"encoding/json", cold},
		{"fmt", cold},
		{"github.com/vishvananda/netlink", []string{"internal/network"}},
		{"github.com/google/nftables", []string{"internal/network"}},
		{"github.com/containernetworking/cni", []string{"internal/network/cni"}},
		{"log", nil},
		{"io/ioutil", nil},
	}
	for _, f := range program(t) {
		for _, p := range f.imports {
			for _, l := range laws {
				if p != l.what && !strings.HasPrefix(p, l.what+"/") {
					continue
				}
				in := func(room string) bool {
					return f.name == room || f.pkg == room || strings.HasPrefix(f.pkg, room+"/")
				}
				if !slices.ContainsFunc(l.rooms, in) {
					t.Errorf("%s imports %q, which is for %v alone", f.name, p, l.rooms)
				}
			}
		}
	}
}

func TestNothingButTheStageIsAssembly(t *testing.T) {
	for _, f := range program(t) {
		for _, g := range f.tree.Comments {
			for _, c := range g.List {
				if strings.HasPrefix(c.Text, "//go:linkname") || strings.HasPrefix(c.Text, "//go:cgo") || strings.HasPrefix(c.Text, "//export ") {
					t.Errorf("%s: %s", f.line(c), c.Text)
				}
			}
		}
	}
}

// The verbs that engines wait for are run before kong and what it brings begin:
// their package knows none of that, nor anything that Go starts after them.
func TestTheHotVerbsKnowNothingOfKong(t *testing.T) {
	late := []string{"github.com/", "encoding/json", "regexp", "net", "path/filepath", "os/user", "log", "fmt", "text", "go/"}
	for _, f := range program(t, "cmd/minirt/hot", "lifecycle") {
		for _, p := range f.imports {
			if strings.HasPrefix(p, module) || strings.HasPrefix(p, "github.com/opencontainers/runtime-spec/") {
				continue
			}
			for _, l := range late {
				if p == l || strings.HasPrefix(p, l+"/") || strings.HasSuffix(l, "/") && strings.HasPrefix(p, l) {
					t.Errorf("%s imports %q", f.name, p)
				}
			}
		}
	}
}
