package lifecycle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tmpfs mounts one on a directory of the place.
func (p *proof) tmpfs(dir, options string) {
	p.t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		p.t.Skip("no tmpfs: ", err)
	}
}

// tried makes a container and wants an error that says why, or none. It tells
// whether there was none.
func (p *proof) tried(what, why string) bool {
	p.t.Helper()
	err := p.Create("web", CreateOptions{Bundle: p.bundle})
	if err == nil {
		if err := p.Delete("web", true); err != nil {
			p.t.Errorf("%s: delete: %v", what, err)
		}
		p.nothingLeft(p.before, what)
		return true
	}
	if !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "\n") {
		p.t.Errorf("%s: %v\nwant %q", what, err, why)
	}
	p.nothingLeft(p.before, what+": "+err.Error())
	return false
}

// TestAFullDiskFailsCreateAndNothingElse lets the state root run out of inodes,
// and of blocks, at each place where create needs one.
func TestAFullDiskFailsCreateAndNothingElse(t *testing.T) {
	p := newProof(t, []byte(sleeper))
	for _, resource := range []string{"nr_inodes", "nr_blocks"} {
		failed, worked := 0, false
		for n := 1; !worked && n < 32; n++ {
			options := "mode=700," + resource + "=" + strconv.Itoa(n)
			p.tmpfs(p.Root, options)
			if resource == "nr_blocks" {
				options += ",full" // the first block is taken
				if err := os.WriteFile(filepath.Join(p.Root, "full"), make([]byte, 4096), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			p.before = p.census()
			if worked = p.tried(options, unix.ENOSPC.Error()); !worked {
				failed++
			}
			if err := unix.Unmount(p.Root, 0); err != nil {
				t.Fatal(err)
			}
		}
		if failed == 0 || !worked {
			t.Errorf("%s: create failed %d times, and worked: %v", resource, failed, worked)
		}
	}
}

// TestAFullRootFileSystemKeepsNoMountPoints lets the root file system run out of
// inodes while mount points are made there.
func TestAFullRootFileSystemKeepsNoMountPoints(t *testing.T) {
	config := strings.Replace(sleeper, `{"destination": "/proc", "type": "proc"}`,
		`{"destination": "/proc", "type": "proc"}, {"destination": "/a/deep/place", "type": "tmpfs"}, {"destination": "/other", "type": "tmpfs"}`, 1)
	p := newProof(t, []byte(config))
	root := filepath.Join(p.bundle, "rootfs")
	aside := filepath.Join(p.dir, "aside")
	if err := os.Rename(root, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	failed, worked := 0, false
	for n := 11; !worked && n < 40; n++ {
		p.tmpfs(root, "mode=755,nr_inodes="+strconv.Itoa(n))
		if out, err := exec.Command("cp", "-a", aside+"/.", root).CombinedOutput(); err != nil {
			if failed > 0 {
				t.Fatalf("%v: %s", err, out)
			}
		} else {
			p.before = p.census()
			if worked = p.tried("nr_inodes="+strconv.Itoa(n), unix.ENOSPC.Error()); !worked {
				failed++
			}
		}
		if err := unix.Unmount(root, 0); err != nil {
			t.Fatal(err)
		}
	}
	if failed == 0 || !worked {
		t.Errorf("create failed %d times, and worked: %v", failed, worked)
	}
}

func TestAReadOnlyStateRootIsSaid(t *testing.T) {
	p := newProof(t, []byte(sleeper))
	p.tmpfs(p.Root, "mode=700")
	if err := unix.Mount("", p.Root, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	p.before = p.census()
	if p.tried("read-only state root", "state root "+p.Root+": "+unix.EROFS.Error()) {
		t.Error("create worked")
	}
}

// TestFewDescriptorsFailCreateAndNothingElse lets minirt run out of descriptors
// at each place where create needs one more.
func TestFewDescriptorsFailCreateAndNothingElse(t *testing.T) {
	p := newProof(t, []byte(sleeper))
	p.minirt()
	p.before = p.census()
	failed, stride := 0, rounds(2, 1)
	for n := 4; ; n += stride {
		command := append([]string{"sh", "-c", `ulimit -n ` + strconv.Itoa(n) + `; exec "$@"`, "sh"}, p.minirt()...)
		c := start(t, append(command, "create", "-b", p.bundle, "web")...).wait(t)
		what := strconv.Itoa(n) + " descriptors: " + c.stderr
		if c.status == 0 {
			break
		}
		failed++
		if !strings.Contains(c.stderr, "too many open files") || strings.Count(c.stderr, "\n") != 1 {
			t.Errorf("exit status %d, %s", c.status, what)
		}
		if !p.nothingLeft(p.before, what) || n > 64 {
			break
		}
	}
	if err := p.Delete("web", true); err != nil {
		t.Error(err)
	}
	p.nothingLeft(p.before, "enough descriptors")
	t.Logf("%d times too few", failed)
	if failed == 0 {
		t.Error("four descriptors are enough")
	}
}

func TestAHostWithoutProcIsSaid(t *testing.T) {
	if _, err := exec.LookPath("unshare"); err != nil {
		t.Skip(err)
	}
	p := newProof(t, []byte(sleeper))
	p.minirt()
	p.before = p.census()
	command := append([]string{"unshare", "-m", "sh", "-c", `mount -t tmpfs none /proc && exec "$@"`, "sh"}, p.minirt()...)
	c := start(t, append(command, "create", "-b", p.bundle, "web")...).wait(t)
	if c.status != 1 || !strings.Contains(c.stderr, "/proc") || strings.Count(c.stderr, "\n") != 1 {
		t.Errorf("exit status %d: %s", c.status, c.stderr)
	}
	p.nothingLeft(p.before, "no /proc")
}
