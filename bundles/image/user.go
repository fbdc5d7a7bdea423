package image

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// accounts are the files of the image that name users and groups.
type accounts struct{ passwd, group [][]string }

// user turns Config.User, "USER[:GROUP]", into ids (image-spec, config.md).
// A number is an id always, even if a line of the image's passwd has it for a
// name (SEC-01). A user that is named brings the groups that list it, unless a
// group is given; without one, the primary group is that of the user's line, or
// 0 for a number that has none.
func user(s string, read func() (accounts, error)) (u specs.User, err error) {
	if s == "" {
		return u, nil
	}
	name, group, hasGroup := strings.Cut(s, ":")
	if name == "" {
		name = "0"
	}
	uid, isUID := id(name)
	gid, isGID := id(group)
	if isUID && isGID { // nothing to look up
		return specs.User{UID: uid, GID: gid}, nil
	}
	a, err := read()
	if err != nil {
		return u, err
	}
	line, isName, err := a.user(name)
	if err != nil {
		return u, fmt.Errorf("User %q: %w", s, err)
	}
	u.UID, u.GID = line.uid, line.gid
	if hasGroup {
		if u.GID, err = a.id(group); err != nil {
			return u, fmt.Errorf("User %q: %w", s, err)
		}
	} else if isName {
		u.AdditionalGids = a.groupsOf(name, u.GID)
	}
	return u, nil
}

type ids struct{ uid, gid uint32 }

func (a *accounts) user(name string) (line ids, isName bool, err error) {
	number, ok := id(name)
	for _, f := range a.passwd {
		if len(f) < 4 || ok && f[2] != strconv.FormatUint(uint64(number), 10) || !ok && f[0] != name {
			continue
		}
		uid, good := id(f[2])
		gid, also := id(f[3])
		if good && also {
			return ids{uid, gid}, !ok, nil
		}
	}
	if !ok {
		return ids{}, false, fmt.Errorf("no user %q in the image's /etc/passwd", name)
	}
	return ids{uid: number}, false, nil
}

func (a *accounts) id(group string) (uint32, error) {
	if number, ok := id(group); ok {
		return number, nil
	}
	for _, f := range a.group {
		if len(f) >= 3 && f[0] == group {
			if gid, ok := id(f[2]); ok {
				return gid, nil
			}
		}
	}
	return 0, fmt.Errorf("no group %q in the image's /etc/group", group)
}

func (a *accounts) groupsOf(user string, primary uint32) (list []uint32) {
	for _, f := range a.group {
		if len(f) < 4 || !slices.Contains(strings.Split(f[3], ","), user) {
			continue
		}
		if gid, ok := id(f[2]); ok && gid != primary && !slices.Contains(list, gid) {
			list = append(list, gid)
		}
	}
	return list
}

// id reads an id; the last of the 32 bits means "none" to the kernel.
func id(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n < math.MaxUint32
}

// readAccounts reads the image's own files.
func readAccounts(rootfs string) (a accounts, err error) {
	root, err := unix.Open(rootfs, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return a, err
	}
	defer unix.Close(root)
	if a.passwd, err = readTable(root, "etc/passwd"); err == nil {
		a.group, err = readTable(root, "etc/group")
	}
	return a, err
}

// Bounds of what is read of an image's passwd or group (SEC-45).
const (
	maxTable = 1 << 20
	maxLine  = 64 << 10
)

// readTable reads a file of lines with fields between colons, inside the root;
// one that isn't there has no lines. Nothing but a small regular file is read,
// and nothing is waited for (SEC-45).
func readTable(root int, path string) (table [][]string, err error) {
	held, err := unix.Openat2(root, path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC, // which does nothing to a device
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", path, err)
	}
	defer unix.Close(held)
	var st unix.Stat_t
	if err := unix.Fstat(held, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Size > maxTable {
		return nil, fmt.Errorf("/%s: not a regular file of at most %d MiB", path, maxTable>>20)
	}
	f, err := os.Open("/proc/self/fd/" + strconv.Itoa(held))
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", path, errnoOf(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTable))
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", path, errnoOf(err))
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if len(line) > maxLine {
			return nil, fmt.Errorf("/%s: a line of more than %d KiB", path, maxLine>>10)
		}
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			table = append(table, strings.Split(line, ":"))
		}
	}
	return table, nil
}
