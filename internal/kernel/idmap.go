package kernel

import "github.com/opencontainers/runtime-spec/specs-go"

// HostID finds the host's id behind one of the container's
// (user_namespaces(7)); ok is false for one that isn't mapped.
func HostID(maps []specs.LinuxIDMapping, id uint32) (host uint32, ok bool) {
	for _, m := range maps {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return m.HostID + id - m.ContainerID, true
		}
	}
	return 0, false
}
