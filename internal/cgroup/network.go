package cgroup

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

const networkPath = "linux.resources.network."

// network compiles config-linux.md, Network. Version 2 has neither controller.
func (c *compiler) network(n *specs.LinuxNetwork) {
	if n == nil {
		return
	}
	if id := n.ClassID; id != nil {
		w := Write{Controller: "net_cls", Path: networkPath + "classID", File: "net_cls.classid", Value: natural(uint64(*id))}
		// class 0 is none: where there is no controller, nothing is lost
		if (*id != 0 || c.find("net_cls") != nil) && c.need("net_cls", w.Path, w.Value) != nil {
			c.put(w)
		}
	}
	for i := range n.Priorities {
		p := &n.Priorities[i]
		path := at(networkPath+"priorities", i)
		if !isInterface(p.Name) {
			c.fault(path+".name", shown(p.Name), "no name of a network interface")
			continue
		}
		w := Write{Controller: "net_prio", Path: path, File: "net_prio.ifpriomap", Value: p.Name + " " + natural(uint64(p.Priority))}
		if c.need("net_prio", path, shown(p.Name)) != nil {
			c.put(w)
		}
	}
}

// isInterface is the kernel's dev_valid_name: at most 15 bytes, no blank,
// slash or colon. Whether there is one, the kernel tells.
func isInterface(s string) bool {
	return s != "" && len(s) < 16 && s != "." && s != ".." && !strings.ContainsAny(s, "/: \t\n\v\f\r\x00")
}
