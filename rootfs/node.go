package rootfs

import (
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Node is a device node or FIFO that the container is given.
type Node struct {
	Path         string
	Type         byte // c, b or p; u is c
	Major, Minor uint32
	Mode         uint32 // permissions
	UID, GID     uint32 // ids in the container
	Default      bool   // given to every container
	Origin       string
}

// defaults are the nodes of every container, even of one without a mount on
// /dev (config-linux.md, Default Devices; DV-08). /dev/ptmx and /dev/console
// are no nodes: see Links and Facts.Console.
var defaults = [...]Node{
	{"/dev/null", 'c', 1, 3, 0o666, 0, 0, true, "config-linux.md default devices"},
	{"/dev/zero", 'c', 1, 5, 0o666, 0, 0, true, "config-linux.md default devices"},
	{"/dev/full", 'c', 1, 7, 0o666, 0, 0, true, "config-linux.md default devices"},
	{"/dev/random", 'c', 1, 8, 0o666, 0, 0, true, "config-linux.md default devices"},
	{"/dev/urandom", 'c', 1, 9, 0o666, 0, 0, true, "config-linux.md default devices"},
	{"/dev/tty", 'c', 5, 0, 0o666, 0, 0, true, "config-linux.md default devices"},
}

// Defaults lists the nodes of every container.
func Defaults() []Node { return defaults[:] }

// Nodes lists the nodes that s gives the container: those of linux.devices,
// and the default ones whose paths it doesn't name. Where a bind gives the
// container another /dev, that one holds what it holds, and the default nodes
// are its own business, as they are for other runtimes.
func Nodes(s *specs.Spec) []Node {
	nodes := make([]Node, 0, len(defaults)+4)
	if s.Linux != nil {
		for i := range s.Linux.Devices {
			if n := nodeOf(&s.Linux.Devices[i], i); find(nodes, n.Path) == nil {
				nodes = append(nodes, n)
			}
		}
	}
	if bindsDev(s) {
		return nodes
	}
	for _, n := range defaults {
		if find(nodes, n.Path) == nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

func find(nodes []Node, path string) *Node {
	path = Clean(path)
	for i := range nodes {
		if Clean(nodes[i].Path) == path {
			return &nodes[i]
		}
	}
	return nil
}

func nodeOf(d *specs.LinuxDevice, i int) Node {
	n := Node{Path: d.Path, Major: uint32(d.Major), Minor: uint32(d.Minor), Mode: 0o666, Origin: "linux.devices[" + strconv.Itoa(i) + "]"}
	if d.Type != "" {
		n.Type = d.Type[0]
	}
	if n.Type == 'u' {
		n.Type = 'c'
	}
	if d.FileMode != nil {
		n.Mode = uint32(*d.FileMode) & 0o7777 // the spec's number is stat(2)'s, no os.FileMode
	}
	if d.UID != nil {
		n.UID = *d.UID
	}
	if d.GID != nil {
		n.GID = *d.GID
	}
	return n
}

// FileType is the node's type in the terms of mknod(2).
func (n *Node) FileType() uint32 {
	switch n.Type {
	case 'b':
		return unix.S_IFBLK
	case 'p':
		return unix.S_IFIFO
	}
	return unix.S_IFCHR
}

// Number is the node's device number; a FIFO has none.
func (n *Node) Number() uint64 {
	if n.Type == 'p' {
		return 0
	}
	return unix.Mkdev(n.Major, n.Minor)
}

// Link is a symbolic link below /dev.
type Link struct{ Path, Target string }

// Links lists the links that s gives the container (config-linux.md, Default
// Devices; runtime-linux.md, Dev symbolic links): ptmx always (DV-10); fd and
// the standard streams where a mount gives the container a procfs (DV-11).
// /dev/core isn't in the spec, and what it points to is masked by default.
func Links(s *specs.Spec) []Link {
	if bindsDev(s) {
		return nil
	}
	links := [...]Link{
		{"/dev/ptmx", "pts/ptmx"},
		{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"},
	}
	for i := range s.Mounts {
		if Clean(s.Mounts[i].Destination) == "proc" {
			return links[:]
		}
	}
	return links[:1]
}

func bindsDev(s *specs.Spec) bool {
	for i := range s.Mounts {
		if IsBind(&s.Mounts[i]) && Clean(s.Mounts[i].Destination) == "dev" {
			return true
		}
	}
	return false
}
