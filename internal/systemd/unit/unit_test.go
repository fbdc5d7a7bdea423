package unit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestACgroupsPathNamesASliceAPrefixAndAName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path              string
		user              bool
		name, slice, tree string
	}{
		{"machine.slice:libpod:4f2a", false, "libpod-4f2a.scope", "machine.slice", "/machine.slice/libpod-4f2a.scope"},
		{"kubepods-besteffort-pod1_2.slice:cri-containerd:9", false, "cri-containerd-9.scope", "kubepods-besteffort-pod1_2.slice",
			"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/cri-containerd-9.scope"},
		{":docker:x", false, "docker-x.scope", "system.slice", "/system.slice/docker-x.scope"},
		{":docker:x", true, "docker-x.scope", "user.slice", "/user.slice/docker-x.scope"},
		{"", false, "minirt-web.scope", "system.slice", "/system.slice/minirt-web.scope"},
		{"", true, "minirt-web.scope", "user.slice", "/user.slice/minirt-web.scope"},
		{"-.slice:a:b", false, "a-b.scope", "-.slice", "/a-b.scope"},
		{"a.slice::b", false, "-b.scope", "a.slice", "/a.slice/-b.scope"},
	} {
		u, err := Of(tt.path, "web", "/run/minirt/web", tt.user)
		if err != nil {
			t.Errorf("%q: %v", tt.path, err)
			continue
		}
		want := Unit{tt.name, tt.slice, "minirt container web in /run/minirt/web"}
		if d := cmp.Diff(want, u); d != "" {
			t.Errorf("%q: %s", tt.path, d)
		}
		if d := cmp.Diff(tt.tree, u.Path()); d != "" {
			t.Errorf("%q: %s", tt.path, d)
		}
	}
}

func TestACgroupsPathThatIsNoneForSystemdIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/mrt/web":                              "is not of the form slice:prefix:name",
		"a.slice:x":                             "is not of the form slice:prefix:name",
		"a.slice:x:y:z":                         "is not of the form slice:prefix:name",
		"a.slice:x:":                            "has no name behind its last colon",
		"a:x:y":                                 `has the slice "a", whose name does not end in ".slice"`,
		".slice:x:y":                            `has the slice ".slice", whose name does not end in ".slice"`,
		"a--b.slice:x:y":                        "which has an empty part between its dashes",
		"-a.slice:x:y":                          "which has an empty part between its dashes",
		"a-.slice:x:y":                          "which has an empty part between its dashes",
		"../x.slice:x:y":                        "which is no name of a unit",
		"a.slice:x:y/../z":                      "names of units are at most 255",
		"a.slice:x:y z":                         "names of units are at most 255",
		"a.slice:x:y\x00":                       "names of units are at most 255",
		"a.slice:x:é":                           "names of units are at most 255",
		"a.slice:x:y.slice":                     "names a slice",
		"a.slice:x:" + strings.Repeat("y", 255): "names of units are at most 255",
	} {
		u, err := Of(path, "web", "/run/minirt/web", false)
		if err == nil {
			t.Errorf("%q: %v", path, u)
		} else if s := err.Error(); !strings.HasPrefix(s, "linux.cgroupsPath: ") || !strings.Contains(s, want) {
			t.Errorf("%q: %s", path, s)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("a-b.slice:x:y", false)
	f.Add("", true)
	f.Fuzz(func(t *testing.T, path string, user bool) {
		u, err := Of(path, "web", "/run/minirt/web", user)
		if err != nil {
			return
		}
		p := u.Path()
		if p[0] != '/' || strings.Contains(p, "/../") || strings.Contains(p, "/./") || strings.Contains(p, "/.") || !strings.HasSuffix(p, "/"+u.Name) || strings.Count(u.Name, "/") > 0 {
			t.Errorf("%q is at %q", path, p)
		}
	})
}
