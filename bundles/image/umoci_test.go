package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// run runs a program to its end.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

// needUmoci skips where there is nothing to compare with.
func needUmoci(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("umoci"); err != nil {
		t.Skip("umoci is not installed: nothing to compare with")
	}
	if os.Geteuid() != 0 {
		t.Skip("umoci keeps owners for root only")
	}
}

// asUmoci demands that a tag of a layout becomes the tree that umoci makes of it.
func asUmoci(t *testing.T, layout, tag string) {
	t.Helper()
	theirs := filepath.Join(t.TempDir(), "umoci")
	run(t, "umoci", "unpack", "--image", layout+":"+tag, theirs)
	ours := deploy(t, layout+":"+tag)
	// umoci leaves a root that no layer describes with the time of today.
	want, got := tree(t, theirs+"/rootfs"), tree(t, ours)
	if strings.HasSuffix(got[0], " 0") {
		want[0] = want[0][:strings.LastIndexByte(want[0], ' ')] + " 0"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: umoci -, minirt +: %s", tag, diff)
	}
	if len(got) < 5 {
		t.Errorf("%s: only %d entries", tag, len(got))
	}
}

func TestAnImageBecomesTheTreeThatUmociMakesOfIt(t *testing.T) {
	t.Parallel()
	needUmoci(t)
	tmp := t.TempDir()
	layout := tmp + "/layout"
	run(t, "umoci", "init", "--layout", layout)
	run(t, "umoci", "new", "--image", layout+":one")
	run(t, "umoci", "config", "--image", layout+":one", "--config.cmd", "/bin/sh")
	change := func(tag, script string) {
		run(t, "umoci", "unpack", "--image", layout+":one", tmp+"/"+tag)
		c := exec.Command("sh", "-ec", script)
		c.Dir = tmp + "/" + tag + "/rootfs"
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		run(t, "umoci", "repack", "--image", layout+":"+tag, tmp+"/"+tag)
		run(t, "umoci", "tag", "--image", layout+":"+tag, "one")
		asUmoci(t, layout, tag)
	}
	change("two", `mkdir -p bin etc usr/lib/deep/er var/tmp dev data/sub "name with spaces" ünïcode
		cp "$(command -v busybox || command -v sh)" bin/busybox
		for i in sh ls cat; do ln -s busybox bin/$i; done
		ln bin/busybox bin/hard; ln -s /usr/lib lib; ln -s ../../../../../etc usr/lib/deep/out
		echo root:x:0:0::/root:/bin/sh >etc/passwd; echo x >usr/lib/deep/er/x; echo y >data/sub/y; touch "name with spaces/a b" ünïcode/ü
		cp bin/busybox bin/su; chown 3:4 bin/su; chmod 6755 bin/su; chmod 1777 var/tmp; chmod 0500 data; chown -h 9:9 lib
		mknod dev/null c 1 3; mknod dev/loop b 7 0; mkfifo dev/fifo; truncate -s 3M data/sparse; echo end >>data/sparse
		echo | dd of=data/hole bs=1 seek=200000 2>/dev/null
		touch -d '1999-12-31 23:59:59' etc/passwd; touch -h -d '2001-02-03' lib; touch -d '1980-01-01' usr/lib/deep/er
		setcap cap_net_raw+ep bin/busybox 2>/dev/null || :`)
	change("three", `rm etc/passwd; rm -r usr/lib/deep; mkdir -p usr/lib/deep/new; echo n >usr/lib/deep/new/n
		rm bin/ls; mkdir bin/ls; echo z >bin/ls/z; rm -r data; ln -s usr data; rm lib; mkdir lib; echo l >lib/l; chmod 700 var; chown 5 bin/hard; rm dev/fifo; mkfifo -m 600 dev/fifo`)
	extra := tmp + "/extra"
	check(t, os.MkdirAll(extra+"/a/b", 0o755))
	check(t, os.WriteFile(extra+"/a/b/c", []byte("inserted"), 0o600))
	run(t, "umoci", "insert", "--image", layout+":one", "--tag", "four", "--opaque", extra, "/usr/lib")
	asUmoci(t, layout, "four")
	run(t, "umoci", "insert", "--image", layout+":four", "--tag", "five", "--whiteout", "/bin/ls")
	asUmoci(t, layout, "five")
}

// buildah writes layouts of its own kind, Docker's media types among them.
func TestLayoutsOfBuildahAreReadToo(t *testing.T) {
	t.Parallel()
	needUmoci(t)
	if _, err := exec.LookPath("buildah"); err != nil {
		t.Skip("buildah is not installed")
	}
	tmp := t.TempDir()
	store := []string{"--root", tmp + "/root", "--runroot", tmp + "/run", "--storage-driver", "vfs"}
	buildah := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("buildah", append(slices.Clone(store), args...)...).Output()
		if err != nil {
			t.Skipf("buildah %v can't work here: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	content := tmp + "/content"
	check(t, os.MkdirAll(content+"/etc", 0o755))
	for _, name := range []string{"a", "b", "etc/passwd"} {
		check(t, os.WriteFile(content+"/"+name, []byte(strings.Repeat(name, 10_000)), 0o640))
	}
	c := buildah("from", "scratch")
	buildah("add", c, content, "/")
	buildah("config", "--cmd", "/a", c)
	buildah("commit", c, "base")
	c = buildah("from", "base")
	buildah("add", "--chown", "7:8", c, content+"/a", "/etc/passwd")
	id := buildah("commit", c, "image")
	buildah("push", id, "oci:"+tmp+"/oci:a")
	asUmoci(t, tmp+"/oci", "a")
	want := tree(t, deploy(t, tmp+"/oci"))
	buildah("push", id, "oci-archive:"+tmp+"/archive.tar:a")
	if diff := cmp.Diff(want, tree(t, deploy(t, tmp+"/archive.tar"))); diff != "" {
		t.Error(diff)
	}
	buildah("push", "--format", "v2s2", id, "oci:"+tmp+"/docker:a")
	if diff := cmp.Diff(want, tree(t, deploy(t, tmp+"/docker"))); diff != "" {
		t.Error(diff)
	}
}
