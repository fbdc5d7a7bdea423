package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// mends are what differs from the files of runtime-spec v1.3.0, and nothing else may.
var mends = map[string]struct{ published, ours string }{
	"defs.json": {`"$ref": "#definitions/uint32"`, `"$ref": "#/definitions/uint32"`},
	"config-vm.json": {
		`"items": [
                            {
                                "$ref": "defs-vm.json#/definitions/IOMemEntryFormat"
                            }
                        ]`,
		`"items": {
                            "$ref": "defs-vm.json#/definitions/IOMemEntryFormat"
                        }`,
	},
}

// published is the schema directory of the runtime-spec module.
func published(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil || len(bytes.TrimSpace(dir)) == 0 {
		t.Skipf("the directory of the runtime-spec module isn't known: %v", err)
	}
	return filepath.Join(string(bytes.TrimSpace(dir)), "schema")
}

func schemaFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.json")
	if err != nil || len(names) != 13 {
		t.Fatalf("%d schema files, not 13 (%v)", len(names), err)
	}
	return names
}

func TestSchemaFilesAreThePublishedOnesButForTheMends(t *testing.T) {
	t.Parallel()
	dir := published(t)
	for _, name := range schemaFiles(t) {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(want)
		if m, ok := mends[name]; ok {
			if strings.Count(text, m.published) != 1 {
				t.Errorf("%s: the place to mend isn't there once", name)
			}
			text = strings.Replace(text, m.published, m.ours, 1)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("%s (-published and mended, +ours):\n%s", name, diff)
		}
	}
}

// keywords are the words of JSON schema that check understands, and those that assert nothing.
var keywords = map[string]bool{
	"$ref": true, "type": true, "enum": true, "properties": true, "patternProperties": true,
	"additionalProperties": true, "required": true, "items": true, "minItems": true, "pattern": true,
	"minimum": true, "maximum": true, "allOf": true, "anyOf": true,
	"$schema": true, "description": true, "definitions": true,
}

func TestSchemaFilesUseNoOtherWordsThanAreUnderstood(t *testing.T) {
	t.Parallel()
	var schema func(where string, s any)
	each := func(where string, s any) {
		members, ok := s.(map[string]any)
		if !ok {
			t.Errorf("%s: %v isn't an object", where, s)
		}
		for name, s := range members {
			schema(where+"/"+name, s)
		}
	}
	schema = func(where string, s any) {
		body, ok := s.(map[string]any)
		if !ok {
			t.Errorf("%s: %v is no schema", where, s)
			return
		}
		for word, v := range body {
			if !keywords[word] {
				t.Errorf("%s: %q isn't understood", where, word)
			}
			switch list, isList := v.([]any); word {
			case "properties", "patternProperties", "definitions":
				each(where+"/"+word, v)
			case "items", "additionalProperties":
				schema(where+"/"+word, v)
			case "allOf", "anyOf":
				for _, s := range list {
					schema(where+"/"+word, s)
				}
			case "required", "enum":
				if !isList {
					t.Errorf("%s: %q is no list", where, word)
				}
			case "type":
				if _, ok := v.(string); !ok {
					t.Errorf("%s: type %v is no single name", where, v)
				}
			}
		}
	}
	for _, name := range schemaFiles(t) {
		text, _ := files.ReadFile(name)
		document, err := decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if name == "config-schema.json" || strings.HasPrefix(name, "defs") {
			schema(name, document)
		} else {
			each(name, document) // one member, named for the platform
		}
	}
}

func TestTheLibraryIsForTestsAlone(t *testing.T) {
	t.Parallel()
	deps, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	if strings.Contains(string(deps), "jsonschema") {
		t.Error("the library would compile its meta-schemas at the start of every verb")
	}
}

// oracle is the same schema, in a library that knows all of JSON schema.
func oracle(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for _, name := range schemaFiles(t) {
		text, _ := files.ReadFile(name)
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("file:///"+name, document); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("file:///config-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// places gives the paths of findings, in the order of the text.
func places(findings []Finding) []string {
	var paths []string
	for _, f := range findings {
		paths = append(paths, f.Path)
	}
	return paths
}

func TestFindings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, config string
		want         []Finding
	}{
		{"the smallest", `{"ociVersion":"1.0.0"}`, nil},
		{"no version", `{}`, []Finding{{"", `"ociVersion" is required`, false}}},
		{"a list", `[]`, []Finding{{"", `[] is of type array, not object`, false}}},
		{"null is no object", `{"ociVersion":"1","process":null}`, []Finding{{"process", `null is of type null, not object`, false}}},
		{"unknown members", `{"ociVersion":"1","x":1,"linux":{"y":[]}}`, nil},
		{"wrong type deep down", `{"ociVersion":"1","mounts":[{"destination":"/a"},{"destination":"/b","options":["ro",1]}]}`,
			[]Finding{{"mounts[1].options[1]", `1 is of type integer, not string`, false}}},
		{"no destination", `{"ociVersion":"1","mounts":[{}]}`, []Finding{{"mounts[0]", `"destination" is required`, false}}},
		{"too large an id", `{"ociVersion":"1","process":{"cwd":"/","user":{"uid":4294967296}}}`,
			[]Finding{{"process.user.uid", `4294967296 is more than 4294967295`, false}}},
		{"a negative id", `{"ociVersion":"1","process":{"cwd":"/","user":{"uid":-1}}}`,
			[]Finding{{"process.user.uid", `-1 is less than 0`, false}}},
		{"the largest uint64", `{"ociVersion":"1","process":{"cwd":"/","rlimits":[{"type":"RLIMIT_AS","soft":18446744073709551615,"hard":18446744073709551616}]}}`,
			[]Finding{{"process.rlimits[0].hard", `18446744073709551616 is more than 18446744073709551615`, false}}},
		{"a fraction", `{"ociVersion":"1","process":{"cwd":"/","umask":1,"oomScoreAdj":1.5}}`,
			[]Finding{{"process.oomScoreAdj", `1.5 is of type number, not integer`, false}}},
		{"a whole number with a fraction", `{"ociVersion":"1","process":{"cwd":"/","oomScoreAdj":1.0}}`, nil},
		{"a rlimit's name", `{"ociVersion":"1","process":{"cwd":"/","rlimits":[{"type":"nofile","soft":1,"hard":1}]}}`,
			[]Finding{{"process.rlimits[0].type", `"nofile" doesn't match "^RLIMIT_[A-Z]+$"`, false}}},
		{"a namespace's type", `{"ociVersion":"1","linux":{"namespaces":[{"type":"net"}]}}`,
			[]Finding{{"linux.namespaces[0].type", `"net" is none of ["mount","pid","network","uts","ipc","user","cgroup","time"]`, false}}},
		{"an annotation that is no string", `{"ociVersion":"1","annotations":{"a":1,"b":"c"}}`,
			[]Finding{{"annotations.a", `1 is of type integer, not string`, false}}},
		{"no names in a seccomp rule", `{"ociVersion":"1","linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_LOG"}]}}}`,
			[]Finding{{"linux.seccomp.syscalls[0].names", `0 entries, fewer than 1`, false}}},
		{"an irq too large, which only the mended schema sees", `{"ociVersion":"1","vm":{"kernel":{"path":"/k"},"hwConfig":{"irqs":[1,4294967296]}}}`,
			[]Finding{{"vm.hwConfig.irqs[1]", `4294967296 is more than 4294967295`, false}}},
		{"a second iomem, which only the mended schema sees", `{"ociVersion":"1","vm":{"kernel":{"path":"/k"},"hwConfig":{"iomems":[{"firstMFN":1,"nrMFNs":1},{}]}}}`,
			[]Finding{
				{"vm.hwConfig.iomems[1]", `"firstMFN" is required`, false},
				{"vm.hwConfig.iomems[1]", `"nrMFNs" is required`, false},
			}},
		{"a setuid mode is refused by the schema alone", `{"ociVersion":"1","linux":{"devices":[{"type":"c","path":"/dev/x","major":1,"minor":3,"fileMode":2541}]}}`,
			[]Finding{{"linux.devices[0].fileMode", `2541 is more than 511 (the schema's opinion only: the text of the specification allows it)`, true}}},
		{"pids without a limit are refused by the schema alone", `{"ociVersion":"1","linux":{"resources":{"pids":{}}}}`,
			[]Finding{{"linux.resources.pids", `"limit" is required (the schema's opinion only: the text of the specification allows it)`, true}}},
		{"a mode that is no number is not an opinion", `{"ociVersion":"1","linux":{"devices":[{"type":"c","path":"/dev/x","major":1,"minor":3,"fileMode":"0666"}]}}`,
			[]Finding{{"linux.devices[0].fileMode", `"0666" is of type string, not integer`, false}}},
		{"findings come in the order of their paths", `{"process":{"cwd":1},"hostname":2,"ociVersion":"1"}`,
			[]Finding{{"hostname", `2 is of type integer, not string`, false}, {"process.cwd", `1 is of type integer, not string`, false}}},
	}
	library := oracle(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Check([]byte(test.config))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			agree(t, library, []byte(test.config))
		})
	}
}

// agree holds Check's verdict against the library's.
func agree(t *testing.T, library *jsonschema.Schema, config []byte) {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
	if err != nil {
		t.Fatal(err)
	}
	want := library.Validate(document)
	got, err := Check(config)
	if err != nil {
		t.Fatal(err)
	}
	if (want == nil) != (len(got) == 0) {
		t.Errorf("we find %v, the library says %v, of %s", got, want, config)
	}
}

func TestWhatIsNotJSONIsAnError(t *testing.T) {
	t.Parallel()
	for _, config := range []string{"", "{", "{}{}", "{} x", `{"a":1,}`, "\xff", "nul", "01"} {
		if findings, err := Check([]byte(config)); err == nil {
			t.Errorf("%q: no error, but %v", config, findings)
		}
	}
}

// TestVerdictsAgreeWithALibrary takes the specification's own good and bad documents, and
// damages each value of a good one in turn.
func TestVerdictsAgreeWithALibrary(t *testing.T) {
	t.Parallel()
	library := oracle(t)
	documents, err := filepath.Glob(filepath.Join(published(t), "test/config/*/*.json"))
	if err != nil || len(documents) < 10 {
		t.Fatalf("%d documents (%v)", len(documents), err)
	}
	for _, file := range documents {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		findings, err := Check(text)
		good := err == nil && len(findings) == 0
		if want := strings.Contains(file, "/good/"); good != want {
			t.Errorf("%s: good is %v, not %v: %v %v", filepath.Base(file), good, want, places(findings), err)
		}
		if strings.Contains(file, "spec-example") || strings.Contains(file, "linux-") && err == nil {
			damage(t, library, text)
		}
	}
}

// damage replaces each value of a document by two others, in turn, one at a time.
func damage(t *testing.T, library *jsonschema.Schema, text []byte) {
	document, err := decode(text)
	if err != nil {
		t.Fatal(err)
	}
	others := []any{nil, "x", json.Number("-1"), json.Number("1.5"), json.Number("18446744073709551616"),
		[]any{"x"}, map[string]any{}}
	try := func() {
		damaged, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, library, damaged)
	}
	turn := 0
	two := func() []any {
		turn += 2
		return []any{others[turn%len(others)], others[(turn+1)%len(others)]}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				was := v[name]
				for _, other := range two() {
					v[name] = other
					try()
				}
				delete(v, name)
				try()
				v[name] = was
				walk(was)
			}
		case []any:
			for i, was := range v {
				for _, other := range two() {
					v[i] = other
					try()
				}
				v[i] = was
				walk(was)
			}
		}
	}
	walk(document)
}
