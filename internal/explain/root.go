package explain

import "strings"

// root compares root.path and root.readonly.
func (x *explanation) root() {
	r := x.s.Root
	if r == nil {
		return
	}
	now, want, m := x.f.Places["/"], x.f.Sources[x.f.Rootfs], x.rootMount()
	kernel := "no mount of its own"
	if m != nil {
		kernel = m.shows()
	}
	switch {
	case now.Err != nil:
		x.add(Row{"root.path", r.Path, kernel, "can't be looked at: " + now.Err.Error(), Unknown})
	case want.Err != nil:
		x.add(Row{"root.path", r.Path, kernel, "the directory can't be looked at: " + want.Err.Error(), Unknown})
	default:
		x.compare("root.path", r.Path, kernel, now.Dev == want.Dev && now.Ino == want.Ino, "another directory than the one that is there now")
	}
	if m == nil {
		x.compare("root.readonly", yes(r.Readonly), kernel, !r.Readonly, "")
	} else {
		x.compare("root.readonly", yes(r.Readonly), yes(m.has("ro")), r.Readonly == m.has("ro"), "")
	}
}

// rootMount is the mount that the process's root is the top of: the last that
// was made there. Without a mount namespace there may be none.
func (x *explanation) rootMount() (m *mount) {
	for i := range x.mounts {
		if x.mounts[i].point == "/" {
			m = &x.mounts[i]
		}
	}
	return m
}

func (x *explanation) rootPropagation() {
	config, m := x.s.Linux.RootfsPropagation, x.rootMount()
	if m == nil {
		x.unknown("linux.rootfsPropagation", config, "the root is no mount of its own")
		return
	}
	x.compare("linux.rootfsPropagation", config, spreadText(m), config == "" || m.spreadsAs(strings.TrimPrefix(config, "r")), "")
}

// spreadText is how mounts spread from a mount.
func spreadText(m *mount) string {
	if len(m.spread) == 0 {
		return "private"
	}
	return words(m.spread)
}

// spreadsAs tells whether a mount spreads as a word of the specification's asks.
// A slave that has no master is private.
func (m *mount) spreadsAs(word string) bool {
	switch word {
	case "shared":
		return m.spreads("shared")
	case "slave":
		return !m.spreads("shared")
	case "private":
		return len(m.spread) == 0
	case "unbindable":
		return m.spreads("unbindable")
	}
	return false
}
