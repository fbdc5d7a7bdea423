package bundles

import (
	"path/filepath"
	"testing"
)

func TestADirectoryIsMadeAbsoluteAsFilepathDoes(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", ".", "..", "a", "./a/../b/", "/", "//a//b/../c", "/..", "../../../../../../../../x"} {
		want, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := lexical(dir); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", dir, got, err, want)
		}
	}
}
