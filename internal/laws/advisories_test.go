package laws

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// advisories is how many there are, SEC-01 to SEC-60.
const advisories = 60

// later are those about verbs that don't exist yet. A row goes as soon as its
// number stands in code and in a test.
var later = map[string]string{
	"SEC-28": "checkpoint and restore",
	"SEC-32": "exec --apparmor",
	"SEC-50": "mounts add",
}

func TestEveryAdvisoryStandsInCodeAndInATest(t *testing.T) {
	number := regexp.MustCompile(`SEC-?[0-9]{2}\b`)
	code, test := map[string]string{}, map[string]string{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		of := code
		switch {
		case strings.Contains(path, "/internal/laws/") || strings.HasSuffix(path, "advisories_test.go"):
			return nil
		case strings.HasSuffix(path, "_test.go"), strings.HasSuffix(path, ".txt") && strings.Contains(path, "/testdata/"):
			of = test
		case strings.HasPrefix(path, "../../hack/"), !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".s"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, n := range number.FindAllString(string(text), -1) {
			of["SEC-"+n[len(n)-2:]] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= advisories; i++ {
		n := fmt.Sprintf("SEC-%02d", i)
		why, isLater := later[n]
		done := code[n] != "" && test[n] != ""
		switch {
		case isLater && done:
			t.Errorf("%s (%s) stands in %s and %s: it is no longer for later", n, why, code[n], test[n])
		case !isLater && !done:
			t.Errorf("%s: in code %q, in a test %q", n, code[n], test[n])
		}
	}
}
