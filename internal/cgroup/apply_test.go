package cgroup

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestMakeApplyAndRemove(t *testing.T) {
	t.Parallel()
	g := newGroup(t, "/a/b")
	if err := g.Survey(); err != nil {
		t.Fatal(err)
	}
	for _, d := range g.Dirs {
		if len(d.Made) != 3 || d.Made[2] != d.Path || exists(d.Path) {
			t.Errorf("%s: Survey says %v", d.Path, d.Made)
		}
	}
	if err := g.Make(); err != nil {
		t.Fatal(err)
	}
	r := &specs.LinuxResources{
		Memory: &memory{Limit: p(int64(64 << 20)), Swap: p(int64(96 << 20)), Reservation: p(int64(32 << 20)),
			Swappiness: p(uint64(11)), DisableOOMKiller: p(true), UseHierarchy: p(true), Kernel: p(int64(-1)), KernelTCP: p(int64(-1))},
		CPU:     &cpu{Shares: p(uint64(512)), Quota: p(int64(50000)), Period: p(uint64(200000)), Burst: p(uint64(1000)), RealtimeRuntime: p(int64(0)), Cpus: "0", Mems: "0"},
		Pids:    &specs.LinuxPids{Limit: p(int64(17))},
		BlockIO: &specs.LinuxBlockIO{Weight: p(uint16(300))},
	}
	if g.Layout().hierarchy("memory") == nil || g.Layout().hierarchy("cpu") == nil || g.Layout().Unified() {
		t.Skip("the controllers aren't on version 1 here")
	}
	early, late, err := Compile(r, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(append(early, late...)); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range []string{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.swappiness", "memory.use_hierarchy", "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.cfs_burst_us", "cpuset.cpus", "cpuset.mems", "pids.max"} {
		c, _, _ := strings.Cut(f, ".")
		got[f] = content(t, g.dir(c).Path+"/"+f)
	}
	got["weight"] = content(t, g.dir("blkio").Path+"/blkio.bfq.weight")
	got["oom"], _, _ = strings.Cut(content(t, g.dir("memory").Path+"/memory.oom_control"), "\n")
	want := map[string]string{
		"weight": "300", "oom": "oom_kill_disable 1", "memory.swappiness": "11", "memory.use_hierarchy": "1",
		"memory.limit_in_bytes": "67108864", "memory.memsw.limit_in_bytes": "100663296", "memory.soft_limit_in_bytes": "33554432",
		"cpu.shares": "512", "cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "200000", "cpu.cfs_burst_us": "1000",
		"cpuset.cpus": "0", "cpuset.mems": "0", "pids.max": "17",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	again := &Group{Dirs: g.Dirs} // as delete does, from what was recorded
	if err := again.Remove(); err != nil {
		t.Fatal(err)
	}
	for _, d := range g.Dirs {
		if exists(d.Made[0]) {
			t.Errorf("%s is still there", d.Made[0])
		}
	}
	if err := again.Remove(); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

func TestLimitsCanBeRaisedAndLowered(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	if d := g.dir("memory"); d == nil || d.V2 || !exists(d.Path+"/memory.memsw.limit_in_bytes") {
		t.Skip("no version 1 memory controller with swap")
	}
	for _, mb := range []int64{10, 100, 20, -1, 30} {
		n := mb << 20
		if mb < 0 {
			n = -1
		}
		q := max(mb, 1) * 1000
		ws, err := Update(&specs.LinuxResources{
			Memory: &memory{Limit: &n, Swap: &n},
			CPU:    &cpu{Quota: &q, Burst: p(uint64(q))},
		}, g.Layout())
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Apply(ws); err != nil {
			t.Errorf("%d MB: %v", mb, err)
		}
		if got := content(t, g.dir("memory").Path+"/memory.memsw.limit_in_bytes"); mb > 0 && got != strconv.FormatInt(n, 10) {
			t.Errorf("swap = %s, want %d", got, n)
		}
	}
}

func TestARefusedLimitNamesFieldValueAndFile(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	d := g.dir("cpu")
	if d == nil || d.V2 {
		t.Skip("no version 1 cpu controller")
	}
	early, _, err := Compile(&specs.LinuxResources{CPU: &cpu{Period: p(uint64(7))}}, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	err = g.Apply(early)
	want := "linux.resources.cpu.period: 7: write " + d.Path + "/cpu.cfs_period_us: invalid argument"
	if err == nil || err.Error() != want || !errors.Is(err, unix.EINVAL) {
		t.Errorf("err = %v, want %s", err, want)
	}
}

func TestAMissingFileIsRefusedUnlessItMeansNothing(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	d := g.dir("cpu")
	if d == nil {
		t.Skip("no cpu controller")
	}
	w := Write{Controller: "cpu", File: "cpu.nosuch", Value: "1", Path: "linux.resources.cpu.x"}
	want := "linux.resources.cpu.x: 1: open " + d.Path + "/cpu.nosuch: this kernel has no such limit: no such file or directory"
	if err := g.Apply([]Write{w}); err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
	w.Optional = true
	if err := g.Apply([]Write{w}); err != nil {
		t.Errorf("optional: %v", err)
	}
	file := "cpu.shares"
	if d.V2 {
		file = "cpu.weight"
	}
	w.Else = &Write{Controller: "cpu", File: file, Value: "77"}
	if err := g.Apply([]Write{w}); err != nil || content(t, d.Path+"/"+file) != "77" {
		t.Errorf("else: %v", err)
	}
}

func TestUnifiedFilesAreWritten(t *testing.T) {
	t.Parallel()
	g := made(t, "").only("")
	if g == nil {
		t.Skip("no version 2")
	}
	early, _, err := Compile(&specs.LinuxResources{Unified: map[string]string{"cgroup.max.descendants": "3", "cgroup.max.depth": "2"}}, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(early); err != nil {
		t.Fatal(err)
	}
	if got := content(t, g.Dirs[0].Path+"/cgroup.max.descendants"); got != "3" {
		t.Errorf("cgroup.max.descendants = %s", got)
	}
	early, _, err = Compile(&specs.LinuxResources{Unified: map[string]string{"cgroup.nosuch": "3"}}, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(early); !errors.Is(err, unix.ENOENT) || !strings.HasPrefix(err.Error(), `linux.resources.unified["cgroup.nosuch"]: 3: open `) {
		t.Errorf("err = %v", err)
	}
}

func TestErrNoRightsIsAboutRights(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EACCES, unix.EPERM, unix.EROFS} {
		err := error(&WriteError{Write{Path: "x"}, &PathError{Op: "mkdir", Path: "/x", Err: errno}})
		if !errors.Is(err, ErrNoRights) || !errors.Is(err, errno) {
			t.Errorf("%v isn't ErrNoRights", err)
		}
	}
	if errors.Is(&PathError{Err: unix.ENOENT}, ErrNoRights) {
		t.Error("ENOENT is ErrNoRights")
	}
}

// MM-07
func TestALimitBelowTheUsageIsRefusedWhenAskedFor(t *testing.T) {
	t.Parallel()
	top := tree(t, map[string]string{"memory.max": "max\n", "memory.current": "5000\n"})
	g := &Group{Dirs: []Dir{{Hierarchy: Hierarchy{Mount: top, V2: true, Controllers: []string{"memory"}}, Path: top}}}
	for _, tt := range []struct {
		limit int64
		check bool
		want  string
	}{
		{4999, true, "linux.resources.memory.limit: 4999: check " + top + "/memory.current: the usage is 5000 already: device or resource busy"},
		{4999, false, ""},
		{5000, true, ""},
		{-1, true, ""},
	} {
		ws, err := Update(&specs.LinuxResources{Memory: &memory{Limit: &tt.limit, CheckBeforeUpdate: &tt.check}}, g.Layout())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := g.Apply(ws); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}

func TestAControllerThatIsNotEnabledIsNamed(t *testing.T) {
	t.Parallel()
	top := tree(t, map[string]string{"cgroup.controllers": "cpu\n"})
	g := &Group{Dirs: []Dir{{Hierarchy: Hierarchy{Mount: top, V2: true, Controllers: []string{"cpu", "memory"}}, Path: top}}}
	early, _, err := Compile(&specs.LinuxResources{Memory: &memory{Limit: p(int64(9))}}, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	want := "linux.resources.memory.limit: 9: open " + top + "/memory.max: the memory controller can't be enabled for this cgroup: no such file or directory"
	if err := g.Apply(early); err == nil || err.Error() != want {
		t.Errorf("err = %v, want %s", err, want)
	}
}

func TestProcessesAboveKeepAControllerOut(t *testing.T) {
	t.Parallel()
	g := newGroup(t, "/a/b").only("")
	if g == nil || len(g.Dirs[0].Controllers) == 0 {
		t.Skip("no version 2 with a controller")
	}
	d := g.Dirs[0]
	above := &Group{Dirs: []Dir{d}}
	above.Dirs[0].Path = parent(d.Path)
	if err := above.Make(); err != nil {
		t.Fatal(err)
	}
	start(t, above, "exec sleep 1000")
	inside(t, above, 1)
	for _, c := range d.Controllers { // pids and cpu are for threads, too, and can
		if c != "memory" && c != "hugetlb" && c != "io" {
			continue
		}
		if err := g.Make(); err != nil {
			t.Fatal(err)
		}
		w := Write{Controller: c, V2: true, File: c + ".max", Path: "linux.resources.x", Value: "1"}
		want := "the " + c + " controller can't be enabled for this cgroup, as there are processes in " + parent(d.Path)
		if err := g.Apply([]Write{w}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("err = %v, want %s", err, want)
		}
	}
}

func TestAnEmptyValueIsWrittenAsALine(t *testing.T) {
	t.Parallel()
	top := tree(t, map[string]string{"cpuset.cpus": "0-1\n"})
	g := &Group{Dirs: []Dir{{Hierarchy: Hierarchy{Mount: top, V2: true, Controllers: []string{"cpuset"}}, Path: top}}}
	early, _, err := Compile(&specs.LinuxResources{Unified: map[string]string{"cpuset.cpus": ""}}, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(early); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(top + "/cpuset.cpus"); string(b) != "\n-1\n" {
		t.Errorf("the file has %q", b)
	}
}

func TestLimitsOnVersion2AreInForce(t *testing.T) {
	t.Parallel()
	g := made(t, "/a/b")
	if !g.Layout().Unified() || g.dir("memory") == nil {
		t.Skip("the host has no pure version 2")
	}
	d := g.Dirs[0]
	apply := func(r *specs.LinuxResources) {
		t.Helper()
		early, late, err := Compile(r, g.Layout())
		if os.Geteuid() != 0 { // who may not load programs
			late = withoutDevices(late)
		}
		if err == nil {
			err = g.Apply(append(early, late...))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	apply(&specs.LinuxResources{
		Memory:  &memory{Limit: p(int64(64 << 20)), Reservation: p(int64(32 << 20))},
		CPU:     &cpu{Shares: p(uint64(512)), Quota: p(int64(50000)), Period: p(uint64(200000)), Burst: p(uint64(1000)), Cpus: "0", Mems: "0"},
		Pids:    &specs.LinuxPids{Limit: p(int64(17))},
		Unified: map[string]string{"memory.high": "41943040", "cgroup.max.depth": "5"},
	})
	got := map[string]string{}
	want := map[string]string{
		"memory.max": "67108864", "memory.low": "33554432", "memory.high": "41943040", "cpu.weight": "59", "cpu.max": "50000 200000",
		"cpu.max.burst": "1000", "cpuset.cpus": "0", "cpuset.mems": "0", "pids.max": "17", "cgroup.max.depth": "5",
	}
	for f := range want {
		got[f] = content(t, d.Path+"/"+f)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	apply(&specs.LinuxResources{Memory: &memory{Limit: p(int64(-1))}, CPU: &cpu{Quota: p(int64(-1)), Idle: p(int64(1))}, Pids: &specs.LinuxPids{Limit: p(int64(0))}})
	for f, want := range map[string]string{"memory.max": "max", "cpu.max": "max 200000", "cpu.idle": "1", "pids.max": "0"} {
		if got := content(t, d.Path+"/"+f); got != want {
			t.Errorf("%s = %s, want %s", f, got, want)
		}
	}
}
