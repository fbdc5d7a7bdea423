package cgroup

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhatAFileSaysNowIsComparedInTheKernelsWords(t *testing.T) {
	t.Parallel()
	page := unix.Getpagesize()
	memory := func(file, value string) Write { return Write{Controller: "memory", File: file, Value: value} }
	for _, c := range []struct {
		w     Write
		text  string
		value string
		same  bool
	}{
		{memory("memory.limit_in_bytes", "67108864"), "67108864\n", "67108864", true},
		{memory("memory.limit_in_bytes", "67108864"), "33554432\n", "33554432", false},
		{memory("memory.limit_in_bytes", strconv.Itoa(10*page+1)), strconv.Itoa(10 * page), strconv.Itoa(10 * page), true},
		{memory("memory.limit_in_bytes", strconv.Itoa(11*page)), strconv.Itoa(10 * page), strconv.Itoa(10 * page), false},
		{memory("memory.memsw.limit_in_bytes", "-1"), "9223372036854771712\n", "9223372036854771712", true},
		{memory("memory.memsw.limit_in_bytes", "-1"), "4096\n", "4096", false},
		{memory("memory.max", "max"), "max\n", "max", true},
		{memory("memory.max", "4096"), "max\n", "max", false},
		{memory("memory.oom_control", "1"), "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", "1", true},
		{memory("memory.oom_control", "1"), "oom_kill_disable 0\nunder_oom 0\n", "0", false},
		{Write{Controller: "hugetlb", File: "hugetlb.2MB.limit_in_bytes", Value: "3145728"}, "2097152\n", "2097152", true},
		{Write{Controller: "hugetlb", File: "hugetlb.2MB.limit_in_bytes", Value: "4194304"}, "2097152\n", "2097152", false},
		{Write{Controller: "pids", File: "pids.max", Value: "40"}, "40\n", "40", true},
		{Write{Controller: "pids", File: "pids.max", Value: "40"}, "41\n", "41", false},
		{Write{Controller: "cpu", File: "cpu.shares", Value: "1"}, "2\n", "2", true},
		{Write{Controller: "cpu", File: "cpu.shares", Value: "512"}, "2\n", "2", false},
		{Write{Controller: "cpu", File: "cpu.max", Value: "50000"}, "50000 100000\n", "50000 100000", true},
		{Write{Controller: "cpu", File: "cpu.max", Value: "50000 10000"}, "50000 100000\n", "50000 100000", false},
		{Write{Controller: "cpu", File: "cpu.max", Value: "max"}, "50000 100000\n", "50000 100000", false},
		{Write{Controller: "cpuset", File: "cpuset.cpus", Value: "0,1"}, "0-1\n", "0-1", true},
		{Write{Controller: "cpuset", File: "cpuset.cpus", Value: "0, 1"}, "0\n", "0", false},
		{Write{Controller: "io", File: "io.max", Value: "8:0 rbps=1024"}, "8:16 rbps=1\n8:0 rbps=1024 wbps=max riops=max wiops=max\n", "8:0 rbps=1024 wbps=max riops=max wiops=max", true},
		{Write{Controller: "io", File: "io.max", Value: "8:0 rbps=1024"}, "8:0 rbps=10 wbps=max riops=max wiops=max\n", "8:0 rbps=10 wbps=max riops=max wiops=max", false},
		{Write{Controller: "io", File: "io.max", Value: "8:0 rbps=max"}, "\n", "", true},
		{Write{Controller: "io", File: "io.weight", Value: "50"}, "default 50\n8:0 7\n", "default 50", true},
		{Write{Controller: "io", File: "io.weight", Value: "8:0 50"}, "default 50\n8:0 7\n", "8:0 7", false},
		{Write{Controller: "blkio", File: "blkio.throttle.read_bps_device", Value: "8:0 1024"}, "8:0 1024\n", "8:0 1024", true},
		{Write{Controller: "blkio", File: "blkio.throttle.read_bps_device", Value: "8:0 1024"}, "", "", false},
		{Write{Controller: "blkio", File: "blkio.throttle.read_bps_device", Value: "8:0 0"}, "", "", true},
		{Write{Controller: "rdma", File: "rdma.max", Value: "mlx5 hca_handle=2 hca_object=3"}, "mlx5 hca_handle=2 hca_object=max\n", "mlx5 hca_handle=2 hca_object=max", false},
	} {
		if value, same := c.w.Now(c.text); value != c.value || same != c.same {
			t.Errorf("%s %q of %q: %q, %v; want %q, %v", c.w.File, c.w.Value, c.text, value, same, c.value, c.same)
		}
	}
}
