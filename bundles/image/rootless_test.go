package image

import (
	"archive/tar"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnOrdinaryUserGetsAllButOwnersAndDevices(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	const uid = 12345
	closed, owned := dir("closed"), file("closed/f", "x")
	closed.Mode, owned.Uid, owned.Mode = 0o555, 7, 0o4711
	fifo := entry{Header: tar.Header{Typeflag: tar.TypeFifo, Name: "fifo", Mode: 0o600}}
	config := here()
	config.Config.User, config.Config.Volumes = "7:8", map[string]struct{}{"/closed": {}}
	b := build(t)
	b.name("", b.manifest(config, layer(t, closed, owned, device("null", 1, 3), fifo, link("l", "/nowhere")), layer(t, file("closed/g", ""), file("closed/.wh.none", ""))))
	home, err := os.MkdirTemp("", "image-rootless") // t.TempDir is below a directory of root's alone
	check(t, err)
	defer os.RemoveAll(home)
	check(t, os.CopyFS(home+"/layout", os.DirFS(b.dir)))
	check(t, os.Chmod(home, 0o755))
	check(t, os.Chown(home, uid, uid))
	c := exec.Command("/proc/self/exe", "-test.run=^TestDeployForAnother$", "-test.v")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	c.Env, c.Dir = []string{"BUNDLE=" + home + "/b", "LAYOUT=" + home + "/layout", "TMPDIR=" + home}, "/"
	out, err := c.CombinedOutput()
	for _, want := range []string{"error:  <nil>", "which only the host's root can give them: 1\n", "which only the host's root can make: 1\n", `the image's user "7:8" is root in this bundle`, "the image's volumes stay in the root file system"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("no %q: %v: %s", want, err, out)
		}
	}
	want := []string{
		". drwxr-xr-x 12345:12345 0",
		"closed drwxr-xr-x 12345:12345 1000000000",
		"closed/f urwx--x--x 12345:12345 1000000000 1 2d711642",
		"closed/g -rw-r--r-- 12345:12345 1000000000 0 e3b0c442",
		"fifo prw------- 12345:12345 1000000000",
		"l Lrwxrwxrwx 12345:12345 1000000000 -> /nowhere",
	}
	if diff := cmp.Diff(want, tree(t, home+"/b/rootfs")); diff != "" {
		t.Error(diff)
	}
}
