package cgroup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// files1 and files2 are what a kernel has in a directory with all controllers:
// BFQ's weights on the one, io.cost's on the other.
var (
	files1 = []string{
		"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.swappiness", "memory.oom_control",
		"memory.use_hierarchy", "memory.kmem.limit_in_bytes", "memory.kmem.tcp.limit_in_bytes",
		"cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.cfs_burst_us", "cpu.rt_period_us", "cpu.rt_runtime_us", "cpu.idle",
		"cpuset.cpus", "cpuset.mems", "pids.max", "blkio.bfq.weight", "blkio.bfq.weight_device", "blkio.leaf_weight", "blkio.leaf_weight_device",
		"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device", "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device",
		"hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.rsvd.limit_in_bytes", "net_cls.classid", "net_prio.ifpriomap", "rdma.max",
	}
	files2 = []string{
		"memory.max", "memory.low", "memory.high", "memory.swap.max", "cpu.weight", "cpu.max", "cpu.max.burst", "cpu.idle",
		"cpuset.cpus", "cpuset.mems", "pids.max", "io.weight", "io.max", "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "rdma.max",
	}
)

// contents are the files that are written, by name.
type contents map[string]string

// old is what they read before they write.
const old = "9223372036854771712\n"

// written is what has been written to the files of dir.
func written(t *testing.T, dir string) contents {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := contents{}
	for _, f := range list {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b); text != "" && text != old {
			c[f.Name()] = strings.TrimSpace(text)
		}
	}
	return c
}

// emptyFiles is a directory with empty files of these names.
func emptyFiles(t *testing.T, names []string) string {
	t.Helper()
	files := map[string]string{}
	for _, n := range names {
		files[n] = ""
	}
	return tree(t, files)
}

// ourWrites is what minirt writes, or the error.
func ourWrites(t *testing.T, r *specs.LinuxResources, l *Layout, names []string) (contents, error) {
	t.Helper()
	dir := emptyFiles(t, names)
	early, late, err := Compile(r, l)
	if err != nil {
		return nil, err
	}
	g := &Group{}
	for _, h := range l.Hierarchies {
		g.Dirs = append(g.Dirs, Dir{Hierarchy: h, Path: dir})
	}
	for _, w := range append(withoutDevices(early), withoutDevices(late)...) {
		os.Truncate(dir+"/"+w.File, 0) // the kernel's files keep one value
		if err := g.Apply([]Write{w}); err != nil {
			t.Fatal(err)
		}
	}
	return written(t, dir), nil
}

// theirWrites is what opencontainers/cgroups writes, as runc calls it.
func theirWrites(t *testing.T, r *specs.LinuxResources, v2 bool, names []string) (contents, error) {
	t.Helper()
	dir := emptyFiles(t, names)
	cg := &cgroups.Cgroup{Resources: converted(r, v2)}
	set := func() error {
		m, err := fs2.NewManager(cg, dir)
		if err != nil {
			return err
		}
		return m.Set(cg.Resources)
	}
	read := "cgroup.controllers"
	if !v2 {
		read = "memory.limit_in_bytes"
		set = func() error {
			paths := map[string]string{}
			for _, c := range []string{"memory", "cpu", "cpuset", "pids", "blkio", "hugetlb", "net_cls", "net_prio", "rdma"} {
				paths[c] = dir
			}
			m, err := fs.NewManager(cg, paths)
			if err != nil {
				return err
			}
			return m.Set(cg.Resources)
		}
	}
	if err := os.WriteFile(dir+"/"+read, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := set(); err != nil {
		return nil, err
	}
	return written(t, dir), nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// converted is runc's specconv.CreateCgroupConfig, without devices.
func converted(r *specs.LinuxResources, v2 bool) *cgroups.Resources {
	c := &cgroups.Resources{Unified: r.Unified}
	if m := r.Memory; m != nil {
		c.Memory, c.MemoryReservation, c.MemorySwap = value(m.Limit), value(m.Reservation), value(m.Swap)
		c.MemorySwappiness, c.OomKillDisable = m.Swappiness, value(m.DisableOOMKiller)
	}
	if u := r.CPU; u != nil {
		c.CpuShares, c.CpuQuota, c.CpuPeriod, c.CpuBurst = value(u.Shares), value(u.Quota), value(u.Period), u.Burst
		if v2 {
			c.CpuWeight = cgroups.ConvertCPUSharesToCgroupV2Value(c.CpuShares)
		}
		c.CpuRtRuntime, c.CpuRtPeriod, c.CpusetCpus, c.CpusetMems, c.CPUIdle = value(u.RealtimeRuntime), value(u.RealtimePeriod), u.Cpus, u.Mems, u.Idle
	}
	if r.Pids != nil {
		c.PidsLimit = r.Pids.Limit
	}
	if b := r.BlockIO; b != nil {
		c.BlkioWeight, c.BlkioLeafWeight = value(b.Weight), value(b.LeafWeight)
		for _, d := range b.WeightDevice {
			c.BlkioWeightDevice = append(c.BlkioWeightDevice, cgroups.NewWeightDevice(d.Major, d.Minor, value(d.Weight), value(d.LeafWeight)))
		}
		for _, f := range []struct {
			to   *[]*cgroups.ThrottleDevice
			from []specs.LinuxThrottleDevice
		}{
			{&c.BlkioThrottleReadBpsDevice, b.ThrottleReadBpsDevice}, {&c.BlkioThrottleWriteBpsDevice, b.ThrottleWriteBpsDevice},
			{&c.BlkioThrottleReadIOPSDevice, b.ThrottleReadIOPSDevice}, {&c.BlkioThrottleWriteIOPSDevice, b.ThrottleWriteIOPSDevice},
		} {
			for _, d := range f.from {
				*f.to = append(*f.to, cgroups.NewThrottleDevice(d.Major, d.Minor, d.Rate))
			}
		}
	}
	for _, h := range r.HugepageLimits {
		c.HugetlbLimit = append(c.HugetlbLimit, &cgroups.HugepageLimit{Pagesize: h.Pagesize, Limit: h.Limit})
	}
	if n := r.Network; n != nil {
		c.NetClsClassid = value(n.ClassID)
		for _, p := range n.Priorities {
			c.NetPrioIfpriomap = append(c.NetPrioIfpriomap, &cgroups.IfPrioMap{Interface: p.Name, Priority: int64(p.Priority)})
		}
	}
	for name, d := range r.Rdma {
		if c.Rdma == nil {
			c.Rdma = map[string]cgroups.LinuxRdma{}
		}
		c.Rdma[name] = cgroups.LinuxRdma{HcaHandles: d.HcaHandles, HcaObjects: d.HcaObjects}
	}
	return c
}

// but is where minirt's writes differ from opencontainers/cgroups': ours and
// theirs of the files that differ, and the name of the difference in
// docs/cgroups.md, where its reason stands. An error of one side is in place of
// all its files, under "refused".
type but struct {
	reason       string
	ours, theirs contents
}

// TestWhatIsWrittenIsWhatOpencontainersCgroupsWrites holds docs/cgroups.md, too:
// a difference that isn't in the table, or whose reason isn't in the page, fails,
// and so does one that is no more.
func TestWhatIsWrittenIsWhatOpencontainersCgroupsWrites(t *testing.T) {
	was := cgroups.TestMode
	cgroups.TestMode = true // directories of files instead of a cgroup file system
	defer func() { cgroups.TestMode = was }()
	page, err := os.ReadFile("../../docs/cgroups.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, tt := range oracle() {
		t.Run(tt.name, func(t *testing.T) {
			for _, side := range []struct {
				name  string
				l     *Layout
				files []string
				but   *but
			}{{"version 1", v1Only, files1, tt.but1}, {"version 2", v2Only, files2, tt.but2}} {
				r := &tt.r
				if side.l == v1Only && r.Unified != nil {
					continue
				}
				ours, err := ourWrites(t, r, side.l, side.files)
				if err != nil {
					ours = contents{"refused": "yes"}
				}
				theirs, err := theirWrites(t, r, side.l == v2Only, side.files)
				if err != nil {
					theirs = contents{"refused": "yes"}
				}
				want := [2]contents{ours, ours}
				got := [2]contents{ours, theirs}
				if b := side.but; b != nil {
					told[b.reason] = true
					if !strings.Contains(string(page), "\n| "+b.reason+" |") {
						t.Errorf("docs/cgroups.md has no row %q", b.reason)
					}
					want, got = [2]contents{b.ours, b.theirs}, differing(ours, theirs)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s (-want +got; minirt, opencontainers/cgroups):\n%s", side.name, d)
				}
			}
		})
	}
	_, rows, _ := strings.Cut(string(page), "\n## Differences\n")
	rows, _, _ = strings.Cut(rows, "\n## ")
	for line := range strings.Lines(rows) {
		name := strings.TrimSpace(strings.SplitN(line+"||", "|", 3)[1])
		if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|--") && name != "Name" && !told[name] {
			t.Errorf("docs/cgroups.md: %q: no row of this test shows it", name)
		}
	}
}

// differing leaves out what is the same on both sides.
func differing(a, b contents) [2]contents {
	d := [2]contents{{}, {}}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			d[0][k] = v
		}
	}
	for k, v := range b {
		if w, ok := a[k]; !ok || w != v {
			d[1][k] = v
		}
	}
	return d
}
