// Package unit says what systemd is asked for, as values: the scope that a
// container's cgroup is to be (systemd.scope(5)), its place in the tree of
// cgroups, and its properties (systemd.resource-control(5)).
//
// Its law: it is pure, and knows nothing of D-Bus. What is asked of systemd is
// computed from the very writes that package cgroup makes to the files, so that
// the two can't differ: systemd writes its own idea of a unit's limits again
// whenever it is reloaded, and must then write the same.
package unit

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/cgroup"
)

// Unit is a transient scope of systemd.
type Unit struct {
	Name        string // "crio-4f2a.scope"
	Slice       string // "machine-qemu.slice"
	Description string // by which its maker knows it again: see Of
}

// nameMax is the length of the longest name of a unit (UNIT_NAME_MAX of systemd, less the NUL).
const nameMax = 255

const path = "linux.cgroupsPath"

// Of reads linux.cgroupsPath as engines write it for systemd: SLICE:PREFIX:NAME
// is the scope PREFIX-NAME.scope in SLICE. An absent path is ":minirt:ID"; an
// absent slice is system.slice, or user.slice with a user's own systemd. state
// is the container's directory. err is of type cgroup.Fault.
func Of(cgroupsPath, id, state string, user bool) (u Unit, err error) {
	given := cgroupsPath
	if given == "" {
		cgroupsPath = ":minirt:" + id
	}
	refuse := func(why string) (Unit, error) {
		return Unit{}, cgroup.Fault{Path: path, Text: strconv.Quote(given) + " " + why}
	}
	parts := strings.Split(cgroupsPath, ":")
	if len(parts) != 3 {
		return refuse("is not of the form slice:prefix:name, which cgroups by systemd need")
	}
	u = Unit{parts[1] + "-" + parts[2] + ".scope", parts[0], "minirt container " + id + " in " + state}
	if u.Slice == "" {
		u.Slice = "system.slice"
		if user {
			u.Slice = "user.slice"
		}
	}
	switch why := wrongSlice(u.Slice); {
	case parts[2] == "":
		return refuse("has no name behind its last colon")
	case strings.HasSuffix(parts[2], ".slice"):
		return refuse("names a slice: processes are in scopes, and slices hold those")
	case !isName(u.Name):
		return refuse("gives the unit " + strconv.Quote(u.Name) + ": names of units are at most 255 letters, digits and :_.\\-")
	case why != "":
		return refuse(`has the slice "` + u.Slice + `", ` + why)
	}
	return u, nil
}

// wrongSlice tells what is wrong with a slice's name, "" if nothing is.
func wrongSlice(s string) string {
	name, ok := strings.CutSuffix(s, ".slice")
	switch {
	case !ok || name == "":
		return `whose name does not end in ".slice"`
	case name == "-":
		return ""
	case !isName(s):
		return "which is no name of a unit"
	case strings.HasPrefix(name, "-"), strings.HasSuffix(name, "-"), strings.Contains(name, "--"):
		return "which has an empty part between its dashes"
	}
	return ""
}

// isName: what systemd takes (unit_name_is_valid): no slash, so that no name leads elsewhere.
func isName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case c == ':', c == '_', c == '.', c == '\\', c == '-':
		default:
			return false
		}
	}
	return len(s) <= nameMax
}

// Path is the unit's place below the cgroup of its systemd: a slice a-b.slice
// is in a.slice (systemd.slice(5)).
func (u *Unit) Path() string {
	name := strings.TrimSuffix(u.Slice, ".slice")
	p := ""
	for i := range len(name) + 1 {
		if name != "-" && (i == len(name) || name[i] == '-') {
			p += "/" + name[:i] + ".slice"
		}
	}
	return p + "/" + u.Name
}
