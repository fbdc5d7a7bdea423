package explain

import (
	"slices"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// namespaces compares linux.namespaces with the inodes that the kernel shows. A
// type that isn't listed is that of whoever created the container; who explains
// it is taken for him.
func (x *explanation) namespaces() {
	var listed []specs.LinuxNamespace
	if x.s.Linux != nil {
		listed = x.s.Linux.Namespaces
	}
	for i, n := range listed {
		k, _ := kernel.NamespaceOf(n.Type)
		field := index("linux.namespaces", i)
		config := string(n.Type) + ", new"
		if n.Path != "" {
			config = string(n.Type) + ", " + n.Path
		}
		now, ok := x.told(field, config, x.f.Links["ns/"+k.File])
		if !ok {
			continue
		}
		same, note := !x.own(k.File, now), "shared with minirt itself"
		if n.Path != "" {
			want := x.f.Joined[n.Path]
			if want.Err != nil {
				x.add(Row{field, config, x.whose(k.File, now), "the path can't be read: " + want.Err.Error(), Unknown})
				continue
			}
			same, note = want.Text == inode(now), "another one than that of the path"
		}
		x.compare(field, config, x.whose(k.File, now), same, note)
	}
	for _, k := range kernel.Namespaces {
		if slices.ContainsFunc(listed, func(n specs.LinuxNamespace) bool { return n.Type == k.Type }) {
			continue
		}
		if now := x.f.Links["ns/"+k.File]; now.Err == nil && now.Text != "" {
			x.compare("linux.namespaces", string(k.Type)+", not listed", x.whose(k.File, now.Text), x.own(k.File, now.Text), "another one than minirt's own")
		}
	}
}

// own tells whether a namespace is the caller's.
func (x *explanation) own(file, now string) bool { return now == x.f.Own[file] }

// inode is the number in a link such as "net:[4026531840]".
func inode(link string) string {
	_, n, _ := strings.Cut(link, "[")
	return strings.TrimSuffix(n, "]")
}

// whose is a namespace's inode, and who else is in it.
func (x *explanation) whose(file, now string) string {
	var others []string
	if x.own(file, now) {
		others = append(others, "the host")
	}
	for _, o := range x.f.Others {
		if o.Namespaces[file] == now && !x.own(file, now) {
			others = append(others, o.ID)
		}
	}
	if len(others) == 0 {
		return inode(now) + ", its own"
	}
	return inode(now) + ", shared with " + strings.Join(others, ", ")
}

// idMaps compares the maps of a new user namespace.
func (x *explanation) idMaps() {
	l := x.s.Linux
	for _, m := range [...]struct {
		field, file string
		config      []specs.LinuxIDMapping
	}{{"linux.uidMappings", "uid_map", l.UIDMappings}, {"linux.gidMappings", "gid_map", l.GIDMappings}} {
		if len(m.config) == 0 && !hasNamespace(x.s, specs.UserNamespace) {
			continue
		}
		want := rangesOf(m.config)
		text, ok := x.told(m.field, strings.Join(want, ", "), x.f.Files[m.file])
		if !ok {
			continue
		}
		var now []string
		for line := range strings.Lines(text) {
			now = append(now, words(strings.Fields(line)))
		}
		x.compare(m.field, strings.Join(want, ", "), strings.Join(now, ", "), len(want) == 0 || sameSet(want, now), "inside, outside, how many")
	}
}

// rangesOf writes mappings as the kernel does: the id inside, the one outside, how many.
func rangesOf(list []specs.LinuxIDMapping) (ranges []string) {
	for _, m := range list {
		ranges = append(ranges, natural(uint64(m.ContainerID))+" "+natural(uint64(m.HostID))+" "+natural(uint64(m.Size)))
	}
	return ranges
}

func hasNamespace(s *specs.Spec, t specs.LinuxNamespaceType) bool {
	return s.Linux != nil && slices.ContainsFunc(s.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == t })
}

// names compares the names of the UTS namespace.
func (x *explanation) names() {
	for _, n := range [...]struct{ field, config, path string }{
		{"hostname", x.s.Hostname, "kernel/hostname"}, {"domainname", x.s.Domainname, "kernel/domainname"},
	} {
		if now, ok := x.parameter(n.field, n.config, n.path); ok {
			x.compare(n.field, n.config, now, n.config == "" || now == n.config, "now")
		}
	}
}

// parameter gives a kernel parameter's value in the container's namespaces.
func (x *explanation) parameter(field, config, path string) (value string, ok bool) {
	value, ok = x.f.Param[path]
	switch {
	case ok:
	case x.f.NoParam != nil:
		x.unknown(field, config, "can't be read: "+x.f.NoParam.Error())
	default:
		x.unknown(field, config, "the kernel has no /proc/sys/"+path+", or lets nobody read it")
	}
	return words(strings.Fields(value)), ok
}

// sysctls compares kernel parameters. Those of a pid namespace show themselves
// inside alone.
func (x *explanation) sysctls() {
	keys := make([]string, 0, len(x.s.Linux.Sysctl))
	for k := range x.s.Linux.Sysctl {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		field, config := "linux.sysctl."+k, x.s.Linux.Sysctl[k]
		path, _ := spec.SysctlPath(k)
		if inside(path) {
			x.unknown(field, config, "the kernel shows it inside of the pid namespace alone")
		} else if now, ok := x.parameter(field, config, path); ok {
			x.compare(field, config, now, now == words(strings.Fields(config)), "now")
		}
	}
}

// inside tells whether a parameter, as a path below /proc/sys, belongs to pid namespaces.
func inside(path string) bool { return path == "kernel/ns_last_pid" || path == "vm/memfd_noexec" }

// timeOffsets compares the clocks of a time namespace (time_namespaces(7)).
func (x *explanation) timeOffsets() {
	clocks := make([]string, 0, len(x.s.Linux.TimeOffsets))
	for c := range x.s.Linux.TimeOffsets {
		clocks = append(clocks, c)
	}
	slices.Sort(clocks)
	for _, c := range clocks {
		o := x.s.Linux.TimeOffsets[c]
		field, config := "linux.timeOffsets."+c, number(o.Secs)+" s "+strconv.Itoa(int(o.Nanosecs))+" ns"
		text, ok := x.told(field, config, x.f.Files["timens_offsets"])
		if !ok {
			continue
		}
		now := ""
		for line := range strings.Lines(text) {
			if f := strings.Fields(line); len(f) == 3 && f[0] == c {
				now = f[1] + " s " + f[2] + " ns"
			}
		}
		x.compare(field, config, now, now == config, "")
	}
}
