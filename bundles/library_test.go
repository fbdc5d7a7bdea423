package bundles

import (
	"encoding/binary"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostOf lays a host's file system out in a directory. Content beginning with
// "-> " makes a link.
func hostOf(t *testing.T, files map[string]string) string {
	t.Helper()
	host := t.TempDir()
	for path, text := range files {
		check(t, os.MkdirAll(filepath.Dir(host+path), 0o755))
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			check(t, os.Symlink(target, host+path))
		} else {
			check(t, os.WriteFile(host+path, []byte(text), 0o755))
		}
	}
	return host
}

// cacheOf writes /etc/ld.so.cache, behind prefix.
func cacheOf(prefix string, paths map[string]string) []byte {
	le := binary.LittleEndian
	names := slices.Sorted(maps.Keys(paths))
	text := []byte(cacheMagic)
	text = le.AppendUint32(text, uint32(len(names)))
	text = append(text, make([]byte, 48-len(text))...)
	strings := []byte{}
	start := 48 + 24*len(names)
	for _, n := range names {
		text = le.AppendUint32(text, 0x0303)
		text = le.AppendUint32(text, uint32(start+len(strings)))
		strings = append(strings, n+"\x00"...)
		text = le.AppendUint32(text, uint32(start+len(strings)))
		strings = append(strings, paths[n]+"\x00"...)
		text = append(text, make([]byte, 12)...)
	}
	return append([]byte(prefix), append(text, strings...)...)
}

// laid are the paths of a tree's files and links.
func laid(tree *tree) []string {
	var paths []string
	for _, e := range tree.entries {
		if !e.mode.IsDir() {
			paths = append(paths, e.path)
		}
	}
	slices.Sort(paths)
	return paths
}

func elfText(f fake) string { return string(f.bytes()) }

func TestLibrariesAreFoundWhereTheLoaderFindsThem(t *testing.T) {
	t.Parallel()
	const glibc, musl = "/lib64/ld-linux.so.2", "/lib/ld-musl-x86_64.so.1"
	lib := elfText(fake{})
	foreign := elfText(fake{machine: 21}) // PowerPC
	tests := []struct {
		name  string
		files map[string]string
		want  []string // beside /bin/p and the loader
		err   string
	}{
		{name: "static", files: map[string]string{"/bin/p": elfText(fake{})}},
		{name: "the default directories", files: map[string]string{
			"/bin/p":           elfText(fake{interp: glibc, needed: []string{"liba.so", "libb.so"}}),
			"/lib/liba.so":     lib,
			"/usr/lib/libb.so": lib,
		}, want: []string{"/lib/liba.so", "/usr/lib/libb.so"}},
		{name: "the machine's own directory first", files: map[string]string{
			"/bin/p": elfText(fake{interp: glibc, needed: []string{"liba.so"}}),
			"/lib/" + multiarch(native()) + "/liba.so": lib,
			"/lib/liba.so": lib,
		}, want: []string{"/lib/" + multiarch(native()) + "/liba.so"}},
		{name: "libraries of libraries", files: map[string]string{
			"/bin/p":       elfText(fake{interp: glibc, needed: []string{"liba.so"}}),
			"/lib/liba.so": elfText(fake{needed: []string{"libb.so"}}),
			"/lib/libb.so": elfText(fake{needed: []string{"liba.so", "libc.so"}}),
			"/lib/libc.so": lib,
		}, want: []string{"/lib/liba.so", "/lib/libb.so", "/lib/libc.so"}},
		{name: "links are kept", files: map[string]string{
			"/bin/p":               elfText(fake{interp: glibc, needed: []string{"liba.so.1"}}),
			"/lib":                 "-> usr/lib",
			"/usr/lib/liba.so.1":   "-> liba.so.1.2",
			"/usr/lib/liba.so.1.2": lib,
		}, want: []string{"/lib", "/usr/lib/liba.so.1", "/usr/lib/liba.so.1.2"}},
		{name: "the runpath holds for its own object alone", files: map[string]string{
			"/bin/p":       elfText(fake{interp: glibc, runpath: "/opt", needed: []string{"liba.so"}}),
			"/opt/liba.so": elfText(fake{needed: []string{"libb.so"}}),
			"/opt/libb.so": lib,
		}, err: `library "libb.so" not found: "/opt/liba.so" needs it`},
		{name: "the rpath holds for all below", files: map[string]string{
			"/bin/p":       elfText(fake{interp: glibc, rpath: "/opt", needed: []string{"liba.so"}}),
			"/opt/liba.so": elfText(fake{needed: []string{"libb.so"}}),
			"/opt/libb.so": lib,
		}, want: []string{"/opt/liba.so", "/opt/libb.so"}},
		{name: "the rpath beside a runpath doesn't hold", files: map[string]string{
			"/bin/p":       elfText(fake{interp: glibc, rpath: "/opt", runpath: "/none", needed: []string{"liba.so"}}),
			"/opt/liba.so": lib,
		}, err: `library "liba.so" not found: "/bin/p" needs it`},
		{name: "the program's rpath doesn't hold below a runpath", files: map[string]string{
			"/bin/p":       elfText(fake{interp: glibc, rpath: "/opt", needed: []string{"liba.so"}}),
			"/opt/liba.so": elfText(fake{runpath: "/none", needed: []string{"libb.so"}}),
			"/opt/libb.so": lib,
		}, err: `library "libb.so" not found: "/opt/liba.so" needs it`},
		{name: "the origin is where the program really lies", files: map[string]string{
			"/bin/p":             "-> /opt/x/bin/p",
			"/opt/x/bin/p":       elfText(fake{interp: glibc, runpath: "${ORIGIN}/../lib", needed: []string{"liba.so"}}),
			"/opt/x/lib/liba.so": lib,
			"/lib/liba.so":       lib,
		}, want: []string{"/opt/x/bin/p", "/opt/x/lib/liba.so"}},
		{name: "another architecture is passed over", files: map[string]string{
			"/bin/p":        elfText(fake{interp: glibc, runpath: "/opt:/opt2", needed: []string{"liba.so"}}),
			"/opt/liba.so":  foreign,
			"/opt2/liba.so": "no ELF file, and neither is this",
			"/lib/liba.so":  lib,
		}, want: []string{"/lib/liba.so"}},
		{name: "the cache, which goes along", files: map[string]string{
			"/bin/p":           elfText(fake{interp: glibc, needed: []string{"liba.so"}}),
			"/local/liba.so":   lib,
			"/etc/ld.so.cache": string(cacheOf("the old format comes first\x00", map[string]string{"liba.so": "/local/liba.so"})),
		}, want: []string{"/etc/ld.so.cache", "/local/liba.so"}},
		{name: "a cache that says what the loader does anyway stays behind", files: map[string]string{
			"/bin/p":           elfText(fake{interp: glibc, needed: []string{"liba.so"}}),
			"/usr/lib/liba.so": lib,
			"/lib/liba.so":     lib,
			"/etc/ld.so.cache": string(cacheOf("", map[string]string{"liba.so": "/usr/lib/liba.so"})),
		}, want: []string{"/usr/lib/liba.so"}},
		{name: "a stale cache", files: map[string]string{
			"/bin/p":           elfText(fake{interp: glibc, needed: []string{"liba.so"}}),
			"/lib/liba.so":     lib,
			"/etc/ld.so.cache": string(cacheOf("", map[string]string{"liba.so": "/gone/liba.so"})),
		}, want: []string{"/lib/liba.so"}},
		{name: "a name with a slash", files: map[string]string{
			"/bin/p":       elfText(fake{interp: glibc, needed: []string{"/opt/liba.so", "$ORIGIN/libb.so"}}),
			"/opt/liba.so": lib,
			"/bin/libb.so": lib,
		}, want: []string{"/opt/liba.so", "/bin/libb.so"}},
		{name: "the loader needed as a library", files: map[string]string{
			"/bin/p": elfText(fake{interp: glibc, needed: []string{"ld-linux.so.2"}}),
		}},
		{name: "no loader", files: map[string]string{
			"/bin/p": elfText(fake{interp: "/lib/none.so"}),
		}, err: `"/bin/p" needs the loader "/lib/none.so": no such file or directory`},
		{name: "musl's own directories and names", files: map[string]string{
			"/bin/p":                 elfText(fake{interp: musl, needed: []string{"liba.so", "libc.musl-x86_64.so.1", "libm.so"}}),
			"/usr/local/lib/liba.so": lib,
			"/usr/lib/liba.so":       lib,
		}, want: []string{"/usr/local/lib/liba.so"}},
		{name: "musl's path file, which goes along", files: map[string]string{
			"/bin/p":                   elfText(fake{interp: musl, needed: []string{"liba.so"}}),
			"/etc/ld-musl-x86_64.path": "/one\n/two:/three\n",
			"/three/liba.so":           lib,
			"/usr/lib/liba.so":         lib,
		}, want: []string{"/etc/ld-musl-x86_64.path", "/three/liba.so"}},
		{name: "musl's runpath holds for all below", files: map[string]string{
			"/bin/p":       elfText(fake{interp: musl, runpath: "/opt", needed: []string{"liba.so"}}),
			"/opt/liba.so": elfText(fake{needed: []string{"libb.so"}}),
			"/opt/libb.so": lib,
		}, want: []string{"/opt/liba.so", "/opt/libb.so"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := append([]string{"/bin/p"}, test.want...)
			for _, loader := range []string{glibc, musl} {
				if strings.Contains(test.files["/bin/p"], loader) || strings.Contains(test.files["/opt/x/bin/p"], loader) {
					test.files[loader] = lib
					want = append(want, loader)
				}
			}
			slices.Sort(want)
			tree := newTree(hostOf(t, test.files))
			err := addProgram(tree, "/bin/p", 0)
			if err == nil {
				err = tree.lacks()
			}
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("error %v, not %s", err, test.err)
				}
				return
			}
			check(t, err)
			if diff := cmp.Diff(want, laid(tree)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLibrariesOfThisMachineAreThoseThatItsLoaderFinds asks ldd, which asks ld.so.
func TestLibrariesOfThisMachineAreThoseThatItsLoaderFinds(t *testing.T) {
	t.Parallel()
	ldd, err := exec.LookPath("ldd")
	if err != nil {
		t.Skip("no ldd")
	}
	programs, _ := filepath.Glob("/usr/bin/*")
	compared := 0
	for i := 0; i < len(programs) && compared < 25; i += 1 + len(programs)/60 {
		tree := newTree("")
		if err := addProgram(tree, programs[i], 0); err != nil {
			t.Logf("passed over: %v", err)
			continue
		}
		cmd := exec.Command(ldd, programs[i])
		cmd.Env = []string{"PATH=" + defaultPath, "LC_ALL=C"}
		out, err := cmd.Output()
		if err != nil || strings.Contains(string(out), "not found") {
			continue // a script, or static
		}
		want := map[string]bool{}
		for _, word := range strings.Fields(string(out)) {
			if !strings.HasPrefix(word, "/") {
				continue
			}
			real, err := filepath.EvalSymlinks(word)
			check(t, err)
			want[real] = true
		}
		got := map[string]bool{}
		self, _ := filepath.EvalSymlinks(programs[i])
		for _, e := range tree.entries {
			if e.from != "" && e.path != self && e.path != "/etc/ld.so.cache" {
				got[e.path] = true
			}
		}
		compared++
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-ldd +ours):\n%s", programs[i], diff)
		}
	}
	if compared == 0 {
		t.Skip("no program to compare")
	}
	t.Logf("%d programs", compared)
}
