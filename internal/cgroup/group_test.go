package cgroup

import (
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestPathsOfACgroupsPath(t *testing.T) {
	tests := []struct{ base, path, want string }{
		{"/", "", "/minirt-id"},
		{"/", "/a/b", "/a/b"},
		{"/", "//a/./b/", "/a/b"},
		{"/", "a/b", "/minirt/a/b"},
		{"/", "system.slice:docker:x", "/minirt/system.slice:docker:x"},
		{"/", "/...", "/..."},
		{"/user/1", "", "/user/1/minirt-id"},
		{"/user/1", "a", "/user/1/minirt/a"},
		{"/user/1", "/a", "/a"},
	}
	for _, tt := range tests {
		l := &Layout{Base: tt.base, Hierarchies: trees("memory", "name=systemd")}
		g, err := l.Group(tt.path, "id")
		if err != nil {
			t.Errorf("%q: %v", tt.path, err)
			continue
		}
		got := []string{g.Dirs[0].Path, g.Dirs[1].Path}
		if d := cmp.Diff([]string{"/sys/fs/cgroup/memory" + tt.want, "/sys/fs/cgroup/systemd" + tt.want}, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.path, d)
		}
	}
}

func TestPathsThatLeadOutOfTheTreeAreRefused(t *testing.T) {
	for _, path := range []string{"..", "../x", "/../x", "/a/../../x", "a/..", "/a/../b", "/", "//", ".", "/a\x00b", "/a\nb"} {
		_, err := v1Only.Group(path, "id")
		if err == nil || !strings.HasPrefix(err.Error(), "linux.cgroupsPath: ") {
			t.Errorf("%q: err = %v, want one that names linux.cgroupsPath", path, err)
		}
	}
}

func FuzzGroupStaysBelowTheMount(f *testing.F) {
	for _, s := range []string{"", "/a/b", "a", "../x", "/a/../..", "//", "a\nb", "/..a/.b"} {
		f.Add(s)
	}
	l := &Layout{Base: "/", Hierarchies: trees("memory")}
	f.Fuzz(func(t *testing.T, s string) {
		g, err := l.Group(s, "id")
		if err != nil {
			return
		}
		got := g.Dirs[0].Path
		if got != path.Clean(got) || !strings.HasPrefix(got, "/sys/fs/cgroup/memory/") || strings.ContainsAny(got, "\x00\n") {
			t.Errorf("%q leads to %q", s, got)
		}
	})
}

func FuzzUnifiedKeysAreFileNames(f *testing.F) {
	for _, s := range []string{"memory.max", "hugetlb.1GB.max", "../x", "a..b", ".", "cgroup.procs", "memory.max/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		early, late, err := Compile(&specs.LinuxResources{Unified: map[string]string{s: "1"}}, v2Only)
		if err == nil && (path.Base(s) != s || s[0] == '.' || len(early)+len(late) != 2) {
			t.Errorf("%q is taken for a file's name", s)
		}
	})
}

// mounted answers for a host with these cgroup mounts.
func mounted(v1, v2 string) func(*Hierarchy, string) string {
	return func(h *Hierarchy, dir string) string {
		list := v1
		if h.V2 {
			list = v2
		}
		for _, m := range strings.Fields(list) {
			if m == dir {
				return dir
			}
		}
		return ""
	}
}

func TestLayoutsAreFoundBelowSysFsCgroup(t *testing.T) {
	tests := []struct {
		name, own, v1, v2 string
		want              []Hierarchy
		missing           bool
	}{
		{"pure version 2", "0::/user.slice/x\n", "", root, []Hierarchy{{Mount: root, V2: true, Own: "/user.slice/x"}}, false},
		{"pure version 2 with other hierarchies known", "1:name=systemd:/\n0::/x\n", "", root, []Hierarchy{{Mount: root, V2: true, Own: "/x"}}, false},
		{"version 1, and 2 not mounted", "2:memory:/a\n1:name=systemd:/\n0::/\n", root + "/memory " + root + "/systemd", "",
			[]Hierarchy{{Name: "memory", Controllers: []string{"memory"}, Mount: root + "/memory", Own: "/a"},
				{Name: "systemd", Controllers: []string{"name=systemd"}, Mount: root + "/systemd", Own: "/"}}, false},
		{"hybrid, co-mounted", "3:cpu,cpuacct:/\n0::/z\n", root + "/cpu,cpuacct", root + "/unified",
			[]Hierarchy{{Name: "cpu,cpuacct", Controllers: []string{"cpu", "cpuacct"}, Mount: root + "/cpu,cpuacct", Own: "/"},
				{Name: "unified", Mount: root + "/unified", V2: true, Own: "/z"}}, false},
		{"co-mounted under one name", "3:cpu,cpuacct:/\n", root + "/cpuacct", "",
			[]Hierarchy{{Name: "cpu,cpuacct", Controllers: []string{"cpu", "cpuacct"}, Mount: root + "/cpuacct", Own: "/"}}, false},
		{"somewhere else", "3:cpu:/\n2:memory:/\n", root + "/cpu", "",
			[]Hierarchy{{Name: "cpu", Controllers: []string{"cpu"}, Mount: root + "/cpu", Own: "/"}}, true},
		{"a colon in the path", "3:cpu:/a:b\n", root + "/cpu", "",
			[]Hierarchy{{Name: "cpu", Controllers: []string{"cpu"}, Mount: root + "/cpu", Own: "/a:b"}}, false},
		{"nothing", "0::/\n", "", "", []Hierarchy{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, missing := layout([]byte(tt.own), mounted(tt.v1, tt.v2))
			if d := cmp.Diff(tt.want, l.Hierarchies); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if missing != tt.missing {
				t.Errorf("missing = %v, want %v", missing, tt.missing)
			}
		})
	}
}

func TestMountsElsewhereAreFoundInMountinfo(t *testing.T) {
	const mountinfo = `23 1 0:2 / / rw - ext4 /dev/sda rw
31 23 0:28 / /cg\040roups rw,relatime shared:3 - cgroup cgroup rw,cpuacct,cpu
32 23 0:29 / /s rw - cgroup systemd rw,xattr,name=systemd
33 23 0:30 / /two rw - cgroup2 none rw,nsdelegate
`
	find := func(h Hierarchy) string {
		for _, l := range strings.Split(mountinfo, "\n") {
			if m := mountOf(&h, l); m != "" {
				return m
			}
		}
		return ""
	}
	for _, tt := range []struct {
		h    Hierarchy
		want string
	}{
		{Hierarchy{Controllers: []string{"cpu", "cpuacct"}}, "/cg roups"},
		{Hierarchy{Controllers: []string{"name=systemd"}}, "/s"},
		{Hierarchy{V2: true}, "/two"},
		{Hierarchy{Controllers: []string{"memory"}}, ""},
	} {
		if got := find(tt.h); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.h, got, tt.want)
		}
	}
}

func TestFindSeesWhatIsMountedHere(t *testing.T) {
	l, err := Find()
	if err != nil {
		t.Skip("no cgroups here: ", err)
	}
	for _, h := range l.Hierarchies {
		var s unix.Statfs_t
		if err := unix.Statfs(h.Mount, &s); err != nil || s.Type != unix.CGROUP_SUPER_MAGIC && s.Type != unix.CGROUP2_SUPER_MAGIC {
			t.Errorf("%s: %v, type %#x", h.Mount, err, s.Type)
		}
		if (s.Type == unix.CGROUP2_SUPER_MAGIC) != h.V2 {
			t.Errorf("%+v: wrong version", h)
		}
	}
}

func TestWhoMayNotWriteAtTheTopStartsFromWhatWasDelegated(t *testing.T) {
	for _, tt := range []struct {
		own      string
		writable bool
		want     string
	}{
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope", true, "/"},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope", false, "/user.slice/user-1000.slice/user@1000.service/app.slice"},
		{"/", false, "/"},
		{"/../../x", false, "/"},
	} {
		if got := base(tt.own, tt.writable); got != tt.want {
			t.Errorf("base(%q, %v) = %q, want %q", tt.own, tt.writable, got, tt.want)
		}
	}
}
