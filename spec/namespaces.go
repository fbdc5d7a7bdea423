package spec

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// namespaces are sets of CLONE_NEW flags: what a config says of each kind.
type namespaces struct {
	listed int  // all
	joined int  // by path
	host   int  // by a path that can only be the runtime's own or the host's
	unsure bool // the list has faults: what isn't listed may have been meant
}

// has tells whether a kind is listed.
func (n namespaces) has(flag int) bool { return n.unsure || n.listed&flag != 0 }

// own tells whether the container has a namespace of this kind that isn't the host's, as far as one can see.
func (n namespaces) own(flag int) bool { return n.has(flag) && n.host&flag == 0 }

// fresh tells whether a namespace of this kind is made for the container.
func (n namespaces) fresh(flag int) bool { return n.listed&^n.joined&flag != 0 }

// needs words the fault of what a kind of namespace is missing for.
func needs(kind specs.LinuxNamespaceType) string {
	return "needs a namespace of type " + quote(string(kind)) + " in linux.namespaces that is not the host's"
}

// namespaces holds the rules of config-linux.md, Namespaces. An empty path is none.
func (c *checker) namespaces(at *path, all []specs.LinuxNamespace) (ns namespaces) {
	list := at.member("namespaces")
	ns.unsure = c.isDoubtful(list.String())
	for i := range all {
		n, p := &all[i], at.item("namespaces", i)
		kind, ok := kernel.NamespaceOf(n.Type)
		if !ok {
			c.unknown(p.member("type"), "namespace", string(n.Type), namespaceTypes())
			ns.unsure = true
			continue
		}
		if ns.listed&kind.Flag != 0 {
			c.twice(p.member("type"), string(n.Type), at.item("namespaces", firstOf(all, n.Type)))
		}
		ns.listed |= kind.Flag
		if n.Path == "" {
			continue
		}
		ns.joined |= kind.Flag
		c.absolute(p.member("path"), n.Path)
		if isHosts(n.Path) {
			ns.host |= kind.Flag
		}
	}
	return ns
}

// isHosts tells of a namespace's path whether it names the host's or the runtime's own.
func isHosts(p string) bool {
	return strings.HasPrefix(p, "/proc/self/") || strings.HasPrefix(p, "/proc/thread-self/") || strings.HasPrefix(p, "/proc/1/")
}

func firstOf(all []specs.LinuxNamespace, t specs.LinuxNamespaceType) int {
	for i := range all {
		if all[i].Type == t {
			return i
		}
	}
	return -1
}

func namespaceTypes() []string {
	var list []string
	for _, n := range kernel.Namespaces {
		list = append(list, string(n.Type))
	}
	return list
}

// timeOffsets holds the rules of config-linux.md, Offset for Time Namespace.
func (c *checker) timeOffsets(at *path, all map[string]specs.LinuxTimeOffset, ns namespaces) {
	if len(all) == 0 {
		return
	}
	if !ns.fresh(unix.CLONE_NEWTIME) && !ns.unsure {
		c.fault(at.member("timeOffsets"), `needs a namespace of type "time" in linux.namespaces that has no path`)
	}
	p := at.member("timeOffsets")
	for clock, offset := range all {
		if clock != "monotonic" && clock != "boottime" {
			c.unknown(p.member(clock), "clock", clock, []string{"monotonic", "boottime"})
		}
		if o := p.member(clock); offset.Nanosecs > 999999999 {
			c.fault(o.member("nanosecs"), strconv.FormatUint(uint64(offset.Nanosecs), 10)+" is out of range, want 0 to 999999999")
		}
	}
}
