// Package kernel holds the names that the OCI spec and the kernel share, with
// the kernel's numbers for them: namespaces, capabilities, resource limits and
// signals. Tables and look-ups only: it makes no system call, and each table
// serves parsing, printing, checking and the features document alike.
package kernel

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Namespace is one kind of namespace, by its names in the spec and in procfs.
type Namespace struct {
	Type specs.LinuxNamespaceType // the spec's name (config-linux.md, Namespaces)
	File string                   // the name below /proc/PID/ns
	Flag int                      // the CLONE_NEW flag
}

// Namespaces lists all kinds in the order in which they are joined: the user
// namespace first, since joining the others needs the rights that it gives,
// and the mount namespace last, since it takes the root directory away.
var Namespaces = [...]Namespace{
	{specs.UserNamespace, "user", unix.CLONE_NEWUSER},
	{specs.CgroupNamespace, "cgroup", unix.CLONE_NEWCGROUP},
	{specs.IPCNamespace, "ipc", unix.CLONE_NEWIPC},
	{specs.UTSNamespace, "uts", unix.CLONE_NEWUTS},
	{specs.NetworkNamespace, "net", unix.CLONE_NEWNET},
	{specs.PIDNamespace, "pid", unix.CLONE_NEWPID},
	{specs.TimeNamespace, "time", unix.CLONE_NEWTIME},
	{specs.MountNamespace, "mnt", unix.CLONE_NEWNS},
}

// NamespaceOf finds the kind with the spec's name t; ok is false if the spec has none such.
func NamespaceOf(t specs.LinuxNamespaceType) (n Namespace, ok bool) {
	for _, n := range Namespaces {
		if n.Type == t {
			return n, true
		}
	}
	return Namespace{}, false
}
