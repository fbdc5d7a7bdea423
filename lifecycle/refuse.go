package lifecycle

import (
	"github.com/minirt/minirt/rootfs"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// refuse tells what a valid config asks for that this host can't do, or minirt
// doesn't: nothing in a config is silently left out (BN-06).
func (r *Runtime) refuse(s *specs.Spec) (faults spec.Faults) {
	add := func(path, text string) { faults = append(faults, spec.Fault{Path: path, Text: text}) }
	wrong, warnings := rootfs.Check(s)
	for _, f := range wrong {
		add(f.Path, f.Text)
	}
	for _, w := range warnings {
		r.warn(w.Error())
	}
	faults = append(faults, unmappedOptions(s)...)
	faults = append(faults, refuseLandlock(s)...)
	if p := s.Process; p != nil {
		faults = append(faults, refuseProcess(p)...)
	}
	l := s.Linux
	if l == nil {
		return faults
	}
	if l.MountLabel != "" && !hasSELinux() {
		add("linux.mountLabel", quote(l.MountLabel)+" can't be applied: SELinux is not enabled on this host")
	}
	faults = append(faults, refuseNetDevices(s)...)
	if why := cantListen(); why != "" && listens(s) {
		add("linux.seccomp.listenerPath", why)
	}
	return faults
}

// refuseProcess is refuse for what create and exec have in common.
func refuseProcess(p *specs.Process) (faults spec.Faults) {
	if p.ApparmorProfile != "" && !hasAppArmor() {
		faults = append(faults, spec.Fault{Path: "process.apparmorProfile", Text: quote(p.ApparmorProfile) + " can't be applied: AppArmor is not enabled on this host"})
	}
	if p.SelinuxLabel != "" && !hasSELinux() {
		faults = append(faults, spec.Fault{Path: "process.selinuxLabel", Text: quote(p.SelinuxLabel) + " can't be applied: SELinux is not enabled on this host"})
	}
	return faults
}

// notifies tells whether some call goes to a listener (SC-12).
func notifies(s *specs.LinuxSeccomp) bool {
	if s.DefaultAction == specs.ActNotify {
		return true
	}
	for i := range s.Syscalls {
		if s.Syscalls[i].Action == specs.ActNotify {
			return true
		}
	}
	return false
}

func hasAppArmor() bool {
	b, err := readFile("/sys/module/apparmor/parameters/enabled", 16)
	return err == nil && len(b) > 0 && b[0] == 'Y'
}

func hasSELinux() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/sys/fs/selinux", &fs) == nil && fs.Type == unix.SELINUX_MAGIC
}
