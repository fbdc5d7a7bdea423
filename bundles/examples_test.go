package bundles

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/bundles/schema"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// update writes the examples anew: those that are values of this package from
// it, and the others as Write lays them out.
var update = flag.Bool("update", false, "write examples/*/config.json anew")

// made are the examples that this package makes.
var made = map[string]*specs.Spec{
	"default":  Default(false),
	"rootless": Rootless(1000, 1000, false),
}

// examples gives the name of each example.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("examples/*/config.json")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	if len(names) < 8 {
		t.Fatalf("only %d examples", len(names))
	}
	return names
}

// example reads an example strictly: a member that specs-go doesn't know is an error.
func example(t *testing.T, name string) (spec *specs.Spec, text []byte) {
	t.Helper()
	b, err := Open(filepath.Join("examples", name))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b.Config))
	d.DisallowUnknownFields()
	if err := d.Decode(&spec); err != nil {
		t.Fatal(err)
	}
	return spec, b.Config
}

func TestMain(m *testing.M) {
	flag.Parse()
	if *update {
		if err := updateExamples(); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func updateExamples() error {
	specOf := map[string]*specs.Spec{}
	files, _ := filepath.Glob("examples/*/config.json")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		spec := new(specs.Spec)
		if err := json.Unmarshal(text, spec); err != nil {
			return err
		}
		specOf[filepath.Base(filepath.Dir(file))] = spec
	}
	for name, spec := range made {
		specOf[name] = spec
	}
	for name, spec := range specOf {
		dir := filepath.Join("examples", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		text, err := encode(spec)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func TestExamplesAreLaidOutAsWriteDoesIt(t *testing.T) {
	t.Parallel()
	for _, name := range examples(t) {
		spec, text := example(t, name)
		if m, ok := made[name]; ok {
			spec = m
		}
		want, err := encode(spec)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(text)); diff != "" {
			t.Errorf("%s (go test ./bundles -update writes it anew) (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheSchemaFindsNothingInTheExamples(t *testing.T) {
	t.Parallel()
	for _, name := range examples(t) {
		_, text := example(t, name)
		findings, err := schema.Check(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			t.Errorf("%s: %s: %s", name, f.Path, f.Text)
		}
	}
}

func TestExamplesNeedNothingThatIsNotThere(t *testing.T) {
	t.Parallel()
	for _, name := range examples(t) {
		spec, _ := example(t, name)
		if spec.Root.Path != "rootfs" {
			t.Errorf("%s: root.path is %q", name, spec.Root.Path)
		}
		if _, err := os.Lstat(filepath.Join("examples", name, "rootfs")); err == nil {
			t.Errorf("%s: has a rootfs", name)
		}
		for i, m := range spec.Mounts {
			if !isBind(m) {
				continue
			}
			source := m.Source
			if !strings.HasPrefix(source, "/") {
				source = filepath.Join("examples", name, source)
			}
			if _, err := os.Stat(source); err != nil {
				t.Errorf("%s: mounts[%d]: %v", name, i, err)
			}
		}
	}
}

func isBind(m specs.Mount) bool {
	for _, o := range m.Options {
		if o == "bind" || o == "rbind" {
			return true
		}
	}
	return false
}

func TestEachExampleHasItsLineInTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("examples/README.md")
	if err != nil {
		t.Fatal(err)
	}
	names := examples(t)
	for _, name := range names {
		if !bytes.Contains(readme, []byte("\n- `"+name+"`: ")) {
			t.Errorf("%s isn't in examples/README.md", name)
		}
	}
	if lines := bytes.Count(readme, []byte("\n- `")); lines != len(names) {
		t.Errorf("%d lines for %d examples", lines, len(names))
	}
}
