package conformance

import (
	"encoding/json"
	"maps"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minirt/minirt/bundles/schema"
	"github.com/minirt/minirt/spec"
)

// A difference is a class of what one of Load and the schema says alone: "path: text" fits it.
type difference struct {
	fits *regexp.Regexp
	why  string
}

func differs(fits, why string) difference { return difference{regexp.MustCompile(fits), why} }

// textOnly is what the specification's text wants, and its schema can't say or doesn't.
var textOnly = []difference{
	differs(`^ociVersion: `, "the schema takes any string, the text SemVer 2.0.0"),
	differs(`^root(\.path)?: is (required|empty)$`, "required on Linux"),
	differs(` is not absolute$`, "to the schema a path is a string"),
	differs(`^mounts\[\d+\]\.(type|source|destination): is (required|empty)`, "the mount can't be made without"),
	differs(`^process\.(user|user\.[ug]id|args|cwd): (is required|needs at least one entry)`, "required by the text"),
	differs(` is given twice, first in `, "of limits and namespaces one of a kind"),
	differs(` overlaps with | is not mapped by `, "the kernel takes no such mapping, or id"),
	differs(`: .*needs a namespace of type `, "else it would be the host's"),
	differs(` is out of range, want `, "numbers that the kernel, or specs-go's type, has no room for"),
	differs(`^linux\.resources\.devices\[\d+\]\.(access|type): `, "types and letters that the text lists"),
	differs(` is more than hard, which is `, "the kernel refuses it"),
	differs(`^linux\.netDevices\..* is not an interface's name$`, "no name that the kernel takes"),
	differs(`: needs hcaHandles or hcaObjects$`, "the text wants one of both"),
	differs(`^annotations\[""\]: `, "the text wants a name"),
}

// schemaOnly is what the schema wants, and the text doesn't.
var schemaOnly = []difference{
	differs(`: null is of type null, not `, "null is an absent value, as in specs-go's own decoding; engines write it"),
	differs(`^linux\.rootfsPropagation: "" is none of `, "an empty word is an absent one, as in specs-go"),
	differs(`^process\.consoleSize`, "ignored without a terminal"),
	differs(`^(freebsd|solaris|vm|windows|zos)[.:]`, "blocks of other platforms mean nothing on Linux"),
}

// specDir is the directory of the specification's module.
func specDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		t.Skipf("no module of the specification: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// disagree holds what Load says about a config against what the schema says, and
// gives each difference that isn't explained.
func disagree(t *testing.T, config []byte) (differences []string) {
	t.Helper()
	_, _, err := spec.Load(config)
	faults, ok := err.(spec.Faults)
	if err != nil && !ok {
		t.Fatal(err)
	}
	findings, err := schema.Check(config)
	if err != nil {
		if len(faults) == 0 {
			return []string{"Load takes what isn't JSON: " + err.Error()}
		}
		return nil
	}
	switch {
	case len(faults) > 0 && len(findings) == 0:
		for _, f := range faults {
			if text := f.Path + ": " + f.Text; !explained(textOnly, text) {
				differences = append(differences, "only Load: "+text)
			}
		}
	case len(faults) == 0 && len(findings) > 0:
		for _, f := range findings {
			if text := f.Path + ": " + f.Text; !f.Opinion && !explained(schemaOnly, text) {
				differences = append(differences, "only the schema: "+text)
			}
		}
	}
	return differences
}

func explained(list []difference, text string) bool {
	return slices.ContainsFunc(list, func(d difference) bool { return d.fits.MatchString(text) })
}

// The specification's own examples of good and bad configs.
func TestLoadAgreesWithTheSchemaOnTheSpecificationsExamples(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(specDir(t), "schema/test/config")
	for _, kind := range []string{"good", "bad"} {
		files, _ := filepath.Glob(filepath.Join(dir, kind, "*.json"))
		if len(files) == 0 {
			t.Fatalf("no %s examples in %s", kind, dir)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range disagree(t, b) {
				t.Errorf("%s/%s: %s", kind, filepath.Base(name), d)
			}
		}
	}
}

// seeds are the configs that others are made of: the good examples, and those of bundles.
func seeds(t *testing.T) (list []any) {
	t.Helper()
	good, _ := filepath.Glob(filepath.Join(specDir(t), "schema/test/config/good/*.json"))
	own, _ := filepath.Glob("../../bundles/examples/*/config.json")
	for _, name := range slices.Concat(good, own) {
		b, err := os.ReadFile(name)
		var v any
		if err == nil {
			err = json.Unmarshal(b, &v)
		}
		if err != nil {
			t.Fatal(name, err)
		}
		list = append(list, v)
	}
	return list
}

// values are what takes the place of others.
var values = []string{`null`, `true`, `0`, `-1`, `1.5`, `4294967296`, `18446744073709551616`, `""`, `"x"`, `"/"`, `"RLIMIT_CORE"`,
	`"CAP_CHOWN"`, `"SCMP_ACT_ERRNO"`, `"private"`, `"rwm"`, `"SIGTERM"`, `"2.0.0"`, `[]`, `[null]`, `["x"]`, `[1]`, `{}`, `{"x":1}`, `{"":""}`}

// TestLoadAgreesWithTheSchemaOnTenThousandConfigs changes examples in one or two
// places: another value, a member less, one of another object's.
func TestLoadAgreesWithTheSchemaOnTenThousandConfigs(t *testing.T) {
	t.Parallel()
	const configs = 10_000
	random := rand.New(rand.NewSource(1))
	from := seeds(t)
	seen := map[string]bool{}
	refused := 0
	for range configs {
		v := clone(from[random.Intn(len(from))])
		for range 1 + random.Intn(2) {
			v = change(random, v)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := spec.Load(b); err != nil {
			refused++
		}
		for _, d := range disagree(t, b) {
			if !seen[d] {
				seen[d] = true
				t.Error(d)
			}
		}
	}
	if refused < configs/10 || refused > configs*9/10 {
		t.Errorf("%d of %d were refused: they show little", refused, configs)
	}
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for k, m := range v {
			c[k] = clone(m)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, m := range v {
			c[i] = clone(m)
		}
		return c
	}
	return v
}

// change changes one place below v.
func change(random *rand.Rand, v any) any {
	other := func() (o any) { json.Unmarshal([]byte(values[random.Intn(len(values))]), &o); return o }
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 {
			return other()
		}
		k := keys[random.Intn(len(keys))]
		switch n := random.Intn(20); {
		case n == 0:
			delete(v, k)
		case n == 1:
			v[k] = other()
		default:
			v[k] = change(random, v[k])
		}
		return v
	case []any:
		if len(v) == 0 || random.Intn(10) == 0 {
			return append(v, other())
		}
		i := random.Intn(len(v))
		if random.Intn(10) == 0 {
			return append(v, clone(v[i])) // the same twice
		}
		v[i] = change(random, v[i])
		return v
	}
	return other()
}
