package image

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhiteoutsRemoveWhatLowerLayersHaveMade(t *testing.T) {
	t.Parallel()
	lower := []entry{dir("a"), dir("a/b"), dir("a/b/c"), file("a/b/c/bar", ""), file("a/x", ""), link("l", "a"), file("f", ""), file("..dots", "")}
	tests := []struct {
		name  string
		upper []entry
		want  string
	}{
		{"nothing", nil, ". ..dots a a/b a/b/c a/b/c/bar a/x f l"},
		{"a file", []entry{file(".wh.f", "")}, ". ..dots a a/b a/b/c a/b/c/bar a/x l"},
		{"a name with dots", []entry{file(".wh...dots", "")}, ". a a/b a/b/c a/b/c/bar a/x f l"},
		{"a tree", []entry{file("a/.wh.b", "")}, ". ..dots a a/x f l"},
		{"a link and not its target", []entry{file(".wh.l", "")}, ". ..dots a a/b a/b/c a/b/c/bar a/x f"},
		{"a file through a link", []entry{file("l/.wh.x", "")}, ". ..dots a a/b a/b/c a/b/c/bar f l"},
		{"all", []entry{file("a/.wh..wh..opq", "")}, ". ..dots a f l"},
		{"all of the root", []entry{file(".wh..wh..opq", "")}, "."},
		{"what isn't there", []entry{file(".wh.none", ""), file("none/.wh.x", ""), file("f/.wh.x", ""), file("none/.wh..wh..opq", "")}, ". ..dots a a/b a/b/c a/b/c/bar a/x f l"},
		{"what isn't of this layer, the whiteout first", []entry{file("a/.wh..wh..opq", ""), dir("a/b"), dir("a/b/c"), file("a/b/c/foo", "")}, ". ..dots a a/b a/b/c a/b/c/foo f l"},
		{"what isn't of this layer, the whiteout last", []entry{dir("a/b"), dir("a/b/c"), file("a/b/c/foo", ""), file("a/.wh..wh..opq", "")}, ". ..dots a a/b a/b/c a/b/c/foo f l"},
		{"a tree of which this layer names a part only", []entry{file("a/b/c/foo", ""), file("a/.wh.b", "")}, ". ..dots a a/b a/b/c a/b/c/foo a/x f l"},
		{"a file that this layer has anew", []entry{file("f", "new"), file(".wh.f", "")}, ". ..dots a a/b a/b/c a/b/c/bar a/x f l"},
		{"a file with a new name", []entry{hard("g", "f"), file(".wh.f", "")}, ". ..dots a a/b a/b/c a/b/c/bar a/x g l"},
		{"a file through a link, with a new one", []entry{file("l/y", ""), file("a/.wh..wh..opq", "")}, ". ..dots a a/y f l"},
		{"aufs's own", []entry{dir(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", ""), file(".wh..wh.aufs", "")}, ". ..dots a a/b a/b/c a/b/c/bar a/x f l"},
	}
	for _, test := range tests {
		rootfs := deploy(t, imageOf(t, layer(t, lower...), layer(t, test.upper...)))
		if diff := cmp.Diff(strings.Fields(test.want), paths(t, rootfs)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestAWhiteoutInTheLowestLayerRemovesNothing(t *testing.T) {
	t.Parallel()
	rootfs := deploy(t, imageOf(t, layer(t, file("f", ""), file(".wh.f", ""), file(".wh..wh..opq", ""))))
	if diff := cmp.Diff([]string{".", "f"}, paths(t, rootfs)); diff != "" {
		t.Error(diff)
	}
}
