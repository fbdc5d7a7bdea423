package rootfs

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/plan"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mount appends the steps of spec.mounts[i].
func (st *State) mount(i int) {
	m, f := &st.s.Mounts[i], &st.f.Mounts[i]
	origin := "mounts[" + strconv.Itoa(i) + "]"
	o := parse(m)
	k := makeDir
	if f.File {
		k = makeFile
	}
	resolve := 0
	if IsKernel(m) {
		resolve = straight // SEC-07, SEC-13, SEC-21: also where the place is on a mount that the parent can't look into
	}
	st.p.At(origin + ".destination")
	st.open(&f.Place, k, resolve)
	st.p.At(origin)
	switch {
	case f.Tree >= 0:
		st.given(f.Tree, &o)
	case o.bind():
		st.bind(m, &o)
	case m.Type == "cgroup":
		st.cgroup(f, &o, origin)
	default:
		st.filesystem(m, f, &o)
	}
	st.covered(&f.Place)
}

// filesystem mounts a file system onto the target by mount(2): no string names
// the mount point, all flags hold from the start, read-only means the file
// system and the mount as it does for mount(8), and data may be as long as a
// page, where fsconfig(2) takes 255 bytes.
func (st *State) filesystem(m *specs.Mount, f *Mount, o *parsed) {
	source := m.Source
	if source == "" {
		source = m.Type
	}
	data := st.data(m, f, o)
	st.p.Do(plan.Fchdir, st.target)
	flags := uint64(o.flags.set)
	if o.special&remount != 0 {
		// A file system to be remounted need not be there (EINVAL): then it is mounted.
		s := st.p.Last() + 1
		st.p.Do(plan.Mount, source, ".", m.Type, flags|unix.MS_REMOUNT, data).Tolerate(unix.EINVAL)
		st.p.Do(plan.Mount, source, ".", m.Type, flags, data)
		st.p.JumpOnSuccess(s)
	} else {
		st.p.Do(plan.Mount, source, ".", m.Type, flags, data)
	}
	st.close(st.target)
	if len(o.propagation) > 0 {
		st.reopen(f)
		st.spread(st.target, o)
		st.close(st.target)
	}
}

// reopen opens the mount that now lies on a place as the target.
func (st *State) reopen(f *Mount) {
	resolve := straight
	if f.Unknown {
		resolve = follow
	}
	st.openat2(st.root, f.Path, anything, resolve).To(st.target)
}

// data is what mount(2) hands to the file system, nil if nothing.
//
// A tmpfs takes the permissions of the directory that it covers unless the
// options tell others; one over a directory made for it has the kernel's 1777.
// The owner isn't taken over, as with other runtimes.
func (st *State) data(m *specs.Mount, f *Mount, o *parsed) any {
	data := o.data
	if m.Type == "tmpfs" && f.Mode != 0 && !hasKey(m.Options, "mode=") {
		data = join("mode="+strconv.FormatUint(uint64(f.Mode&0o7777), 8), data)
	}
	if l := st.label(m.Type); l != "" {
		data = join(data, l)
	}
	if data == "" {
		return nil
	}
	return data
}

// label is the SELinux context of a file system's files (linux.mountLabel);
// procfs and sysfs have labels of their own.
func (st *State) label(fstype string) string {
	if st.s.Linux == nil || st.s.Linux.MountLabel == "" || fstype == "proc" || fstype == "sysfs" || fstype == "mqueue" || strings.HasPrefix(fstype, "cgroup") {
		return ""
	}
	return `context="` + st.s.Linux.MountLabel + `"`
}

func hasKey(options []string, key string) bool {
	for _, o := range options {
		for v := range strings.SplitSeq(o, ",") {
			if strings.HasPrefix(v, key) {
				return true
			}
		}
	}
	return false
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "," + b
}

// spread sets how mounts spread from the mount that fd refers to (MT-13), in
// the order asked for: "shared" after "slave" makes a mount both.
func (st *State) spread(fd any, o *parsed) {
	for _, p := range o.propagation {
		flags := 0
		if p&unix.MS_REC != 0 {
			flags = unix.AT_RECURSIVE
		}
		st.setattr(fd, flags, Attr{}, p&^unix.MS_REC)
	}
}
