package lifecycle

import (
	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// borrowsProcfs tells that the stage can't make a procfs of its own (fsopen(2):
// EPERM), since it lives in a user namespace that doesn't own its pid
// namespace, and needs one.
func borrowsProcfs(s *specs.Spec) bool {
	created, joined := namespacesOf(s)
	if (created|joined)&unix.CLONE_NEWUSER == 0 || created&unix.CLONE_NEWPID != 0 {
		return false
	}
	p := s.Process
	return len(s.Linux.Sysctl) > 0 || p != nil && (p.ApparmorProfile != "" || p.SelinuxLabel != "")
}

// provenProcfs makes sure that the host's /proc, where it is to be borrowed, is
// the root of a procfs and nothing that looks like it (SEC-20).
func provenProcfs(s *specs.Spec) error {
	if !borrowsProcfs(s) {
		return nil
	}
	const rootInode = 1 // PROC_ROOT_INO of linux/proc_fs.h
	var fs unix.Statfs_t
	var st unix.Stat_t
	if unix.Statfs("/proc", &fs) != nil || unix.Stat("/proc", &st) != nil || fs.Type != unix.PROC_SUPER_MAGIC || st.Ino != rootInode {
		return text("the host's /proc is not a procfs: linux.sysctl and labels can't be written in a user namespace without a new pid namespace")
	}
	return nil
}

// borrowProcfs takes the host's /proc for the stage's own procfs, while nothing
// of the container can have covered it. writeProc goes to no mount below it.
func (c *compiler) borrowProcfs() {
	if !borrowsProcfs(c.spec) {
		return
	}
	c.At("linux.sysctl")
	c.proc = c.Register("proc")
	c.Do(plan.Openat2, atFDCWD, "/proc", c.How(unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, unix.RESOLVE_NO_SYMLINKS), plan.HowSize).To(c.proc)
}
