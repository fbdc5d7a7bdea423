package conformance

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// CG-08: of version 1 nothing is given away. CG-09, CG-10, CG-11, CG-12: of version 2 the directory
// and the files that the kernel lists are, where they can be mounted for writing.
func TestDelegationGivesTheCgroupToTheProcesssUser(t *testing.T) {
	t.Parallel()
	mount := func(options ...string) edit {
		return all(set("mounts[+]", specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: options}), set(oneMore+".type", "cgroup"))
	}
	for _, c := range []struct {
		name  string
		edit  edit
		owner uint32
	}{
		{"mounted for writing", mount("nosuid"), 1234},
		{"mounted for writing, in a user namespace", all(mount("rw"), user(oneMore)), 101234},
		{"mounted read-only", mount("ro"), 0},
		{"not mounted", set(oneMore+".type", "cgroup"), 0},
		{"without a namespace", all(mount("rw"), drop("linux.namespaces[5]")), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell("sleep 30"), set("process.user.uid", 1234), c.edit)
			b.create()
			alone := len(hierarchies()) == 1
			for _, h := range hierarchies() {
				for _, name := range []string{"", "/cgroup.procs", "/tasks", "/cgroup.threads", "/cgroup.subtree_control"} {
					var s syscall.Stat_t
					if syscall.Stat(h+b.cgroup+name, &s) != nil {
						continue
					}
					want := uint32(0)
					if alone && isUnified(h) {
						want = c.owner
					}
					if s.Uid != want {
						t.Errorf("%s belongs to %d, want %d", h+b.cgroup+name, s.Uid, want)
					}
				}
			}
			for _, name := range []string{"/cgroup.max.depth", "/memory.max", "/notify_on_release"} {
				for _, h := range hierarchies() {
					var s syscall.Stat_t
					if syscall.Stat(h+b.cgroup+name, &s) == nil && s.Uid != 0 {
						t.Errorf("%s belongs to %d", h+b.cgroup+name, s.Uid)
					}
				}
			}
		})
	}
}

func isUnified(hierarchy string) bool {
	b, err := os.ReadFile(hierarchy + "/cgroup.controllers")
	return err == nil && strings.Contains(string(b), "memory")
}
