package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// go generate ./cmd/minirt makes them new.
func TestManPagesAreThoseOfTheGrammar(t *testing.T) {
	t.Parallel()
	dir, kept := t.TempDir(), "../../docs/man"
	if _, err := (&manFlags{Dir: dir}).Run(nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(filesIn(t, dir), filesIn(t, kept)); diff != "" {
		t.Errorf("%s: made new (-), kept (+):\n%s", kept, diff)
	}
}

func filesIn(t *testing.T, dir string) map[string]string {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}
