package main

import (
	"fmt"
	"slices"
)

// An experiment is one thing that contenders do in turns.
type experiment struct {
	title, note string
	rows        []*contender // in the order of the table
	held        bool         // a container runs meanwhile
	play        func(*contender) (turn, error)
	goals       []goal // in the order of the marks
	took        results
}

// A goal is the most that the subject's median may be of another's.
type goal struct {
	of   string
	most float64
}

// of is what a contender took, nothing if it had no turn.
func (r results) of(name string) *result {
	if res := r[name]; res != nil {
		return res
	}
	return &result{}
}

func (e *experiment) find(name string) *contender {
	for _, c := range e.rows {
		if c.name == name {
			return c
		}
	}
	return nil
}

// bare are those without the floor, for what it does not know.
func bare(all []*contender) []*contender {
	return slices.DeleteFunc(slices.Clone(all), (*contender).floor)
}

// The profile that experiments with seccomp use.
const dockers = "Docker's default seccomp profile"

// experiments are all of them, in the order of the report.
func (h *host) experiments(all []*contender, t *tools, subject string) ([]*experiment, error) {
	running, err := t.variants(all, "held", func(c *contender) { c.program = pauseProgram })
	if err != nil {
		return nil, err
	}
	profiled, err := t.variants(bare(all), "profile", func(c *contender) { c.profile = true })
	if err != nil {
		return nil, err
	}
	both, err := t.variants(profiled, "held", func(c *contender) { c.program = pauseProgram })
	if err != nil {
		return nil, err
	}
	without := subject + " without it"
	if s := slices.IndexFunc(all, func(c *contender) bool { return c.name == subject }); s >= 0 {
		plain := *all[s]
		plain.name = without
		profiled = append(profiled, &plain)
	}
	execs := []goal{{"runc", 0.2}, {"crun", 0.55}}
	return []*experiment{
		{title: cycleTitle, rows: all, play: h.cycle, goals: []goal{{"runc", 0.25}, {"crun", 0.55}, {floorName, 1.8}}},
		{title: runTitle, rows: all, play: h.run, goals: []goal{{floorName, 1.6}}},
		{title: cycleTitle + ", " + dockers, rows: profiled, play: h.cycle, goals: []goal{{"runc", 0.2}, {without, 1.08}},
			note: "The profile as Docker gives it to a runtime, with its capabilities and three architectures (github.com/moby/profiles/seccomp v0.3.0)."},
		{title: execTitle, rows: running, held: true, play: h.exec, goals: execs,
			note: "Of a static `true` in a container that runs. The floor joins the same namespaces and cgroups and drops the same rights."},
		{title: execTitle + ", " + dockers, rows: both, held: true, play: h.exec, goals: execs},
		{title: "update", rows: bare(running), held: true, play: h.updater(), goals: []goal{{"runc", 0.3}},
			note: "The limits of memory and CPU time of a container that runs, other ones each time."},
	}, nil
}

const cycleTitle, runTitle, execTitle = "create + start + delete", "run", "exec"

// perform proves that each contender can, leaves out with a note who can't, and
// gives the others their turns.
func (h *host) perform(e *experiment, rounds int, note func(string, ...any)) (err error) {
	all := e.rows
	if e.held {
		defer func() {
			for _, c := range all {
				h.release(c)
			}
		}()
	}
	e.rows = nil
	for _, c := range all {
		if err := h.able(e, c); err != nil {
			note("%s, without %s: %v", e.title, c.name, err)
			h.sweep(c, roundID)
			continue
		}
		e.rows = append(e.rows, c)
	}
	if e.took, err = h.shuffled(e.rows, rounds, e.play); err != nil {
		return fmt.Errorf("%s: %w", e.title, err)
	}
	return nil
}

func (h *host) able(e *experiment, c *contender) error {
	if e.held {
		if err := h.hold(c); err != nil {
			return err
		}
	}
	_, err := e.play(c)
	return err
}
