package rootfs_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/rootfs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// PG-02 and the row of advisories D on crun 1.27.1.
func TestHostMountsMadeLaterAreSeenInASlaveBind(t *testing.T) {
	for _, options := range [][]string{{"rbind"}, {"rbind", "rslave"}, {"rbind", "rprivate"}} {
		b := newBox(t)
		vol := b.outside("vol")
		must(t, unix.Mount("tmpfs", vol, "tmpfs", 0, ""))
		t.Cleanup(func() { unix.Unmount(vol, unix.MNT_DETACH) })
		must(t, unix.Mount("", vol, "", unix.MS_SHARED, ""))
		must(t, os.Mkdir(vol+"/sub", 0o755))
		b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: options})
		r := b.runMeanwhile("read x; ls /vol/sub", func() {
			must(t, unix.Mount("tmpfs", vol+"/sub", "tmpfs", 0, ""))
			must(t, os.WriteFile(vol+"/sub/later", nil, 0o644))
		})
		if want := options[len(options)-1] != "rprivate"; strings.Contains(r.ok(t).out, "later") != want {
			t.Errorf("%v: %q", options, r.out)
		}
	}
}

// PG-01, PG-05: with rshared a volume's mount shows on the host, and the root's
// own mounts don't.
func TestABidirectionalVolumesMountShowsOnTheHost(t *testing.T) {
	for _, propagation := range []string{"shared", "rshared"} {
		b := newBox(t)
		must(t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, "")) // as systemd does; of this thread's namespace alone
		vol := b.outside("vol")
		must(t, unix.Mount("tmpfs", vol, "tmpfs", 0, ""))
		t.Cleanup(func() { unix.Unmount(vol, unix.MNT_DETACH) })
		must(t, os.Mkdir(vol+"/sub", 0o755))
		b.mkdir("opt") // a host mount below the root: what is mounted on it in the container stays there
		must(t, unix.Mount("tmpfs", b.root+"/opt", "tmpfs", 0, ""))
		t.Cleanup(func() { unix.Unmount(b.root+"/opt", unix.MNT_DETACH) })
		b.mount(specs.Mount{Destination: "/opt/x", Type: "tmpfs"})
		b.spec.Linux.RootfsPropagation = propagation
		b.mount(specs.Mount{Destination: "/vol", Source: vol, Options: []string{"rbind", "rshared"}})
		before := mounts(t)
		r := b.run("mount -t tmpfs tmpfs /vol/sub; cat /proc/self/mountinfo").ok(t)
		after := mounts(t)
		if added := strings.TrimPrefix(after, before); !strings.HasPrefix(after, before) || strings.Count(added, "\n") != 1 || !strings.Contains(added, " "+vol+"/sub ") {
			t.Errorf("%s: the host's mounts changed from\n%s\nto\n%s", propagation, before, after)
		}
		_, tags, _, _, _ := mountOn(t, r.out, "/")
		if !strings.HasPrefix(tags, "shared:") || strings.Contains(before, tags+" ") {
			t.Errorf("%s: the root has the tags %q", propagation, tags)
		}
		unix.Unmount(vol+"/sub", unix.MNT_DETACH)
	}
}

func mounts(t *testing.T) string {
	b, err := os.ReadFile("/proc/thread-self/mountinfo")
	must(t, err)
	return string(b)
}

// PG-02 to PG-04, and SEC-60: the host's mounts are the same afterwards.
func TestRootfsPropagationIsSet(t *testing.T) {
	for _, c := range []struct{ word, tags string }{{"", "master:"}, {"slave", "master:"}, {"rslave", "master:"}, {"private", ""}, {"rprivate", ""}, {"unbindable", "unbindable"}, {"runbindable", "unbindable"}} {
		b := newBox(t)
		must(t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""))
		b.spec.Linux.RootfsPropagation = c.word
		before := mounts(t)
		r := b.run("cat /proc/self/mountinfo").ok(t)
		if _, tags, _, _, _ := mountOn(t, r.out, "/"); !strings.HasPrefix(tags, c.tags) || c.tags == "" && tags != "" {
			t.Errorf("%s: the root has the tags %q", c.word, tags)
		}
		if after := mounts(t); after != before {
			t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
		}
	}
}

func TestNoPivotMovesTheRoot(t *testing.T) {
	b := newBox(t)
	b.facts.NoPivot = true
	b.spec.Root.Readonly = true
	b.run("ls / && ! touch /x 2>/dev/null; ls /proc/1/exe").says(t, "bin\ndev\netc\nproc\nsys\n/proc/1/exe")
}

// SEC-60: without a mount namespace the mounts are made below the root, and
// the host's own mounts are the same when they are gone.
func TestTheSmallestContainerHasNoMountNamespace(t *testing.T) {
	b := newBox(t)
	must(t, unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""))
	b.namespaces = unix.CLONE_NEWPID
	b.spec.Mounts = append(b.spec.Mounts[:2:2], specs.Mount{Destination: "/dev/shm", Type: "tmpfs", Source: "shm"})
	b.spec.Linux.MaskedPaths = []string{"/proc/keys", "/etc"}
	before, files := mounts(t), listing(t, b.root)
	b.facts = rootfs.Facts{Root: b.root, Bundle: b.bundle, OpenTreeAttr: !noOpenTreeAttr}
	points, err := mountpoint.Look(b.spec, &b.facts, 0, 0)
	must(t, err)
	defer points.Close()
	undo, err := mountpoint.Before(b.root, rootfs.Unmounts(b.spec, &b.facts))
	must(t, err)
	must(t, points.Make())
	t.Cleanup(func() { mountpoint.Unmount(b.root, undo) })
	r := b.exec("ls /etc /dev; echo $$; cd /proc; echo [0-9]*; cat /proc/keys; grep -c /dev/shm /proc/mounts")
	r.says(t, "/dev:\nfd\nfull\nnull\nptmx\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n\n/etc:\n1\n1\n1")
	must(t, mountpoint.Unmount(b.root, undo))
	must(t, mountpoint.Remove(b.root, points.Missing()))
	if after := mounts(t); after != before {
		t.Errorf("the host's mounts changed from\n%s\nto\n%s", before, after)
	}
	if after := listing(t, b.root); after != files {
		t.Errorf("after:\n%s\nbefore:\n%s", after, files)
	}
}

// Two containers have one root, on which the first one's create made the mount
// points: the second one's mounts stay when the first is deleted.
func TestMountPointsStayWhileAnotherContainerUsesThem(t *testing.T) {
	b := newBox(t)
	first, err := b.look()
	must(t, err)
	first.Close()
	r := b.runMeanwhile("read x; grep -c . /proc/self/mountinfo; cat /proc/self/stat > /dev/null", func() {
		must(t, mountpoint.Remove(b.root, first.Missing()))
	})
	if r.ok(t); strings.TrimSpace(r.out) != "7" {
		t.Errorf("the second container has %s mounts", r.out)
	}
	second, err := b.look() // a create that is under way
	must(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestRemoveAsAnotherProcess$")
	cmd.Env = append(os.Environ(), "MINIRT_REMOVE="+b.root)
	out, err := cmd.CombinedOutput()
	must(t, err)
	if _, err := os.Stat(b.root + "/proc"); err != nil {
		t.Errorf("a mount point was removed while a create was under way: %s", out)
	}
	second.Close()
	must(t, mountpoint.Remove(b.root, first.Missing()))
	if _, err := os.Stat(b.root + "/proc"); err == nil {
		t.Error("a mount point was left behind")
	}
}

func TestRemoveAsAnotherProcess(t *testing.T) {
	if root := os.Getenv("MINIRT_REMOVE"); root != "" {
		must(t, mountpoint.Remove(root, []string{"dir proc"}))
	}
}
