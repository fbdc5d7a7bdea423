package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestEachKindOfEntryIsMadeAsItSays(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can make device nodes and give files away")
	}
	owned := file("bin/su", "program")
	owned.Mode, owned.Uid, owned.Gid = 0o6755, 10, 20
	sticky := dir("tmp/")
	sticky.Mode, sticky.Uid, sticky.ModTime = 0o1777, 7, epoch.Add(time.Hour)
	fifo := entry{Header: tar.Header{Typeflag: tar.TypeFifo, Name: "run/fifo", Mode: 0o640}}
	block := entry{Header: tar.Header{Typeflag: tar.TypeBlock, Name: "dev/disk", Mode: 0o660, Gid: 6, Devmajor: 259, Devminor: 70000}}
	symlink := link("bin/sh", "/nowhere/at all")
	symlink.Uid = 5
	capable := file("bin/ping", "p")
	capability := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	capable.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": capability}
	root := dir("./")
	root.Mode, root.Gid = 0o711, 3
	rootfs := deploy(t, imageOf(t, layer(t, root, dir("bin"), owned, sticky, dir("run"), fifo, dir("dev"), block, device("dev/null", 1, 3),
		symlink, hard("bin/sudo", "/bin/su"), hard("sh", "bin/sh"), capable, file("no/entry/for/this", ""))))
	want := []string{
		". drwx--x--x 0:3 1000000000",
		"bin drwxr-xr-x 0:0 1000000000",
		"bin/ping -rw-r--r-- 0:0 1000000000 1 148de9c5 security.capability=0100000200200000000000000000000000000000",
		"bin/sh Lrwxrwxrwx 5:0 1000000000 -> /nowhere/at all = bin/sh",
		"bin/su ugrwxr-xr-x 10:20 1000000000 7 1310ca2c = bin/su",
		"bin/sudo ugrwxr-xr-x 10:20 1000000000 7 1310ca2c = bin/su",
		"dev drwxr-xr-x 0:0 1000000000",
		"dev/disk Drw-rw---- 0:6 1000000000 259:70000",
		"dev/null Dcrw--w---- 0:0 1000000000 1:3",
		"no drwxr-xr-x 0:0 0",
		"no/entry drwxr-xr-x 0:0 0",
		"no/entry/for drwxr-xr-x 0:0 0",
		"no/entry/for/this -rw-r--r-- 0:0 1000000000 0 e3b0c442",
		"run drwxr-xr-x 0:0 1000000000",
		"run/fifo prw-r----- 0:0 1000000000",
		"sh Lrwxrwxrwx 5:0 1000000000 -> /nowhere/at all = bin/sh",
		"tmp dtrwxrwxrwx 7:0 1000003600",
	}
	if diff := cmp.Diff(want, tree(t, rootfs)); diff != "" {
		t.Error(diff)
	}
}

func TestALaterEntryTakesThePlaceOfAnEarlierOne(t *testing.T) {
	t.Parallel()
	lower := layer(t, dir("a"), file("a/x", "old"), file("b", "old"), hard("b2", "b"), link("c", "a"), dir("d"), file("d/y", "old"), dir("e"), file("e/z", "old"), file("f", "old"))
	upper := layer(t, file("a", "a file now"), file("b", "new"), dir("c"), file("c/x", "new"), link("d", "e"), file("d/y", "through the link"),
		dir("e"), file("f", "once"), file("f", "twice"))
	for name, layers := range map[string][][]byte{"in two layers": {lower, upper}, "in one": {append(lower[:len(lower)-1024:len(lower)-1024], upper...)}} {
		rootfs := deploy(t, imageOf(t, layers...))
		got := map[string]string{}
		for _, p := range paths(t, rootfs) {
			if b, err := os.ReadFile(rootfs + "/" + p); err == nil {
				got[p] = string(b)
			}
		}
		want := map[string]string{"a": "a file now", "b": "new", "b2": "old", "c/x": "new", "e/y": "through the link", "e/z": "old", "f": "twice"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(name, diff)
		}
		if to, err := os.Readlink(rootfs + "/d"); to != "e" {
			t.Error(name, to, err)
		}
	}
}

func TestADirectoryKeepsItsTimeWhateverComesBelowIt(t *testing.T) {
	t.Parallel()
	old := dir("d")
	old.ModTime = epoch.Add(-time.Hour)
	rootfs := deploy(t, imageOf(t, layer(t, dir("."), old, file("d/a", ""), file("d/b", "")), layer(t, file("d/c", ""), file("d/.wh.a", ""), dir("d/sub"), hard("d/e", "d/b"))))
	var st unix.Stat_t
	check(t, unix.Stat(rootfs+"/d", &st))
	if st.Mtim.Sec != epoch.Unix()-3600 {
		t.Errorf("the time of d is %d", st.Mtim.Sec)
	}
	check(t, unix.Stat(rootfs, &st))
	if st.Mtim.Sec != epoch.Unix() {
		t.Errorf("the root's time is %d", st.Mtim.Sec)
	}
}

func TestADirectoryLosesTheAttributesThatALaterEntryLacks(t *testing.T) {
	t.Parallel()
	first, second := dir("d"), dir("d")
	first.PAXRecords = map[string]string{"SCHILY.xattr.user.one": "1", "SCHILY.xattr.user.two": "2"}
	second.PAXRecords = map[string]string{"SCHILY.xattr.user.two": "3"}
	second.Mode = 0o700
	rootfs := deploy(t, imageOf(t, layer(t, first), layer(t, second)))
	if list := listXattrs(t, rootfs+"/d"); len(list) == 0 {
		t.Skip("the file system of the temporary directory has no extended attributes of users")
	} else if diff := cmp.Diff([]string{"user.two"}, list); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(rootfs + "/d"); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
}

func TestAttributesThatWouldReshapeAnOverlayAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"trusted.overlay.opaque", "trusted.x", "user.overlay.redirect"} {
		e := dir("d")
		e.PAXRecords = map[string]string{"SCHILY.xattr." + name: "y"}
		fails(t, imageOf(t, layer(t, e)), `layers[0]: "d": extended attribute "`+name+`"`, Options{})
	}
}

func TestAttributesOfAnotherMachineAreLeftOutWithAWarning(t *testing.T) {
	t.Parallel()
	e := file("f", "")
	e.PAXRecords = map[string]string{"SCHILY.xattr.security.selinux": "x", "SCHILY.xattr.security.ima": "y"}
	var warnings []string
	check(t, Deploy(filepath.Join(t.TempDir(), "b"), imageOf(t, layer(t, e)), Options{Warn: func(s string) { warnings = append(warnings, s) }}))
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "extended attributes of the image that were left out") || !strings.HasSuffix(warnings[0], ": 2") {
		t.Errorf("%q", warnings)
	}
}

func TestASparseFileTakesNoRoom(t *testing.T) {
	t.Parallel()
	const size = 64 << 20
	var h strings.Builder
	w := tar.NewWriter(&h)
	check(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "big", Mode: 0o644, Size: size, ModTime: epoch}))
	content := io.MultiReader(strings.NewReader("begin"), io.LimitReader(zeros{}, size-8), strings.NewReader("end"))
	_, err := io.Copy(w, content)
	check(t, err)
	check(t, w.Close())
	rootfs := deploy(t, imageOf(t, []byte(h.String())))
	var st unix.Stat_t
	check(t, unix.Stat(rootfs+"/big", &st))
	if st.Size != size || st.Blocks*512 > 1<<20 {
		t.Errorf("%d bytes in %d", st.Size, st.Blocks*512)
	}
	f, err := os.Open(rootfs + "/big")
	check(t, err)
	defer f.Close()
	var begin, end [5]byte
	f.ReadAt(begin[:], 0)
	f.ReadAt(end[:3], size-3)
	if string(begin[:]) != "begin" || string(end[:3]) != "end" {
		t.Errorf("%q … %q", begin, end)
	}
}

func TestTheSparseFormatsOfTarAreUnderstood(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip("tar is not installed")
	}
	dir := t.TempDir()
	content := make([]byte, 3<<20)
	copy(content[1<<20:], "in the middle")
	check(t, os.WriteFile(dir+"/f", nil, 0o644))
	check(t, os.Truncate(dir+"/f", 3<<20))
	f, err := os.OpenFile(dir+"/f", os.O_WRONLY, 0)
	check(t, err)
	_, err = f.WriteAt([]byte("in the middle"), 1<<20)
	check(t, errors.Join(err, f.Close()))
	for _, format := range [][]string{{"--format=gnu"}, {"--format=posix", "--sparse-version=0.0"}, {"--format=posix", "--sparse-version=0.1"}, {"--format=posix", "--sparse-version=1.0"}} {
		archive := filepath.Join(t.TempDir(), "layer.tar")
		run(t, "tar", append(format, "-S", "-C", dir, "-cf", archive, "f")...)
		text, err := os.ReadFile(archive)
		check(t, err)
		if len(text) > 1<<20 {
			t.Skip("the file system of the temporary directory has no holes")
		}
		if got, err := os.ReadFile(deploy(t, imageOf(t, text)) + "/f"); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%v: %v", format, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestLinksLeadWhereTheyWouldInTheContainer(t *testing.T) {
	t.Parallel()
	canary := t.TempDir()
	up := strings.Repeat("../", 30)
	rootfs := deploy(t, imageOf(t, layer(t,
		dir("usr"), dir("usr/lib"), link("lib", "/usr/lib"), file("lib/a", ""), link("relative", up+"usr"), file("relative/lib/b", ""),
		dir("one"), dir("one/two"), link("one/two/back", "../../usr"), file("one/two/back/c", ""), link("chain", "lib"), file("chain/d", ""),
		dir(strings.TrimPrefix(canary, "/")), link("out", canary), file("out/e", ""))))
	for _, p := range []string{"usr/lib/a", "usr/lib/b", "usr/c", "usr/lib/d", canary + "/e"} {
		if _, err := os.Lstat(rootfs + "/" + p); err != nil {
			t.Error(err)
		}
	}
	if list, _ := os.ReadDir(canary); len(list) > 0 {
		t.Errorf("outside of the root: %v", list)
	}
}

// Whatever a layer holds, the directory beside the root stays as it was
// (SEC-06, SEC-56, and the unpackers' own: CVE-2018-20699, CVE-2021-29136).
func TestNothingIsMadeOutsideTheRoot(t *testing.T) {
	t.Parallel()
	canary := t.TempDir()
	check(t, os.WriteFile(canary+"/secret", []byte("secret"), 0o600))
	up := strings.Repeat("../", 30) + strings.TrimPrefix(canary, "/")
	layers := map[string][]entry{
		"an absolute name":                  {file(canary+"/new", "")},
		"a name with dots":                  {file(up+"/new", "")},
		"a link and its replacement":        {link("secret", canary+"/secret"), file("secret", "overwritten")},
		"a link below a link":               {link("a", canary), link("b", "a"), file("b/new", "")},
		"the root as a link":                {link(".", canary)},
		"the root as a file":                {file("x/..", "x")},
		"the root as a hard link":           {hard("/", canary)},
		"a hard link to an absolute name":   {hard("h", canary+"/secret"), file("h", "overwritten")},
		"a hard link with dots":             {hard("h", up+"/secret")},
		"a hard link through a link":        {link("a", canary), hard("h", "a/secret")},
		"a hard link to a link, written to": {link("a", canary+"/secret"), hard("h", "a"), file("h", "overwritten")},
		"attributes through a link":         {link("a", canary), dir("a")},
		"a directory exchanged for a link":  {dir("a"), file("a/x", ""), link("a", canary), file("a/new", "")},
		"a whiteout of all above":           {file(".wh...", "")},
		"a whiteout of itself":              {file(".wh..", "")},
		"a whiteout of no name":             {file(".wh.", "")},
		"a whiteout through a link":         {link("a", canary), file("a/.wh.secret", "")},
		"an opaque whiteout through a link": {link("a", canary), file("a/.wh..wh..opq", "")},
		"a whiteout of a link":              {link("a", canary), file(".wh.a", "")},
		"a whiteout of a tree with a link":  {dir("d"), link("d/a", canary), file(".wh.d", "")},
		"a name in a whiteout":              {file(".wh.a/x", "")},
		"a device through a link":           {link("a", canary), device("a/null", 1, 3)},
		"a magic link":                      {link("a", "/proc/self/cwd"), file("a/new", "")},
		"a name that goes too far":          {file("a/../../../../../b", "")},
		"a dangling link":                   {link("a", canary+"/none"), file("a/new", "")},
	}
	before := tree(t, canary)
	for name, entries := range layers {
		for _, split := range []int{0, 1} { // all in one layer, or the first entry in a lower one
			dir := t.TempDir()
			inside := imageOf(t, layer(t, entries[:min(split, len(entries))]...), layer(t, entries[min(split, len(entries)):]...))
			err := Deploy(dir+"/bundle", inside, Options{})
			if diff := cmp.Diff(before, tree(t, canary)); diff != "" {
				t.Fatalf("%s: %s", name, diff)
			}
			list, _ := os.ReadDir(dir)
			if err != nil && len(list) != 0 || len(list) > 1 {
				t.Errorf("%s: %v: %v is left", name, err, list)
			}
		}
	}
}

func TestEntriesThatCannotBeAreErrors(t *testing.T) {
	t.Parallel()
	far := file("f", "")
	far.Uid = 1<<32 - 1
	tests := []struct {
		want    string
		entries []entry
	}{
		{`"a/b": not a directory`, []entry{file("a", ""), file("a/b", "")}},
		{`"a": hard link to "none": no such file or directory`, []entry{hard("a", "none")}},
		{`"a": hard link to "a": which is itself`, []entry{file("a", ""), hard("a", "a")}},
		{`"a": hard link to "d": operation not permitted`, []entry{dir("d"), hard("a", "d")}},
		{`"a/b": its directory "a" is a symbolic link that leads to nothing`, []entry{link("a", "/none"), file("a/b", "")}},
		{`"a/b": too many levels of symbolic links`, []entry{link("a", "a"), file("a/b", "")}},
		{`a whiteout of no name`, []entry{file("x/.wh...", "")}},
		{`lies in a whiteout`, []entry{file(".wh.x/y", "")}},
		{`not a directory, in place of the root`, []entry{file("a/..", "")}},
		{`beyond the ids that there are`, []entry{far}},
		{`file name too long`, []entry{file(strings.Repeat("n", 256), "")}},
		{`file name too long`, []entry{file(strings.Repeat("n/", 3000)+"f", "")}},
		{`more than 256 directories deep`, []entry{file(strings.Repeat("n/", 300)+"f", "")}},
		{`of the unknown type 'V'`, []entry{{Header: tar.Header{Typeflag: 'V', Name: "volume"}}}},
	}
	for _, test := range tests {
		fails(t, imageOf(t, layer(t, test.entries...)), test.want, Options{})
	}
}
