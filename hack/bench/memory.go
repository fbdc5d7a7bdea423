package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// KiB, the unit of all memory figures here.
const kib = 1 << 10

// pss is the proportional set size, in KiB, of the container's process between
// create and start (proc_pid_smaps_rollup(5)).
func (h *host) pss(c *contender) (int, error) {
	const id = "bench-pss"
	if _, err := h.spawn(c.command("create", id)); err != nil {
		return 0, err
	}
	defer h.discard(c, id)
	pids := h.members(c.group)
	if len(pids) != 1 {
		return 0, fmt.Errorf("%d processes in the created container's cgroup", len(pids))
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pids[0]) + "/smaps_rollup")
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(b)) {
		if f := strings.Fields(l); len(f) == 3 && f[0] == "Pss:" {
			return strconv.Atoi(f[1])
		}
	}
	return 0, errors.New("no Pss in smaps_rollup")
}

// discard removes a created container, started or not.
func (h *host) discard(c *contender, id string) error {
	if c.floor() { // it knows no force
		h.spawn(c.command("start", id))
		reap()
		_, err := h.spawn(c.command("delete", id))
		return err
	}
	_, err := h.spawn(c.command("delete", id, "--force"))
	reapDead()
	return err
}

// The search for the least memory limit goes in these steps.
const (
	limitStep = 64 // KiB
	limitTop  = 16 << 10
	limitRuns = 3 // in a row must work
)

// leastLimit is the least memory limit, in KiB, under which run of a static
// program works, found by halving between 0 and limitTop.
func (h *host) leastLimit(c *contender) (int, error) {
	defer c.configure(0)
	if err := h.runLimited(c, limitTop); err != nil {
		return 0, err
	}
	fails, works := 0, limitTop/limitStep
	for works-fails > 1 {
		half := (fails + works) / 2
		if h.runLimited(c, half*limitStep) == nil {
			works = half
		} else {
			fails = half
		}
	}
	if works == 1 {
		return 0, fmt.Errorf("%d KiB are enough: it does not set the limit", limitStep)
	}
	return works * limitStep, nil
}

func (h *host) runLimited(c *contender, limit int) error {
	const id = "bench-limit"
	if err := c.configure(int64(limit) * kib); err != nil {
		return err
	}
	for range limitRuns {
		if _, err := h.spawn(c.command("run", id)); err != nil {
			h.sweep(c, id)
			return err
		}
		reapDead()
	}
	return nil
}

// sweep removes what a verb that failed may have left.
func (h *host) sweep(c *contender, id string) {
	if !c.floor() {
		h.spawn(c.command("delete", id, "--force"))
	}
	h.clear(c.group)
}
