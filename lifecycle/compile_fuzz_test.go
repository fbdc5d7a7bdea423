package lifecycle

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/rootfs"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// FuzzCompile: whatever bytes stand in config.json, they are refused, or give a
// plan that Check accepts, that can be printed and that an image is made of: in
// time, and in memory, that the size of the config bounds.
func FuzzCompile(f *testing.F) {
	for _, name := range exampleNames(f) {
		b, err := os.ReadFile(filepath.Join(examples, name, "config.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(0))
		f.Add(b, uint8(0xff))
	}
	f.Fuzz(compileAnything)
}

// FuzzCompileEditedExamples reaches further than bytes do: one value anywhere
// in an example is replaced by another.
func FuzzCompileEditedExamples(f *testing.F) {
	names := exampleNames(f)
	for i := range names {
		for j, value := range []string{`""`, `0`, `-1`, `18446744073709551615`, `null`, `{}`, `[]`, `"/"`, `"/../.."`, `true`, `["bind","ro","remount"]`} {
			f.Add(uint8(i), uint16(31*i+17*j), value, uint8(j))
		}
	}
	f.Fuzz(func(t *testing.T, example uint8, place uint16, value string, host uint8) {
		var new any
		if json.Unmarshal([]byte(value), &new) != nil {
			new = value
		}
		var config any
		b, err := os.ReadFile(filepath.Join(examples, names[int(example)%len(names)], "config.json"))
		if err == nil {
			err = json.Unmarshal(b, &config)
		}
		if err != nil {
			t.Fatal(err)
		}
		n := int(place)
		b, err = json.Marshal(edited(config, &n, new))
		if err != nil {
			t.Skip(err)
		}
		compileAnything(t, b, host)
	})
}

// edited gives v with its nth value, counted in the order in which JSON has
// them, replaced by another.
func edited(v any, n *int, new any) any {
	if *n--; *n < 0 {
		*n = 1 << 30
		return new
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			v[k] = edited(v[k], n, new)
		}
	case []any:
		for i := range v {
			v[i] = edited(v[i], n, new)
		}
	}
	return v
}

func compileAnything(t *testing.T, config []byte, host uint8) {
	s, _, err := spec.Load(config)
	if err != nil {
		return
	}
	if faults, _ := rootfs.Check(s); len(faults) > 0 || s.Root == nil {
		return // create stops here, too
	}
	began := time.Now()
	own, _ := plan.ArchOf(runtime.GOARCH)
	for _, arch := range arches {
		h := fixedHost(s, arch)
		if host&1 != 0 {
			hybrid(h)
		}
		if host&2 != 0 {
			ordinaryUser(h)
		}
		h.Rootfs.OpenTreeAttr = host&4 == 0
		h.Rootfs.NoPivot = host&8 != 0
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := Compile(s, h)
		runtime.ReadMemStats(&after)
		if n, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+4000*len(config)); n > most {
			t.Fatalf("%d bytes of config took %d of memory, more than %d", len(config), n, most)
		}
		if err != nil {
			continue
		}
		fits(t, config, s, c)
		if arch == own {
			imageBytes(t, c)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("%d bytes of config took %v", len(config), took)
	}
}

// fits tells whether a plan holds what is promised of every plan.
func fits(t *testing.T, config []byte, s *specs.Spec, c *Compiled) {
	t.Helper()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	if n := 48*len(c.Steps) + len(c.Data) + len(c.Cells); n > 1<<16+1000*len(config) {
		t.Fatalf("%d bytes of config give %d of plan: %d steps, %d of data, %d of cells", len(config), n, len(c.Steps), len(c.Data), len(c.Cells))
	}
	if c.Text() == "" {
		t.Fatal("nothing is printed")
	}
	for i := range c.Steps {
		if c.words(s, i).explain(nil, unix.EPERM).Error() == "" {
			t.Fatalf("step %d fails without a word", i)
		}
	}
}
