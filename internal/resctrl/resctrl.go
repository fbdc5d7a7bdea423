// Package resctrl puts containers into groups of the resctrl file system: shares
// of caches and of memory bandwidth (config-linux.md, IntelRdt; Linux,
// filesystems/resctrl.rst).
//
// Its law: who asks for no group touches no resctrl. What a configuration asks
// for is a value, Group, before anything is done; its effects each have their
// undo, and a directory is removed only by who made it.
package resctrl

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Mkdir and Rmdir are mkdir(2) and rmdir(2). In resctrl a new directory has its
// files at once, and one with files can be removed: tests, whose tree is of
// ordinary files, put others here.
var Mkdir, Rmdir = unix.Mkdir, unix.Rmdir

// Group is a container's place in resctrl.
type Group struct {
	Dir     string // the control group's directory; the mount point for closID "/"
	Monitor string // the monitoring group's; "" for none
	Own     bool   // Dir has the container's name and was missing: its end is the container's
	Lines   []Line // for the file schemata, in this order

	closID    string
	missing   bool   // Dir was missing
	monitored bool   // Monitor was made
	old       string // schemata as they were
}

// Line is a line for the file schemata.
type Line struct {
	Value string
	Path  string // the place in config.json that asks for it
	equal bool   // an existing group has to have it already
}

// Fault is what a place in config.json asks for and can't be had.
type Fault struct {
	Path string
	Text string
}

func (f *Fault) Error() string { return f.Path + ": " + f.Text }

const configPath = "linux.intelRdt"

// Find gives resctrl's mount point, as /proc/self/mountinfo has it
// (proc_pid_mountinfo(5)); "" if it isn't mounted.
func Find(mountinfo []byte) string {
	root := ""
	for line := range strings.Lines(string(mountinfo)) {
		before, after, _ := strings.Cut(line, " - ")
		f := strings.Fields(before)
		if len(f) >= 5 && strings.HasPrefix(after, "resctrl ") && f[3] == "/" {
			root = kernel.Unescape(f[4]) // the last covers those before
		}
	}
	return root
}

// New is the group that r asks for, of the container with that id, in the
// resctrl at root. It touches nothing.
func New(root, id string, r *specs.LinuxIntelRdt) *Group {
	g := &Group{closID: r.ClosID}
	switch r.ClosID {
	case "":
		g.Dir = root + "/" + id
	case "/":
		g.Dir = root
	default:
		g.Dir = root + "/" + r.ClosID
	}
	if r.EnableMonitoring {
		g.Monitor = g.Dir + "/mon_groups/" + id
	}
	g.Lines = Lines(r)
	return g
}

// Lines are the schemata of r: that of the cache, that of the bandwidth, the rest.
func Lines(r *specs.LinuxIntelRdt) (lines []Line) {
	if r.L3CacheSchema != "" {
		lines = append(lines, Line{r.L3CacheSchema, configPath + ".l3CacheSchema", r.ClosID != ""})
	}
	if r.MemBwSchema != "" {
		lines = append(lines, Line{r.MemBwSchema, configPath + ".memBwSchema", r.ClosID != ""})
	}
	for i, s := range r.Schemata {
		lines = append(lines, Line{s, configPath + ".schemata[" + strconv.Itoa(i) + "]", false})
	}
	return lines
}

// reserved are the names that resctrl has for its own (filesystems/resctrl.rst).
var reserved = [...]string{"info", "mon_groups", "mon_data"}

// Look finds out whether the group exists, and refuses what can't be had: a
// closID alone that is nobody's, schemata that aren't those of an existing
// group, a monitoring group that exists.
func (g *Group) Look() error {
	for _, name := range reserved {
		if strings.HasSuffix(g.Dir, "/"+name) && g.closID != "/" {
			return &Fault{configPath + ".closID", strconv.Quote(name) + " is a name of resctrl's own"}
		}
	}
	g.missing = !exists(g.Dir)
	g.Own = g.missing && g.closID == ""
	switch {
	case g.missing && g.closID != "" && len(g.Lines) == 0:
		return &Fault{configPath + ".closID", strconv.Quote(g.closID) + ": resctrl has no such group, and there are no schemata to make it with"}
	case g.missing:
		return nil
	}
	if g.Monitor != "" && exists(g.Monitor) {
		return &Fault{configPath + ".enableMonitoring", g.Monitor + " exists already"}
	}
	return g.compare()
}

// compare holds an existing group to the schemata that it must have (IR-07).
func (g *Group) compare() error {
	if len(g.Lines) == 0 {
		return nil
	}
	b, err := read(g.Dir + "/schemata")
	if err != nil {
		return err
	}
	g.old = string(b)
	for _, l := range g.Lines {
		if l.equal && !has(g.old, l.Value, g.step(l.Value)) {
			return &Fault{l.Path, strconv.Quote(l.Value) + " is not what the existing group " + strconv.Quote(g.closID) + " has: " + strconv.Quote(lineOf(g.old, l.Value))}
		}
	}
	return nil
}
