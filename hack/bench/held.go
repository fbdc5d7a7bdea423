package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// heldID is the name of a container that runs while things are done to it.
const heldID = "bench-held"

// hold makes the contender's container run; its program waits for ever.
func (h *host) hold(c *contender) error {
	for _, verb := range []string{"create", "start"} {
		if _, err := h.spawn(c.command(verb, heldID)); err != nil {
			return err
		}
	}
	pids := h.members(c.group)
	if len(pids) != 1 {
		return fmt.Errorf("%d processes in the running container's cgroup", len(pids))
	}
	c.pid = pids[0]
	return nil
}

// release ends and removes it; what is not there is no error.
func (h *host) release(c *contender) {
	if c.floor() {
		h.clear(c.group)
		os.Remove(filepath.Join(c.root, heldID))
		return
	}
	h.spawn(c.command("delete", heldID, "--force"))
	h.clear(c.group)
}

// exec is a turn of exec in the container that is held.
func (h *host) exec(c *contender) (t turn, err error) {
	t[whole], err = h.spawn(append(c.command("exec", heldID), trueProgram))
	return t, err
}

// updater gives turns of update: two pairs of limits that take turns too, or a
// runtime that writes only what has changed would have nothing to do.
func (h *host) updater() func(*contender) (turn, error) {
	type limits struct{ memory, quota string }
	pairs := [2]limits{{"67108864", "50000"}, {"134217728", "60000"}}
	updates := map[*contender]int{}
	return func(c *contender) (t turn, err error) {
		l := pairs[updates[c]%2]
		updates[c]++
		t[whole], err = h.spawn(c.command("update", heldID, "--memory", l.memory, "--cpu-quota", l.quota, "--cpu-period", "100000"))
		if err == nil && !h.version2() {
			err = errors.Join(h.says(c.group, "memory", "memory.limit_in_bytes", l.memory), h.says(c.group, "cpu", "cpu.cfs_quota_us", l.quota))
		}
		return t, err
	}
}

// says tells whether a file of the cgroup has the value.
func (h *host) says(group, controller, file, want string) error {
	got, err := h.value(group, controller, file)
	if err == nil && got != want {
		err = fmt.Errorf("%s is %q, want %q", file, got, want)
	}
	return err
}

// value reads a file of a cgroup in the version 1 hierarchy of a controller.
func (h *host) value(group, controller, file string) (string, error) {
	for _, d := range h.hierarchies {
		if hasController(d, controller) {
			b, err := os.ReadFile(filepath.Join(cgroupRoot, d, group, file))
			return strings.TrimSpace(string(b)), err
		}
	}
	return "", fmt.Errorf("%s: %w", controller, unix.ENOENT)
}

func hasController(hierarchy, controller string) bool {
	for c := range strings.SplitSeq(hierarchy, ",") {
		if c == controller {
			return true
		}
	}
	return false
}
