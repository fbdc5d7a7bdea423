package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// An ordinary user to whom a part of the tree is delegated has limits, pause and
// delete there without systemd; beyond it, the error says what to do. It runs as
// one in the guest of hack/vm/cgroups.
func TestAnOrdinaryUserHasLimitsInWhatIsDelegated(t *testing.T) {
	runtime, uid := os.Getenv("RUNTIME"), os.Geteuid()
	if uid == 0 || runtime == "" {
		t.Skip("for an ordinary user, with RUNTIME")
	}
	top := unified(t)
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("busybox is missing")
	}
	work := t.TempDir()
	b := &box{T: t, dir: filepath.Join(work, "bundle"), root: filepath.Join(work, "states"), id: "users", config: plain(t, base(""))}
	program = runtime
	for _, d := range []string{"bin", "proc", "dev"} {
		if err := os.MkdirAll(b.path("rootfs/"+d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.link(busybox, "rootfs/bin/busybox")
	os.Symlink("busybox", b.path("rootfs/bin/sh"))
	os.Symlink("busybox", b.path("rootfs/bin/sleep"))
	id := []specs.LinuxIDMapping{{HostID: uint32(uid), Size: 1}}
	gid := []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	b.edit(shell(waiting), user(oneMore), set("linux.uidMappings", id), set("linux.gidMappings", gid),
		set("linux.resources", raw(`{"memory":{"limit":33554432},"pids":{"limit":20},"cpu":{"quota":50000,"period":100000}}`)))
	for _, path := range []string{"", "of/mine"} {
		b.edit(set("linux.cgroupsPath", path))
		b.create()
		t.Cleanup(func() { b.call("delete", "--force", b.id) })
		b.start()
		var s specs.State
		if err := json.Unmarshal([]byte(b.must("state", b.id)), &s); err != nil {
			t.Fatal(err)
		}
		dir := top + paths(contents("/proc/" + strconv.Itoa(s.Pid) + "/cgroup"))[""]
		if own := top + paths(contents("/proc/self/cgroup"))[""]; !strings.HasPrefix(dir, filepath.Dir(own)+"/minirt") {
			t.Errorf("%q is at %s, and the caller at %s", path, dir, own)
		}
		b.must("update", "--memory", "64M", b.id)
		for file, want := range map[string]string{"memory.max": "67108864", "pids.max": "20", "cpu.max": "50000 100000"} {
			same(t, file, strings.TrimSpace(contents(dir+"/"+file)), want)
		}
		b.must("pause", b.id)
		b.is("paused")
		b.must("delete", "--force", b.id)
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left", dir)
		}
	}
	b.edit(set("linux.cgroupsPath", "/top"))
	r := b.fails("create", "--bundle", b.dir, b.id)
	if !strings.Contains(r.stderr, "mkdir /sys/fs/cgroup/top: permission denied") || !strings.Contains(r.stderr, "delegated") {
		t.Error(r)
	}
	b.fails("state", b.id)
}
