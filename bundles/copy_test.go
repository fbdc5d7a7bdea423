package bundles

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// shown are a tree's entries, a line each: mode, owner, path, and where it comes from.
func shown(tree *tree) []string {
	var lines []string
	for _, e := range tree.entries {
		line := fmt.Sprintf("%v %d:%d %s", e.mode, e.uid, e.gid, e.path)
		switch {
		case e.link != "":
			line += " -> " + e.link
		case e.from != "":
			line += " = " + e.from
		}
		lines = append(lines, line)
	}
	return lines
}

func TestCopiesGoWhereTheyAreWanted(t *testing.T) {
	t.Parallel()
	host := hostOf(t, map[string]string{
		"/src/site/index": "hello", "/src/site/sub/x": "x", "/src/site/link": "-> ../nowhere", "/src/f": "f",
		"/src/way": "-> f", "/usr/lib/l": "l", "/lib": "-> usr/lib", "/src/over/lib/mine": "m", "/src/set": "s",
		"/bin/p": elfText(fake{interp: "/lib/ld.so"}), "/usr/lib/ld.so": "x",
	})
	check(t, os.Chmod(host+"/src/f", 0o640))
	check(t, os.Chmod(host+"/src/site/sub", 0o700))
	check(t, os.Chmod(host+"/src/set", 0o755|fs.ModeSetuid))
	uid := fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
	seven, mode := 0, uint32(0o4640)
	if os.Geteuid() == 0 {
		seven = 7
	}
	owner := fmt.Sprintf("%d:0", seven)
	tests := []struct {
		name   string
		before string // a program that is noted before
		copy   Copy
		want   []string
	}{
		{name: "to the same path", copy: Copy{Source: "/src/f"}, want: []string{"drwxr-xr-x 0:0 /src", "-rw-r----- 0:0 /src/f = /src/f"}},
		{name: "a link with what it leads to", copy: Copy{Source: "/src/way"},
			want: []string{"drwxr-xr-x 0:0 /src", "Lrwxrwxrwx 0:0 /src/way -> f", "-rw-r----- 0:0 /src/f = /src/f"}},
		{name: "to another", copy: Copy{Source: "/src/way", Target: "/etc//g"},
			want: []string{"drwxr-xr-x 0:0 /etc", "-rw-r----- 0:0 /etc/g = /src/f"}},
		{name: "into a directory", copy: Copy{Source: "/src/f", Target: "/etc/"},
			want: []string{"drwxr-xr-x 0:0 /etc", "-rw-r----- 0:0 /etc/f = /src/f"}},
		{name: "a directory", copy: Copy{Source: "/src/site", Target: "/www"},
			want: []string{"drwxr-xr-x 0:0 /www", "-rwxr-xr-x 0:0 /www/index = /src/site/index", "Lrwxrwxrwx 0:0 /www/link -> ../nowhere",
				"drwx------ 0:0 /www/sub", "-rwxr-xr-x 0:0 /www/sub/x = /src/site/sub/x"}},
		{name: "what is in a directory", copy: Copy{Source: "/src/over/.", Target: "/"},
			want: []string{"drwxr-xr-x 0:0 /lib", "-rwxr-xr-x 0:0 /lib/mine = /src/over/lib/mine"}},
		{name: "through the tree's own links", before: "/bin/p", copy: Copy{Source: "/src/over/.", Target: "/"},
			want: []string{"drwxr-xr-x 0:0 /bin", "-rwxr-xr-x 0:0 /bin/p = /bin/p", "Lrwxrwxrwx 0:0 /lib -> usr/lib", "drwxr-xr-x 0:0 /usr",
				"drwxr-xr-x 0:0 /usr/lib", "-rwxr-xr-x 0:0 /usr/lib/ld.so = /usr/lib/ld.so", "-rwxr-xr-x 0:0 /usr/lib/mine = /src/over/lib/mine"}},
		{name: "an owner and a mode", copy: Copy{Source: "/src/site", Target: "/w", UID: &seven, Mode: &mode},
			want: []string{"drwxr-x--- " + owner + " /w", "urw-r----- " + owner + " /w/index = /src/site/index", "Lrwxrwxrwx " + owner + " /w/link -> ../nowhere",
				"drwxr-x--- " + owner + " /w/sub", "urw-r----- " + owner + " /w/sub/x = /src/site/sub/x"}},
		{name: "setuid stays behind", copy: Copy{Source: "/src/set", Target: "/s"}, want: []string{"-rwxr-xr-x 0:0 /s = /src/set"}},
		{name: "unless it is to be kept", copy: Copy{Source: "/src/set", Target: "/s", Keep: true}, want: []string{"urwxr-xr-x " + uid + " /s = /src/set"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree := newTree(host)
			if test.before != "" {
				check(t, addProgram(tree, test.before, 0))
			}
			check(t, tree.addCopy(test.copy))
			if diff := cmp.Diff(test.want, shown(tree)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyFilesDirectoriesAndLinksAreCopied(t *testing.T) {
	t.Parallel()
	host := hostOf(t, map[string]string{"/src/f": "f", "/src/g": "g", "/loop": "-> loop"})
	check(t, unix.Mkfifo(host+"/src/fifo", 0o644))
	tests := []struct {
		copies []Copy
		want   string
	}{
		{[]Copy{{Source: "/src"}}, `"/src/fifo": a FIFO: files, directories and links are copied, and nothing else`},
		{[]Copy{{Source: "/src/fifo", Target: "/x"}}, `"/src/fifo": a FIFO: `},
		{[]Copy{{Source: "/none"}}, `"/none": no such file or directory`},
		{[]Copy{{Source: "/loop"}}, `"/loop": too many levels of symbolic links`},
		{[]Copy{{}}, "has no name"},
		{[]Copy{{Source: "/src/f", Target: "x"}}, `"x": the path in the container isn't absolute`},
		{[]Copy{{Source: "/src/f", Target: "/x"}, {Source: "/src/g", Target: "/x"}},
			`"/x" is wanted twice, as a copy of "/src/f" and as a copy of "/src/g"`},
		{[]Copy{{Source: "/src/f", Target: "/x"}, {Source: "/src/g", Target: "/x/y"}}, `"/x" is wanted twice, as a copy of "/src/f" and as a directory`},
		{[]Copy{{Source: "/src/f", Target: "/x/y"}, {Source: "/src/g", Target: "/x"}}, `"/x" is wanted twice, as a directory and as a copy of "/src/g"`},
	}
	for _, test := range tests {
		tree := newTree(host)
		err := Contents{Copies: test.copies}.addTo(tree)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v; not %s", test.copies, err, test.want)
		}
	}
}

func TestTheSameMayBeWantedTwice(t *testing.T) {
	t.Parallel()
	host := hostOf(t, map[string]string{"/f": "same", "/g": "same", "/d/x": "1", "/e/y": "2"})
	tree, mode := newTree(host), uint32(0o600)
	check(t, Contents{Copies: []Copy{
		{Source: "/f", Target: "/x"}, {Source: "/g", Target: "/x", Mode: &mode},
		{Source: "/d", Target: "/m"}, {Source: "/e", Target: "/m"},
	}}.addTo(tree))
	want := []string{"-rw------- 0:0 /x = /g", "drwxr-xr-x 0:0 /m", "-rwxr-xr-x 0:0 /m/x = /d/x", "-rwxr-xr-x 0:0 /m/y = /e/y"}
	if diff := cmp.Diff(want, shown(tree)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCopiesHaveTheContentsOwnersModesAndTimesThatWereAskedFor(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	program := quiet(t, tmp+"/program")
	check(t, os.MkdirAll(tmp+"/src/sub", 0o750))
	check(t, os.WriteFile(tmp+"/src/sub/f", []byte("hello"), 0o604))
	check(t, os.Symlink("sub/f", tmp+"/src/link"))
	long := time.Date(2001, 2, 3, 4, 5, 6, 7000, time.UTC)
	for _, name := range []string{"sub/f", "sub", ""} {
		check(t, os.Chtimes(filepath.Join(tmp, "src", name), long, long))
	}
	ts, err := unix.TimeToTimespec(long)
	check(t, err)
	check(t, unix.UtimesNanoAt(unix.AT_FDCWD, tmp+"/src/link", []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW))
	id, mode := 0, uint32(0o4755)
	if os.Geteuid() == 0 {
		id = 33
	}
	dir := filepath.Join(tmp, "x")
	check(t, Deploy(dir, Deployment{Program: program, Contents: Contents{Copies: []Copy{
		{Source: tmp + "/src", Target: "/data", UID: &id, GID: &id},
		{Source: tmp + "/src/sub/f", Target: "/set", Mode: &mode},
	}}}))
	tests := []struct {
		path string
		mode fs.FileMode
		uid  int
		time time.Time
	}{
		{"/data", fs.ModeDir | 0o750, id, long},
		{"/data/sub", fs.ModeDir | 0o750, id, long},
		{"/data/sub/f", 0o604, id, long},
		{"/data/link", fs.ModeSymlink | 0o777, id, long},
		{"/set", 0o755 | fs.ModeSetuid, 0, long},
		{"/etc/passwd", 0o644, 0, epoch()},
		{"/etc", fs.ModeDir | 0o755, 0, epoch()},
		{"", fs.ModeDir | 0o755, 0, epoch()},
		{"/../config.json", 0o644, 0, epoch()},
		{"/..", fs.ModeDir | 0o700, 0, epoch()}, // SEC-39: nobody else may reach the setuid program
	}
	for _, test := range tests {
		info, err := os.Lstat(dir + "/rootfs" + test.path)
		check(t, err)
		if info.Mode() != test.mode || !info.ModTime().Equal(test.time) {
			t.Errorf("%s: %v, %v; not %v, %v", test.path, info.Mode(), info.ModTime(), test.mode, test.time)
		}
		if st := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && int(st.Uid) != test.uid {
			t.Errorf("%s: owner %d, not %d", test.path, st.Uid, test.uid)
		}
	}
	if text, err := os.ReadFile(dir + "/rootfs/data/link"); err != nil || string(text) != "hello" {
		t.Errorf("%q, %v", text, err)
	}
}
