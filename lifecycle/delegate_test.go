package lifecycle

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// CG-09, CG-10: whose a container's cgroup is.
func TestACgroupIsGivenAwayIfItIsMountedForWritingInANewNamespace(t *testing.T) {
	ids := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 5, Size: 1}, {ContainerID: 1, HostID: 100000, Size: 1000}}
	for _, c := range []struct {
		name string
		edit func(*specs.Spec)
		want int // -1: nobody's
	}{
		{"a writable mount", func(*specs.Spec) {}, 7},
		{"the root of a user namespace", func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: "user"})
			s.Linux.UIDMappings, s.Process.User.UID = ids, 0
		}, 5},
		{"a user of a user namespace", func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: "user", Path: "/x"})
			s.Linux.UIDMappings = ids
		}, 100006},
		{"an unmapped user", func(s *specs.Spec) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: "user"})
			s.Linux.UIDMappings, s.Process.User.UID = ids, 1001
		}, -1},
		{"a read-only mount", func(s *specs.Spec) { s.Mounts[0].Options = []string{"nosuid", "ro"} }, -1},
		{"a mount elsewhere", func(s *specs.Spec) { s.Mounts[0].Destination = "/cgroup" }, -1},
		{"another source", func(s *specs.Spec) { s.Mounts[0].Source = "cgroup2" }, -1},
		{"no mount", func(s *specs.Spec) { s.Mounts = nil }, -1},
		{"a joined namespace", func(s *specs.Spec) { s.Linux.Namespaces[0].Path = "/proc/1/ns/cgroup" }, -1},
		{"no namespace", func(s *specs.Spec) { s.Linux.Namespaces = nil }, -1},
		{"no process", func(s *specs.Spec) { s.Process = nil }, -1},
	} {
		s := &specs.Spec{
			Process: &specs.Process{User: specs.User{UID: 7}},
			Mounts:  []specs.Mount{{Source: "cgroup", Destination: "/sys/fs/cgroup", Type: "cgroup", Options: []string{"rw"}}},
			Linux:   &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: "cgroup"}}},
		}
		c.edit(s)
		got, ok := cgroupOwner(s)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
