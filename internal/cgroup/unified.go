package cgroup

import (
	"strconv"
	"strings"
)

// unified compiles config-linux.md, Unified: files of version 2, written line
// by line, after all else. A key that we don't know is still written (UN-02);
// one whose controller isn't on the version 2 hierarchy is refused (UN-03).
func (c *compiler) unified(files map[string]string) {
	for _, key := range keys(files) {
		path, value := entry("linux.resources.unified", key), files[key]
		controller, _, _ := strings.Cut(key, ".")
		h := c.l.v2()
		switch {
		case !isKey(key):
			c.fault(path, shown(value), "the key is no name of a cgroup file")
			continue
		case isOurs(key):
			c.fault(path, shown(value), "the file is the runtime's own business")
			continue
		case h == nil:
			c.fault(path, shown(value), "no cgroup version 2 on this host")
			continue
		case controller != "cgroup" && !h.Has(controller):
			c.fault(path, shown(value), "no "+controller+" controller in cgroup version 2 on this host")
			continue
		}
		for v := range strings.SplitSeq(strings.TrimSuffix(value, "\n"), "\n") {
			w := Write{Controller: controller, V2: true, Path: path, File: key, Value: v}
			if key == "pids.max" {
				c.late = append(c.late, w)
			} else {
				c.put(w)
			}
		}
	}
}

// isKey: CONTROLLER.NAME[.NAME…], of letters, digits, underscores and dashes:
// no slash, and no part that is empty, so that no other directory can be
// reached (SEC-14). Capitals are in hugetlb.1GB.max.
func isKey(s string) bool {
	dots, last := 0, byte('.')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.' && last == '.':
			return false
		case c == '.':
			dots++
		case c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z'):
			return false
		}
		last = s[i]
	}
	return dots > 0 && last != '.'
}

// isOurs: files by which processes are moved, stopped or killed, or the cgroup
// turned into another kind: no limits (SEC-14).
func isOurs(key string) bool {
	switch key {
	case "cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze", "cgroup.type", "cgroup.subtree_control":
		return true
	}
	return false
}

// entry is the path of a map's entry, whose key may have dots in it.
func entry(path, key string) string { return path + "[" + strconv.Quote(key) + "]" }
