package spec

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// namespaced lists the kernel parameters that belong to a namespace, as paths
// below /proc/sys; one that ends in a slash stands for all below it. What isn't
// here would change the host (SEC-41).
var namespaced = [...]struct {
	path string
	flag int
	kind specs.LinuxNamespaceType
}{
	{"net/", unix.CLONE_NEWNET, specs.NetworkNamespace},
	{"fs/mqueue/", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/auto_msgmni", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/msg_next_id", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/msgmax", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/msgmnb", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/msgmni", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/sem", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/sem_next_id", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/shm_next_id", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/shm_rmid_forced", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/shmall", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/shmmax", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/shmmni", unix.CLONE_NEWIPC, specs.IPCNamespace},
	{"kernel/domainname", unix.CLONE_NEWUTS, specs.UTSNamespace},
	{"kernel/hostname", unix.CLONE_NEWUTS, specs.UTSNamespace},
	{"kernel/ns_last_pid", unix.CLONE_NEWPID, specs.PIDNamespace},
	{"vm/memfd_noexec", unix.CLONE_NEWPID, specs.PIDNamespace}, // Linux 6.3; there before that is none
	{"user/", unix.CLONE_NEWUSER, specs.UserNamespace},
}

// SysctlPath gives the path below /proc/sys of a kernel parameter as sysctl(8)
// names it: with dots, where a slash stands for a dot in a name, or with
// slashes, where a dot is one. ok is false for names that lead elsewhere.
func SysctlPath(key string) (path string, ok bool) {
	path = key
	if i := strings.IndexAny(key, "./"); i >= 0 && key[i] == '.' {
		swapped := []byte(key)
		for i, b := range swapped {
			switch b {
			case '.':
				swapped[i] = '/'
			case '/':
				swapped[i] = '.'
			}
		}
		path = string(swapped)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return "", false
		}
	}
	return path, true
}

// sysctl is the rule that a container may only change parameters of namespaces
// that are its own (config-linux.md, Sysctl, leaves it open; SEC-41).
func (c *checker) sysctl(at *path, all map[string]string, ns namespaces) {
	if len(all) == 0 {
		return
	}
	p := at.member("sysctl")
	keys := make(map[string]string, len(all)) // by the file that each names
	for key := range all {
		file, ok := SysctlPath(key)
		if !ok {
			c.fault(p.member(key), quote(key)+" is not the name of a kernel parameter")
			continue
		}
		c.ownParameter(p.member(key), key, file, ns)
		if other, twice := keys[file]; twice {
			c.fault(p.member(max(key, other)), quote(max(key, other))+" is the same kernel parameter as "+quote(min(key, other)))
		}
		keys[file] = key
	}
}

func (c *checker) ownParameter(at path, key, file string, ns namespaces) {
	for _, n := range &namespaced {
		if file == n.path || strings.HasSuffix(n.path, "/") && strings.HasPrefix(file, n.path) {
			if !ns.own(n.flag) {
				c.fault(at, quote(key)+" "+needs(n.kind))
			}
			return
		}
	}
	c.fault(at, quote(key)+" is not a namespaced kernel parameter, it would change the host's")
}
