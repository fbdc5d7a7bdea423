package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A row is one line of the breakdown: what, and its median.
type row struct {
	what string
	took time.Duration
	note string
}

// measuredCreate interleaves what a create consists of with a whole create. All
// is seen from outside, by the wall clock: the runtime helps with nothing, and
// nothing traces it. A command that the subject lacks has no row.
func (h *host) measuredCreate(c, floor *contender, t *tools, rounds int) ([]row, error) {
	timed := func(c *contender) func() (time.Duration, error) {
		return func() (time.Duration, error) {
			const id = "bench-create"
			d, err := h.spawn(c.command("create", id))
			if err == nil {
				err = h.discard(c, id)
			}
			return d, err
		}
	}
	plain := func(args ...string) func() (time.Duration, error) {
		return func() (time.Duration, error) { return h.spawn(args) }
	}
	type part struct {
		what string
		do   func() (time.Duration, error)
		note string
	}
	list := []part{
		{"static C program", plain(t.floor, "true"), "fork, execve, exit, wait"},
		{"Go hello world", plain(t.hello), "the same and Go's own start"},
		{"--version", plain(c.path, "--version"), "the same, this binary"},
		{"plan", plain(c.path, "plan", "--bundle", c.bundle), "the same, config.json read, compiled, and the plan printed"},
		{"create", timed(c), "all"},
	}
	if floor != nil {
		list = append(list, part{"the floor's create", timed(floor), "the kernel's part, with a static C program's start"})
	}
	list = slices.DeleteFunc(list, func(p part) bool { _, err := p.do(); return err != nil })
	took := make([]series, len(list))
	for range rounds {
		for i, p := range list {
			d, err := p.do()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.what, err)
			}
			took[i] = append(took[i], d)
		}
	}
	var rows []row
	for i, p := range list {
		rows = append(rows, row{p.what, took[i].median(), p.note})
	}
	return rows, nil
}

// floorPhases is the floor's create, phase by phase, by its own clock. Parent
// and child overlap: the parent makes the cgroups while the child mounts.
func (h *host) floorPhases(floor *contender, rounds int) ([]row, error) {
	const id = "bench-phases"
	var names []string
	took := map[string]series{}
	for range rounds {
		_, err := h.spawn(floor.command("create", id), "FLOOR_TICKS=1")
		if err != nil {
			return nil, err
		}
		said := h.complaint()
		if err := h.discard(floor, id); err != nil {
			return nil, err
		}
		last := map[string]int{} // who's clock, µs since main
		for l := range strings.Lines(said) {
			f := strings.Split(strings.TrimSpace(l), "\t")
			if len(f) != 3 {
				continue
			}
			at, _ := strconv.Atoi(f[2])
			name := f[0] + ": " + f[1]
			if took[name] == nil {
				names = append(names, name)
			}
			took[name] = append(took[name], time.Duration(at-last[f[0]])*time.Microsecond)
			last[f[0]] = at
		}
	}
	var rows []row
	for _, n := range names {
		rows = append(rows, row{what: n, took: took[n].median()})
	}
	return rows, nil
}
