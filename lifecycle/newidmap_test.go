package lifecycle

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestTheLinesThatSubuidLacksAreThoseOfNoGrant(t *testing.T) {
	t.Parallel()
	const passwd = "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbroken\n"
	ids := func(first, count uint32) specs.LinuxIDMapping {
		return specs.LinuxIDMapping{HostID: first, Size: count}
	}
	for _, c := range []struct {
		name, grants string
		ids          []specs.LinuxIDMapping
		want         []string
	}{
		{"one's own id needs none", "", []specs.LinuxIDMapping{ids(1000, 1)}, nil},
		{"two of one's own", "", []specs.LinuxIDMapping{ids(1000, 2)}, []string{"ann:1000:2"}},
		{"a grant by name", "ann:100000:65536\n", []specs.LinuxIDMapping{ids(1000, 1), ids(100000, 65536)}, nil},
		{"a grant by number", "1000:100000:65536\n", []specs.LinuxIDMapping{ids(100000, 65536)}, nil},
		{"a part of a grant", "ann:100000:65536\n", []specs.LinuxIDMapping{ids(100001, 65535)}, nil},
		{"one too many", "ann:100000:65536\n", []specs.LinuxIDMapping{ids(100001, 65536)}, []string{"ann:100001:65536"}},
		{"one too early", "ann:100000:65536", []specs.LinuxIDMapping{ids(99999, 2)}, []string{"ann:99999:2"}},
		{"another's grant", "bob:100000:65536\n", []specs.LinuxIDMapping{ids(100000, 1), ids(300000, 7)}, []string{"ann:100000:1", "ann:300000:7"}},
		{"lines that are none", "ann\nann:x:y\nann:100000:-1\n:::\n", []specs.LinuxIDMapping{ids(100000, 1)}, []string{"ann:100000:1"}},
		{"the end of all ids", "ann:4294967290:5\n", []specs.LinuxIDMapping{ids(4294967290, 10)}, []string{"ann:4294967290:10"}},
	} {
		if diff := cmp.Diff(c.want, missingGrants(c.ids, 1000, 1000, c.grants, passwd)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if diff := cmp.Diff([]string{"7:5:1"}, missingGrants([]specs.LinuxIDMapping{ids(5, 1)}, 7, 7, "", passwd)); diff != "" {
		t.Errorf("a user without a name (-want +got):\n%s", diff)
	}
}

func TestAHelperIsLookedForInAbsoluteDirectoriesOfPATHOnly(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, d := range []string{"relative", "text", "directory/tool", "good"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"relative/tool": 0o755, "text/tool": 0o644, "good/tool": 0o755} {
		if err := os.WriteFile(name, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", "relative:"+dir+"/nosuch::"+dir+"/directory:"+dir+"/text:"+dir+"/good")
	if got := lookPath("tool"); got != filepath.Join(dir, "good/tool") {
		t.Errorf("found %q", got)
	}
	t.Setenv("PATH", "relative:.:")
	if got := lookPath("tool"); got != "" {
		t.Errorf("found %q, in a relative directory", got)
	}
}

func TestAProgramWithoutRootsRightsIsSaidToHaveNone(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(name, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	var fs unix.Statfs_t
	if unix.Statfs(name, &fs) == nil && fs.Flags&unix.ST_NOSUID != 0 {
		t.Skip("the temporary directory is mounted nosuid")
	}
	if why := powerless(name); why != "it is neither setuid root nor has it file capabilities: install its package anew" {
		t.Errorf("an ordinary program: %q", why)
	}
	if err := os.Chmod(name, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if why := powerless(name); why != "" {
		t.Errorf("a setuid program: %q", why)
	}
}
