package lifecycle

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// helper is a program that writes an id map for an ordinary user, with the ids
// that the administrator has given him: newuidmap(1), newgidmap(1).
type helper struct {
	program string
	grants  string // subuid(5), subgid(5)
}

var (
	newuidmap = helper{"newuidmap", "/etc/subuid"}
	newgidmap = helper{"newgidmap", "/etc/subgid"}
)

// write lets the helper write a process's map.
func (h helper) write(pid int, m *idMap) error {
	args := []string{h.program, strconv.Itoa(pid)}
	for _, id := range m.ids {
		for _, n := range [...]uint32{id.ContainerID, id.HostID, id.Size} {
			args = append(args, strconv.FormatUint(uint64(n), 10))
		}
	}
	path := lookPath(h.program)
	if path == "" {
		return &pathError{m.path, quote(mapText(m.ids)), &helpless{file: h.program, text: text("to map more than one's own id takes rights, or " + h.program +
			`, which is not in $PATH (Debian: package "uidmap", Fedora: "shadow-utils")`)}}
	}
	err := runHook(&specs.Hook{Path: path, Args: args}, nil, startHook("/"))
	if err == nil {
		return nil
	}
	why := h.advice(path, m)
	why.text = text(err.Error()) + why.text
	return &pathError{m.path, path, why}
}

// helpless is a helper that isn't there, or can't help.
type helpless struct {
	text
	file  string // what is to be mended: the helper, or what grants ids; "" if it isn't known
	grant string // what the latter lacks
}

// advice tells, behind a colon, what keeps a helper from its work.
func (h helper) advice(path string, m *idMap) *helpless {
	if on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err == nil && on == 1 {
		return &helpless{text: ": the caller has no_new_privs set, so that no program gains rights"}
	}
	if why := powerless(path); why != "" {
		return &helpless{text: text(": " + why), file: path}
	}
	if slices.ContainsFunc(m.ids, func(id specs.LinuxIDMapping) bool { return id.HostID == 0 && id.Size > 0 }) {
		return &helpless{text: ": the config maps the host's id 0, which an ordinary user is not to be given"}
	}
	grants, _ := readFile(h.grants, 1<<20)
	passwd, _ := readFile("/etc/passwd", 1<<20)
	if lines := missingGrants(m.ids, m.own, os.Getuid(), string(grants), string(passwd)); len(lines) > 0 {
		return &helpless{text(": " + h.grants + " must have a line such as " + quote(strings.Join(lines, "\n"))), h.grants, lines[0]}
	}
	return new(helpless)
}

// powerless tells why a program doesn't get root's rights; "" if it does.
func powerless(path string) string {
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) == nil && fs.Flags&unix.ST_NOSUID != 0 {
		return "its file system is mounted nosuid"
	}
	var st unix.Stat_t
	if _, err := unix.Getxattr(path, "security.capability", nil); err != nil && unix.Stat(path, &st) == nil && st.Mode&unix.S_ISUID == 0 {
		return "it is neither setuid root nor has it file capabilities: install its package anew"
	}
	return ""
}

// missingGrants lists the lines that a user's ids lack in subuid(5) or
// subgid(5): his own id needs none. passwd gives his names there.
func missingGrants(ids []specs.LinuxIDMapping, own, uid int, grants, passwd string) (lines []string) {
	names := []string{strconv.Itoa(uid)}
	for line := range strings.Lines(passwd) {
		if f := strings.Split(line, ":"); len(f) > 2 && f[2] == names[0] {
			names = append(names, f[0])
		}
	}
	for _, m := range ids {
		if m.Size == 1 && int(m.HostID) == own || granted(&m, names, grants) {
			continue
		}
		lines = append(lines, names[len(names)-1]+":"+strconv.FormatUint(uint64(m.HostID), 10)+":"+strconv.FormatUint(uint64(m.Size), 10))
	}
	return lines
}

// granted tells whether one line of subuid(5) gives all ids of a mapping.
func granted(m *specs.LinuxIDMapping, names []string, grants string) bool {
	for line := range strings.Lines(grants) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 3 {
			continue
		}
		first, err1 := strconv.ParseUint(f[1], 10, 32)
		count, err2 := strconv.ParseUint(f[2], 10, 32)
		for _, name := range names {
			if f[0] == name && err1 == nil && err2 == nil && first <= uint64(m.HostID) && uint64(m.HostID)+uint64(m.Size) <= first+count {
				return true
			}
		}
	}
	return false
}

// lookPath looks for a program along PATH, as execvp(3) does; "" if there is
// none. Relative directories of PATH are passed over.
func lookPath(program string) string {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/sbin:/usr/bin:/sbin:/bin"
	}
	for dir := range strings.SplitSeq(path, ":") {
		if !strings.HasPrefix(dir, "/") {
			continue
		}
		var st unix.Stat_t
		name := dir + "/" + program
		if unix.Stat(name, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && unix.Access(name, unix.X_OK) == nil {
			return name
		}
	}
	return ""
}
