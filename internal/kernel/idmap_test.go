package kernel

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestHostIDKnowsTheEdgesOfEachMapping(t *testing.T) {
	t.Parallel()
	maps := []specs.LinuxIDMapping{{ContainerID: 5, HostID: 3, Size: 0}, {ContainerID: 0, HostID: 1000, Size: 1}, {ContainerID: 10, HostID: 100, Size: 5}, {ContainerID: 1 << 31, HostID: 7, Size: 1 << 31}}
	for id, want := range map[uint32]int64{0: 1000, 1: -1, 5: -1, 9: -1, 10: 100, 14: 104, 15: -1, 1<<32 - 1: 7 + 1<<31 - 1} {
		host, ok := HostID(maps, id)
		if got := int64(host); ok != (want >= 0) || ok && got != want {
			t.Errorf("%d: %d, %v; want %d", id, host, ok, want)
		}
	}
}
