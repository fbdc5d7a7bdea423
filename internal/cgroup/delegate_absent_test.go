package cgroup

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// CG-13: where the kernel has no list of files to give away, the specification's is taken.
func TestWithoutAListOfTheKernelsDelegateTakesTheSpecifications(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root gives away")
	}
	const hidden = `mount -t tmpfs none /sys/kernel/cgroup && test ! -e /sys/kernel/cgroup/delegate &&
		exec "$0" -test.v -test.count=1 -test.run='^TestDelegateGivesAwayTheListedFilesOnly$'`
	out, err := exec.Command("unshare", "-m", "sh", "-c", hidden, os.Args[0]).CombinedOutput()
	if strings.Contains(string(out), "--- SKIP") {
		t.Skip("as TestDelegateGivesAwayTheListedFilesOnly")
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestDelegateGivesAwayTheListedFilesOnly") {
		t.Errorf("%v: %s", err, out)
	}
}
