package hot

import (
	"path/filepath"
	"testing"
)

func TestTheRootIsMadeAbsolute(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"a", "./a/", "../b", "/r/", "/a/../b"} {
		want, err := filepath.Abs(root)
		if err != nil {
			t.Fatal(err)
		}
		g := Globals{Root: root}
		if r, err := g.Runtime(nil); err != nil || r.Root != want {
			t.Errorf("%q: %+v, %v; want %q", root, r, err, want)
		}
	}
	for _, root := range []string{"/", "//", "/a/.."} {
		g := Globals{Root: root}
		if _, err := g.Runtime(nil); err == nil {
			t.Errorf("%q is taken", root)
		}
	}
}
