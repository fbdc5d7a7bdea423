package lifecycle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// The file of a kernel that takes the value keeps it; that of one that ignores
// it goes on to say that there is no limit.
func TestAKernelMemoryLimitThatIsIgnoredIsWarnedOf(t *testing.T) {
	t.Parallel()
	const file = "memory.kmem.limit_in_bytes"
	for _, c := range []struct {
		asked int64
		says  string
		warns bool
	}{
		{33554432, "9223372036854771712", true},
		{33554432, "33554432", false},
		{33554433, "33554432", false}, // rounded down to a page
		{-1, "9223372036854771712", false},
		{0, "9223372036854771712", false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(c.says+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		var warnings []string
		v := creation{
			Runtime: &Runtime{Warn: func(text string) { warnings = append(warnings, text) }},
			sight: &sight{
				spec:  &specs.Spec{Linux: &specs.Linux{Resources: &specs.LinuxResources{Memory: &specs.LinuxMemory{Kernel: &c.asked}}}},
				group: &cgroup.Group{Dirs: []cgroup.Dir{{Hierarchy: cgroup.Hierarchy{Controllers: []string{"memory"}}, Path: dir}}},
			},
		}
		v.warnOfKernelMemory()
		if said := strings.Join(warnings, "\n"); strings.HasPrefix(said, "linux.resources.memory.kernel: 33554432 is ignored") != c.warns {
			t.Errorf("%d, and the kernel says %s: %q", c.asked, c.says, said)
		}
	}
}
