package conformance

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// fields lists the config paths of a type's fields: members of lists stand
// under [], values of maps under {}. Other platforms' blocks are one field each.
func fields(t reflect.Type, path string) (list []string) {
	switch t.Kind() {
	case reflect.Pointer:
		return fields(t.Elem(), path)
	case reflect.Slice:
		return fields(t.Elem(), path+"[]")
	case reflect.Map:
		return fields(t.Elem(), path+"{}")
	case reflect.Struct:
	default:
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			list = append(list, fields(f.Type, path)...)
			continue
		}
		p := strings.TrimPrefix(path+"."+name, ".")
		list = append(list, p)
		switch p {
		case "solaris", "windows", "vm", "zos", "freebsd":
		default:
			list = append(list, fields(f.Type, p)...)
		}
	}
	return list
}

const supportFile = "../../docs/support.md"

// rows reads the table of docs/support.md: the path in config.json, and the rest of the row.
func supportRows(t *testing.T) (paths []string, rest map[string]string) {
	f, err := os.Open(supportFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rest = map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if line, ok := strings.CutPrefix(s.Text(), "| `"); ok {
			path, after, _ := strings.Cut(line, "`")
			if _, twice := rest[path]; twice {
				t.Errorf("%s stands twice", path)
			}
			paths, rest[path] = append(paths, path), after
		}
	}
	return paths, rest
}

// docs/support.md has a row for every field of the configuration, in the order
// of specs-go, and for nothing else.
func TestEveryFieldOfTheConfigurationHasARowOfSupport(t *testing.T) {
	paths, _ := supportRows(t)
	want := fields(reflect.TypeFor[specs.Spec](), "")
	for _, p := range want {
		if !slices.Contains(paths, p) {
			t.Errorf("no row for %s", p)
		}
	}
	for _, p := range paths {
		if !slices.Contains(want, p) {
			t.Errorf("a row for %s, which the specification doesn't have", p)
		}
	}
	if !t.Failed() && !slices.Equal(paths, want) {
		t.Error("the rows are not in the order of specs-go")
	}
}

// What a row names is there: files, and tests that would show it.
func TestTheFilesAndTestsOfSupportExist(t *testing.T) {
	var tests []string
	out, err := exec.Command("grep", "-rhoE", "--include=*_test.go", `^func Test[A-Za-z0-9_]+`, "../..").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		tests = append(tests, strings.TrimPrefix(strings.TrimSpace(line), "func "))
	}
	files := regexp.MustCompile("`([a-z0-9/_]+\\.(go|txt))`")
	names := regexp.MustCompile(`\bTest[A-Za-z0-9_]+`)
	paths, rest := supportRows(t)
	for _, p := range paths {
		cells := strings.Split(rest[p], "|")
		if len(cells) != 5 || slices.ContainsFunc(cells[1:4], func(c string) bool { return strings.TrimSpace(c) == "" }) {
			t.Errorf("%s: not four full cells: %s", p, rest[p])
			continue
		}
		for _, m := range files.FindAllStringSubmatch(rest[p], -1) {
			if _, err := os.Stat(filepath.Join("../..", m[1])); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		}
		for _, name := range names.FindAllString(rest[p], -1) {
			if !slices.Contains(tests, name) {
				t.Errorf("%s: no test is called %s", p, name)
			}
		}
	}
}
