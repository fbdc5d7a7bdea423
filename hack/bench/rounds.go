package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// warmUp rounds come first and are not counted.
const warmUp = 3

// roundID is the container's name in the rounds; it lives for one turn.
const roundID = "bench"

// The parts of a turn, in their order.
const (
	whole = iota
	create
	start
	ending // from the return of start to the end of the container's process
	remove
	cpu     // of all processes, by their rusage
	cpuacct // the same by the cgroup, less the driver's own
	parts
)

// result is what one contender took, part by part, over all rounds.
type result [parts]series

type results map[string]*result

type turn [parts]time.Duration

// shuffled gives each contender one turn a round, the order drawn anew for each.
func (h *host) shuffled(all []*contender, rounds int, play func(*contender) (turn, error)) (results, error) {
	draw := rand.New(rand.NewPCG(1, 2)) // the same orders in every run
	res := results{}
	for _, c := range all {
		res[c.name] = &result{}
	}
	for i := range rounds + warmUp {
		for _, j := range draw.Perm(len(all)) {
			m := h.meter()
			t, err := play(all[j])
			if err != nil {
				h.sweep(all[j], roundID)
				return nil, err
			}
			t[cpu], t[cpuacct] = m.read()
			for p := range t {
				if i >= warmUp {
					res[all[j].name][p] = append(res[all[j].name][p], t[p])
				}
			}
		}
	}
	return res, nil
}

// prove makes sure, before anything is timed, that a contender does its work: a
// created container is one process in its cgroup, a deleted one has no cgroup.
func (h *host) prove(c *contender) error {
	for _, verb := range []string{"create", "start", "delete"} {
		if _, err := h.spawn(c.command(verb, roundID)); err != nil {
			h.sweep(c, roundID)
			return err
		}
		switch n := len(h.members(c.group)); {
		case verb == "create" && n != 1:
			h.sweep(c, roundID)
			return fmt.Errorf("%s: create left %d processes in cgroup %s", c.name, n, c.group)
		case verb == "start":
			reap()
		case verb == "delete" && h.exists(c.group):
			h.sweep(c, roundID)
			return fmt.Errorf("%s: delete left cgroup %s", c.name, c.group)
		}
	}
	return nil
}

// cycle is a turn of create, start, the container's end, and delete.
func (h *host) cycle(c *contender) (t turn, err error) {
	if t[create], err = h.spawn(c.command("create", roundID)); err != nil {
		return t, err
	}
	if t[start], err = h.spawn(c.command("start", roundID)); err != nil {
		return t, err
	}
	t[ending] = reap()
	if t[remove], err = h.spawn(c.command("delete", roundID)); err != nil {
		return t, err
	}
	t[whole] = t[create] + t[start] + t[ending] + t[remove]
	return t, nil
}

// run is a turn of run.
func (h *host) run(c *contender) (t turn, err error) {
	t[whole], err = h.spawn(c.command("run", roundID))
	reap()
	return t, err
}

// medians interleaves commands that leave nothing behind.
func (h *host) medians(rounds int, commands ...[]string) ([]series, error) {
	s := make([]series, len(commands))
	for i := range rounds + warmUp {
		for j := range commands {
			k := (i + j) % len(commands)
			d, err := h.spawn(commands[k])
			if err != nil {
				return nil, err
			}
			if i >= warmUp {
				s[k] = append(s[k], d)
			}
		}
	}
	return s, nil
}
