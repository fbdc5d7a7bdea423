package security

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// census is all that must be as it was.
type census struct {
	Canary, Mounts, Runtime, States []string
	Processes, Cgroups              int
}

func (b *box) census() census {
	b.Helper()
	c := census{Canary: listing(b, b.canary), Mounts: mountLines(), Runtime: listing(b, runtime)}
	entries, _ := os.ReadDir(b.states)
	for _, e := range entries {
		if e.IsDir() {
			c.States = append(c.States, e.Name())
		}
	}
	c.Processes = len(b.processes())
	if ours { // Debian's crun always leaves one
		c.Cgroups = len(b.cgroups())
	}
	return c
}

// unharmed compares with an earlier census.
func (b *box) unharmed(before census, o outcome) {
	b.Helper()
	if diff := cmp.Diff(before, b.census()); diff != "" {
		b.Errorf("%v\nleft (-before +after):\n%s", o, diff)
	}
}

// closed checks that a refusal tells why, in one line that holds text, and that nothing is left.
func (b *box) closed(before census, o outcome, text string) {
	b.Helper()
	switch lines := strings.Count(o.stderr, "\n"); {
	case o.status == 0:
		b.Errorf("was not refused: %v", o)
	case ours && lines != 1:
		b.Errorf("%d lines tell why: %v", lines, o)
	case ours && !strings.Contains(o.stderr, text):
		b.Errorf("the refusal does not say %q: %v", text, o)
	}
	b.unharmed(before, o)
}

// listing describes a tree: names, modes, owners, mtimes, and content.
func listing(t testing.TB, dir string) (lines []string) {
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		content := ""
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			if st.Size > 1<<20 {
				content = fmt.Sprintf("%d bytes, changed %d.%d", st.Size, st.Ctim.Sec, st.Ctim.Nsec)
				break
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = sum(b)
		case unix.S_IFLNK:
			content, _ = os.Readlink(path)
		}
		lines = append(lines, fmt.Sprintf("%s inode %d mode %o owner %d:%d time %d.%d %s", path, st.Ino, st.Mode, st.Uid, st.Gid, st.Mtim.Sec, st.Mtim.Nsec, content))
		return nil
	}))
	return lines
}

// tree is a listing of names, modes and contents alone.
func tree(t testing.TB, dir string) (lines []string) {
	for _, l := range listing(t, dir) {
		path, rest, _ := strings.Cut(l, " inode ")
		_, rest, _ = strings.Cut(rest, " mode ")
		mode, rest, _ := strings.Cut(rest, " time ")
		_, content, _ := strings.Cut(rest, " ")
		lines = append(lines, path+" "+mode+" "+content)
	}
	return lines
}

func mountLines() []string {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	return strings.Split(string(b), "\n")
}

// mountsBelow lists the mount points below dir, the newest first.
func mountsBelow(dir string) (points []string) {
	for _, l := range mountLines() {
		if f := strings.Fields(l); len(f) > 4 && strings.HasPrefix(f[4], dir+"/") {
			points = append([]string{f[4]}, points...)
		}
	}
	return points
}

// processes are our living children: containers whose runtime has gone.
func (b *box) processes() (pids []int) {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err == unix.ECHILD {
			return nil
		}
		if pid == 0 {
			break
		}
	}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) && fields[0] != "Z" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// cgroups are the box's cgroups in every hierarchy.
func (b *box) cgroups() []string {
	v1, _ := filepath.Glob("/sys/fs/cgroup/*" + b.cgroup)
	v2, _ := filepath.Glob("/sys/fs/cgroup" + b.cgroup)
	return append(v1, v2...)
}

func same(b *box, before, after []string) {
	b.Helper()
	if diff := cmp.Diff(before, after); diff != "" {
		b.Errorf("changed (-before +after):\n%s", diff)
	}
}
