package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Whatever stands in the files of /proc, there are rows of it, and no panic.
func FuzzExplainTakesAnyText(f *testing.F) {
	f.Add(status, mountinfo, limits, "1 2 3\n", "0::/x\n", "7 (a) S 1")
	f.Add("Uid:", "1 2 3 / / - \n", "Max open files ", "a b c\n", ":", ")")
	f.Add("Uid:\t1\nGroups:\t-1 99999999999\n", "9 9 9 \\ \\1 x - - -\n", "", "4294967295 4294967295 4294967295\n", "0:a", "")
	f.Fuzz(func(t *testing.T, status, mountinfo, limits, ids, cgroups, stat string) {
		s := &specs.Spec{
			Process: &specs.Process{Rlimits: []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE"}}, Capabilities: &specs.LinuxCapabilities{}, Scheduler: &specs.Scheduler{}},
			Root:    &specs.Root{}, Mounts: []specs.Mount{{Destination: "/x", Type: "tmpfs", Options: []string{"size=1k", "shared"}}},
			Linux: &specs.Linux{UIDMappings: []specs.LinuxIDMapping{{}}, MaskedPaths: []string{"/a"}, MemoryPolicy: &specs.LinuxMemoryPolicy{}, TimeOffsets: map[string]specs.LinuxTimeOffset{"boottime": {}}},
		}
		files := texts("status", status, "mountinfo", mountinfo, "limits", limits, "uid_map", ids, "gid_map", ids, "cgroup", cgroups, "stat", stat,
			"cmdline", status, "environ", mountinfo, "net/dev", limits, "numa_maps", ids, "timens_offsets", ids, "personality", stat, "oom_score_adj", stat, "attr/current", stat)
		rows := Explain(s, &Facts{Files: files, Group: group(true), Places: map[string]Place{"/a": {Mount: 9}}})
		if strings.ContainsAny(strings.ReplaceAll(Text(rows, 100), "\n", ""), "\x1b\x00\x7f\r") {
			t.Error("the table has control characters")
		}
		JSON(rows)
	})
}

// A container may have as many mounts as the kernel lets it (fs.mount-max, 100000).
func TestManyMountsAreExplainedInNoTime(t *testing.T) {
	t.Parallel()
	const many = 100000
	s := &specs.Spec{Linux: &specs.Linux{}}
	for _, d := range []string{"/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"} {
		s.Mounts = append(s.Mounts, specs.Mount{Destination: d, Source: d, Options: []string{"rbind"}})
		s.Linux.ReadonlyPaths = append(s.Linux.ReadonlyPaths, d)
	}
	info := strings.Repeat("31 30 0:2 / /x/y ro - tmpfs tmpfs rw\n", many)
	began := time.Now()
	rows := Explain(s, &Facts{Files: texts("mountinfo", info)})
	if len(rows) < many {
		t.Errorf("%d rows", len(rows))
	}
	if passed := time.Since(began); passed > 10*time.Second {
		t.Errorf("it took %v", passed)
	}
}
