package bundles

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bundleWith makes a bundle directory with a config.json of text.
func bundleWith(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenGivesTheBytesOfConfigUnread(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{}", "no JSON at all \x00\xff", strings.Repeat("x", 511), strings.Repeat("y", 512), strings.Repeat("z", 100_000)} {
		dir := bundleWith(t, text)
		b, err := Open(dir)
		check(t, err)
		if string(b.Config) != text || b.Dir != dir {
			t.Errorf("%d bytes of %q, not %d of %q", len(b.Config), b.Dir, len(text), dir)
		}
	}
}

func TestOpenReadsUpTo16MiB(t *testing.T) {
	t.Parallel()
	dir := bundleWith(t, "")
	config := filepath.Join(dir, "config.json")
	check(t, os.Truncate(config, 16<<20))
	if b, err := Open(dir); err != nil || len(b.Config) != 16<<20 {
		t.Errorf("16 MiB: %v", err)
	}
	for _, size := range []int64{16<<20 + 1, 1 << 40} {
		check(t, os.Truncate(config, size))
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestAFileThatGrowsBeyond16MiBIsRefused(t *testing.T) {
	t.Parallel()
	f, err := os.Open("/dev/zero") // endless, and its size says 0
	check(t, err)
	defer f.Close()
	if _, err := readAll(int(f.Fd()), 0); err == nil || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("an endless file: %v", err)
	}
}

func TestOpenReadsFilesThatDoNotTellTheirSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check(t, os.Symlink("/proc/self/maps", filepath.Join(dir, "config.json"))) // regular, size 0, of several pages
	b, err := Open(dir)
	check(t, err)
	if !strings.HasSuffix(string(b.Config), "\n") || len(b.Config) < 1000 {
		t.Errorf("%d bytes", len(b.Config))
	}
}

func TestOpenRefusesWhatIsNoRegularFileWithoutWaiting(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(path string) error{
		"FIFO":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"device":    func(path string) error { return os.Symlink("/dev/zero", path) },
		"socket": func(path string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
			if err == nil {
				l.SetUnlinkOnClose(false)
				l.Close()
			}
			return err
		},
	}
	for kind, make := range kinds {
		dir := t.TempDir()
		check(t, make(filepath.Join(dir, "config.json")))
		begin := time.Now()
		_, err := Open(dir)
		if err == nil || !strings.Contains(err.Error(), "not a regular file") || !strings.Contains(err.Error(), dir+"/config.json") {
			t.Errorf("%s: %v", kind, err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: waited %v", kind, took)
		}
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := Open(dir)
	if err == nil || !strings.Contains(err.Error(), "JSON specification file config.json not found") || !strings.Contains(err.Error(), dir) {
		t.Errorf("no config.json: %v", err)
	}
	check(t, os.Symlink("/nowhere/config.json", dir+"/config.json"))
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "config.json not found") {
		t.Errorf("dangling link: %v", err)
	}
	if _, err := Open(dir + "/none"); !errors.Is(err, unix.ENOENT) || !strings.HasSuffix(err.Error(), `none": no such file or directory`) {
		t.Errorf("no directory: %v", err)
	}
	if _, err := Open(""); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no name: %v", err)
	}
	if _, err := Open("/dev/null"); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("no directory but a device: %v", err)
	}
}

// It changes the working directory: not in parallel.
func TestOpenMakesARelativePathAbsolute(t *testing.T) {
	dir := bundleWith(t, "{}")
	t.Chdir(filepath.Dir(dir))
	base := filepath.Base(dir)
	for _, path := range []string{base, "./" + base, base + "/", base + "//.", "../" + filepath.Base(filepath.Dir(dir)) + "/" + base} {
		if b, err := Open(path); err != nil || b.Dir != dir {
			t.Errorf("%q: %+v, %v", path, b, err)
		}
	}
	t.Chdir(dir)
	if b, err := Open("."); err != nil || b.Dir != dir {
		t.Errorf("the working directory: %+v, %v", b, err)
	}
}

func TestOpenKeepsTheLinksOfThePath(t *testing.T) {
	t.Parallel()
	dir := bundleWith(t, "{}")
	link := filepath.Join(t.TempDir(), "link")
	check(t, os.Symlink(dir, link))
	for _, path := range []string{link, link + "/", filepath.Dir(link) + "/./link/."} {
		if b, err := Open(path); err != nil || b.Dir != link {
			t.Errorf("%q: %+v, %v", path, b, err)
		}
	}
}

func TestOpenTakesDotDotBehindALinkAsTheKernelDoes(t *testing.T) {
	t.Parallel()
	real := t.TempDir()
	check(t, os.MkdirAll(real+"/deep/down", 0o755))
	check(t, os.MkdirAll(real+"/deep/bundle", 0o755))
	check(t, os.WriteFile(real+"/deep/bundle/config.json", []byte("right"), 0o600))
	other := t.TempDir()
	check(t, os.Symlink(real+"/deep/down", other+"/link"))
	check(t, os.Mkdir(other+"/bundle", 0o755))
	check(t, os.WriteFile(other+"/bundle/config.json", []byte("wrong"), 0o600))
	b, err := Open(other + "/link/../bundle")
	check(t, err)
	if b.Dir != real+"/deep/bundle" || string(b.Config) != "right" {
		t.Errorf("%q holds %q", b.Dir, b.Config)
	}
}

func TestRootfsIsAbsoluteOrRelativeToTheBundle(t *testing.T) {
	t.Parallel()
	tests := []struct{ dir, path, want string }{
		{"/b", "rootfs", "/b/rootfs"},
		{"/b", "/rootfs", "/rootfs"},
		{"/b", "../r/x", "/b/../r/x"},
		{"/b", ".", "/b/."},
		{"/", "rootfs", "/rootfs"},
	}
	for _, test := range tests {
		b := Bundle{Dir: test.dir}
		if got := b.Rootfs(test.path); got != test.want {
			t.Errorf("%q in %q is %q, not %q", test.path, test.dir, got, test.want)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		if _, err := Open("examples/default"); err != nil {
			b.Fatal(err)
		}
	}
}
