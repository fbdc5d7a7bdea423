package main

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/minirt/minirt/hack/decoder/testdata/kinds"
)

var update = flag.Bool("update", false, "write the decoder of testdata/kinds")

// Every line of go:generate in this module that runs the decoder must give the
// file that is there.
func TestGeneratedDecodersAreWhatTheTypesSay(t *testing.T) {
	const command = "//go:generate go run ../hack/decoder "
	found := 0
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		for line := range strings.Lines(string(data)) {
			if args, ok := strings.CutPrefix(line, command); ok {
				found++
				upToDate(t, filepath.Dir(path), strings.Fields(args))
			}
		}
		return err
	})
	if err != nil || found == 0 {
		t.Fatalf("%d lines found: %v", found, err)
	}
}

func upToDate(t *testing.T, dir string, args []string) {
	t.Run(filepath.Base(dir), func(t *testing.T) {
		j, out, err := arguments(args)
		if err != nil {
			t.Fatal(err)
		}
		j.dir = dir
		want, err := j.generate()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, out))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("go generate would write -, there is +:\n%s", diff)
		}
	})
}

// The text of a decoder for every kind of field, to be read by people.
func TestAllKindsOfFieldsHaveADecoder(t *testing.T) {
	j := job{dir: ".", src: "./testdata/kinds", types: []string{"Record"}, pkg: "kinds", required: "testdata/kinds/required.txt"}
	got, err := j.generate()
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/kinds/decode_gen.go"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("wanted -, got + (-update writes it):\n%s", diff)
	}
}

func TestADecoderOfAllKindsAgreesWithEncodingJSON(t *testing.T) {
	for _, doc := range []string{
		`{"id":"a","start":18446744073709551615,"kind":"k","small":-128,"on":true,"ratio":-1.5e3,"any":{"a":[1,null,"x"]},
		  "mode":420,"after":-5,"ptr":{"deep":[{"a":1,"b":null},null]},"list":["a",null],"kinds":["x"],"ids":[1,null],
		  "inners":[{},null],"ptrs":[{"deep":[]},null],"lists":[[true,null],null,[]],"labels":{"a":"b","c":null},
		  "inside":{"a":{"deep":null}},"deep":[],"named":{"deep":[{}]},"Untag":-9223372036854775808}`,
		`{"id":"x","start":0}`,
		`{"id":"x","start":0,"ptr":null,"list":null,"labels":null,"any":null,"named":null,"on":null}`,
	} {
		var want kinds.Record
		if err := json.Unmarshal([]byte(doc), &want); err != nil {
			t.Fatal(err)
		}
		got, err := kinds.Read([]byte(doc))
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(kinds.Record{})); diff != "" || err != nil {
			t.Errorf("%s: %v\nencoding/json -, ours +:\n%s", doc, err, diff)
		}
	}
	for doc, want := range map[string]string{
		`{"id":"a"}`:           "start: is required (line 1, column 1)",
		`{"id":"a","start":1}`: "kind: is required (line 1, column 1)",
		`{"id":"a","start":1,"kind":"k","small":128}`: "small: 128 is out of range, want an integer from -128 to 127 (line 1, column 40)",
		`{"id":"x","start":1,"ratio":1e999}`:          "ratio: 1e999 is out of range, want a number of 64 bits (line 1, column 29)",
		"{\n":                                         "unexpected end of the document, want a member's name (line 2, column 1)",
	} {
		if _, err := kinds.Read([]byte(doc)); errorText(err) != want {
			t.Errorf("%s: got %v, want %s", doc, err, want)
		}
	}
}

func TestWhatHasNoDecoderIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"type T struct { A chan int }":                             "T: no decoder for a type such as *ast.ChanType",
		"type T struct { A [3]int }":                               "T: no decoder for a type such as *ast.ArrayType",
		"type T struct { A map[int]string }":                       "T: no decoder for a type such as *ast.MapType",
		"type T struct { A []byte }":                               "T: no type byte in package p",
		"type T struct { A []uint8 }":                              "T: no decoder for bytes in base64",
		"type T struct { A interface{ F() } }":                     "T: no decoder for a type such as *ast.InterfaceType",
		"type T struct { A int `json:\"a,string\"` }":              "T: no decoder for the tag option string",
		"type T struct { *U }; type U struct{}":                    "T: no decoder for an embedded ",
		"type T struct { A, B int `json:\"a\"` }":                  `T has two fields for "a"`,
		"type T struct { A Missing }":                              "T: no type Missing in package p",
		"type T struct { A os.File }":                              "T: no import named os",
		"type U struct { A int }":                                  "no type T in package p",
		"type T struct { " + strings.Repeat("A, ", 64) + "A int }": "T has more than 64 fields",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte("package p\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := job{dir: dir, src: ".", types: []string{"T"}, pkg: "p"}.generate()
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestRequiredMembersMustExist(t *testing.T) {
	for text, want := range map[string]string{
		"T a\n\n# no\n":  "",
		"T a unless b=x": "",
		"T c":            "T has not all of the members [c]",
		"T a unless c=x": "T has no member c",
		"U a":            "required members of unknown types: [U]",
	} {
		dir := t.TempDir()
		for name, content := range map[string]string{"p.go": "package p\ntype T struct { A int `json:\"a\"`; B string `json:\"b\"` }", "r": text} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := job{dir: dir, src: ".", types: []string{"T"}, pkg: "p", required: "r"}.generate()
		if got := errorText(err); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
