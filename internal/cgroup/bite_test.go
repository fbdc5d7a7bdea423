package cgroup

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// These tests see that limits do something to processes, on the version that
// the machine has.

// limited is a group with these resources in force; the test skips where the
// controller is missing. Device rules are left out: an ordinary user has none.
func limited(t *testing.T, controller string, r *specs.LinuxResources) (*Group, *Dir) {
	t.Helper()
	g := made(t, "")
	d := g.dir(controller)
	if d == nil && controller == "blkio" {
		d = g.dir("io")
	}
	if d == nil {
		t.Skipf("no %s controller", controller)
	}
	limit(t, g, r)
	return g, d
}

func limit(t *testing.T, g *Group, r *specs.LinuxResources) {
	t.Helper()
	early, late, err := Compile(r, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(append(withoutDevices(early), withoutDevices(late)...)); err != nil {
		t.Fatal(err)
	}
}

// counter is a number behind a name in a file.
func counter(t *testing.T, file, name string) int {
	t.Helper()
	for line := range strings.Lines(content(t, file) + "\n") {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			n, _ := strconv.Atoi(f[1])
			return n
		}
	}
	t.Fatalf("no %s in %s", name, file)
	return 0
}

// MM-01, OOM kills are counted.
func TestWhoTakesMoreThanTheMemoryIsKilledAndCounted(t *testing.T) {
	t.Parallel()
	g, d := limited(t, "memory", &specs.LinuxResources{Memory: &memory{Limit: p(int64(24 << 20)), Swap: p(int64(24 << 20))}})
	out := filepath.Join(t.TempDir(), "out")
	start(t, g, `head -c 80000000 /dev/zero | tail -c 80000000 | wc -c >`+out).Wait()
	if got := content(t, out); got != "0" {
		t.Errorf("%s bytes went through", got)
	}
	file := "/memory.oom_control"
	if d.V2 {
		file = "/memory.events"
	}
	if counter(t, d.Path+file, "oom_kill") == 0 {
		t.Error("no kill was counted")
	}
}

func TestALimitThatVersion1CantReachTellsTheUsage(t *testing.T) {
	t.Parallel()
	g, d := limited(t, "memory", &specs.LinuxResources{})
	if d.V2 || !exists(d.Path+"/memory.memsw.limit_in_bytes") {
		t.Skip("version 2 kills, and tells nothing")
	}
	in := filepath.Join(t.TempDir(), "in")
	start(t, g, `x=$(head -c 30000000 /dev/zero | tr '\0' x); >`+in+`; sleep 1000; : $x`)
	for !exists(in) {
		time.Sleep(time.Millisecond)
	}
	ws, err := Update(&specs.LinuxResources{Memory: &memory{Limit: p(int64(4 << 20)), Swap: p(int64(4 << 20))}}, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^linux.resources.memory.(limit|swap): 4194304: write ` + d.Path + `/memory.(memsw.)?limit_in_bytes: the usage is [0-9]+, and can't be brought below: device or resource busy$`)
	if err := g.Apply(ws); err == nil || !want.MatchString(err.Error()) {
		t.Errorf("err = %v, want %s", err, want)
	}
}

// PI-02: 0 is a limit, whoever is inside already.
func TestWithTheLimitOfProcessesReachedNobodyForks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		limit int64
		want  string
	}{{0, "no"}, {1, "no"}, {2, "yes"}, {-1, "yes"}} {
		t.Run(strconv.Itoa(int(tt.limit)), func(t *testing.T) {
			g, _ := limited(t, "pids", &specs.LinuxResources{})
			dir := t.TempDir()
			cmd := start(t, g, `exec sh -c 'cd `+dir+`; >in; while ! [ -e go ]; do :; done; echo no >out; (exec true) && echo yes >out' 2>/dev/null`)
			for !exists(dir + "/in") {
				time.Sleep(time.Millisecond)
			}
			limit(t, g, &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &tt.limit}})
			os.WriteFile(dir+"/go", nil, 0o644)
			cmd.Wait()
			if got := content(t, dir+"/out"); got != tt.want {
				t.Errorf("it forks: %s, want %s", got, tt.want)
			}
		})
	}
}

// CU-02
func TestWhoUsesUpTheQuotaIsThrottled(t *testing.T) {
	t.Parallel()
	g, d := limited(t, "cpu", &specs.LinuxResources{CPU: &cpu{Quota: p(int64(10000)), Period: p(uint64(100000))}})
	cmd := start(t, g, `while :; do :; done`)
	for end := time.Now().Add(10 * time.Second); counter(t, d.Path+"/cpu.stat", "nr_throttled") < 3; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not throttled within 10 s: " + content(t, d.Path+"/cpu.stat"))
		}
	}
	if d.V2 {
		used, periods := counter(t, d.Path+"/cpu.stat", "usage_usec"), counter(t, d.Path+"/cpu.stat", "nr_periods")
		if used > (periods+2)*20000 { // twice the quota: it is dealt out in slices
			t.Errorf("%d µs used in %d periods", used, periods)
		}
	}
	cmd.Process.Kill()
}

// CU-04
func TestWhoHasCPUsOfHisOwnRunsOnThem(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"0", "1"} {
		if _, err := os.Stat("/sys/devices/system/cpu/cpu" + list); err != nil {
			t.Skip("one CPU only")
		}
		g, _ := limited(t, "cpuset", &specs.LinuxResources{CPU: &cpu{Cpus: list}})
		out := filepath.Join(t.TempDir(), "out")
		start(t, g, `grep Cpus_allowed_list /proc/self/status >`+out).Wait()
		if got := strings.Fields(content(t, out)); len(got) != 2 || got[1] != list {
			t.Errorf("%v, want %s", got, list)
		}
	}
}

// BL-03: two MiB at one a second.
func TestWhoWritesMoreThanHisShareOfADiskWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var s unix.Stat_t
	if err := unix.Stat(dir, &s); err != nil {
		t.Fatal(err)
	}
	disk := specs.LinuxBlockIODevice{Major: int64(unix.Major(s.Dev)), Minor: int64(unix.Minor(s.Dev))}
	if _, err := os.Stat("/sys/dev/block/" + deviceNumber(disk)); err != nil {
		t.Skip(dir + " isn't on a disk")
	}
	g, _ := limited(t, "blkio", &specs.LinuxResources{})
	early, _, err := Compile(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{ThrottleWriteBpsDevice: []specs.LinuxThrottleDevice{{LinuxBlockIODevice: disk, Rate: 1 << 20}}}}, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(early); err != nil {
		t.Skip("no limits for this disk: ", err)
	}
	begin := time.Now()
	if err := start(t, g, `dd if=/dev/zero of=`+dir+`/file bs=128k count=16 oflag=direct 2>/dev/null`).Wait(); err != nil {
		t.Skip("no direct writes in " + dir)
	}
	if took := time.Since(begin); took < time.Second {
		t.Errorf("it took %v, want about 2 s", took)
	}
}

// What the kernel refuses is told with the field, the value, the file and the
// reason, and each of them is refused on its own.
func TestWhatTheKernelRefusesNamesFieldFileAndReason(t *testing.T) {
	t.Parallel()
	g := made(t, "")
	disk := specs.LinuxBlockIODevice{Major: 4000, Minor: 77}
	for _, tt := range []struct {
		r    specs.LinuxResources
		want string // a regular expression behind which the file's directory stands
	}{
		{specs.LinuxResources{CPU: &cpu{Cpus: "0-4095"}}, `^linux.resources.cpu.cpus: "0-4095": write DIR/cpuset.cpus: (numerical result out of range|invalid argument)$`},
		{specs.LinuxResources{CPU: &cpu{Mems: "1000"}}, `^linux.resources.cpu.mems: 1000: write DIR/cpuset.mems: (numerical result out of range|invalid argument)$`},
		{specs.LinuxResources{CPU: &cpu{Cpus: "3-1"}}, `^linux.resources.cpu.cpus: "3-1": write DIR/cpuset.cpus: (numerical result out of range|invalid argument)$`},
		{specs.LinuxResources{CPU: &cpu{Period: p(uint64(2000000))}}, `^linux.resources.cpu.period: .* write DIR/cpu.(cfs_period_us|max): invalid argument$`},
		{specs.LinuxResources{CPU: &cpu{Quota: p(int64(5))}}, `^linux.resources.cpu.quota: 5: write DIR/cpu.(cfs_quota_us|max): invalid argument$`},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: p(uint16(5000))}}, `^linux.resources.blockIO.weight: 5000: write DIR/(blk)?io.(bfq.)?weight: (numerical result out of range|invalid argument)$`},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{LinuxBlockIODevice: disk, Rate: 5}}}},
			`^linux.resources.blockIO.throttleReadBpsDevice\[0\]: "4000:77 .*5": write DIR/(io.max|blkio.throttle.read_bps_device): no such device$`},
		{specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "3MB", Limit: 5}}}, `^linux.resources.hugepageLimits\[0\]: 5: open DIR/hugetlb.3MB.(limit_in_bytes|max): (this kernel has no such limit|the hugetlb controller can't be enabled for this cgroup): no such file or directory$`},
		{specs.LinuxResources{Network: &specs.LinuxNetwork{Priorities: []specs.LinuxInterfacePriority{{Name: "nosuch0", Priority: 5}}}}, `^linux.resources.network.priorities\[0\]: "nosuch0 5": write DIR/net_prio.ifpriomap: no such device$`},
		{specs.LinuxResources{Rdma: map[string]specs.LinuxRdma{"nosuch0": {HcaHandles: p(uint32(3))}}}, `^linux.resources.rdma\["nosuch0"\]: "nosuch0 hca_handle=3": (write DIR/rdma.max: no such device|open DIR/rdma.max: the rdma controller can't be enabled for this cgroup: no such file or directory)$`},
		{specs.LinuxResources{Unified: map[string]string{"cgroup.nosuch": "3"}}, `^linux.resources.unified\["cgroup.nosuch"\]: 3: open DIR/cgroup.nosuch: this kernel has no such limit: no such file or directory$`},
		{specs.LinuxResources{Unified: map[string]string{"memory.max": "lots"}}, `^linux.resources.unified\["memory.max"\]: "lots": write DIR/memory.max: invalid argument$`},
		{specs.LinuxResources{Unified: map[string]string{"memory.nosuch": "3"}}, `^linux.resources.unified\["memory.nosuch"\]: 3: open DIR/memory.nosuch: this kernel has no such limit: no such file or directory$`},
		{specs.LinuxResources{Unified: map[string]string{"cgroup.max.depth": "-3"}}, `^linux.resources.unified\["cgroup.max.depth"\]: -3: write DIR/cgroup.max.depth: (numerical result out of range|invalid argument)$`},
	} {
		early, _, err := Compile(&tt.r, g.Layout())
		if err != nil {
			t.Logf("not here: %v", err)
			continue
		}
		if err = g.Apply(early); err == nil {
			t.Errorf("%s: not refused", tt.want)
			continue
		}
		got := err.Error()
		for _, d := range g.Dirs {
			got = strings.ReplaceAll(got, d.Path+"/", "DIR/")
		}
		if !regexp.MustCompile(tt.want).MatchString(got) {
			t.Errorf("%s\nwant %s", got, tt.want)
		}
	}
}
