package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mark is one goal of the project and what this run measured.
type mark struct {
	what, goal, got string
	met             bool
}

type report struct {
	o           *options
	all         []*contender
	experiments []*experiment
	held        []heldMemory
	charges     []charge
	marks       []mark
	rows        []row // one create
	phases      []row // the floor's create
	cgroups     []row // the cgroup part
	crowdRows   []crowdRow
	filters     *filterFigures
	docker      []dockerRow
	notes       []string
}

// heldMemory is in KiB, as text: a figure or why there is none.
type heldMemory struct{ name, pss, limit string }

type crowdRow struct {
	name                         string
	firstC, lastC, firstD, lastD time.Duration
}

func newReport(o *options, all []*contender) *report { return &report{o: o, all: all} }

func (r *report) find(name string) *contender {
	for _, c := range r.all {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (r *report) subject() *contender { return r.find(r.o.subject) }

func (r *report) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// atMost counts a mark: the figure must not exceed the goal.
func (r *report) atMost(what string, goal, got float64, unit string, digits int) {
	r.marks = append(r.marks, mark{what, "≤ " + decimals(goal, digits) + unit, decimals(got, digits+1) + unit, got <= goal})
}

func (r *report) missed() bool {
	for _, m := range r.allMarks() {
		if !m.met {
			return true
		}
	}
	return false
}

// took is what the contenders took in an experiment, nothing if there was none.
func (r *report) took(title string) results {
	for _, e := range r.experiments {
		if e.title == title {
			return e.took
		}
	}
	return nil
}

// allMarks are the marks of speed, and those counted on the way.
func (r *report) allMarks() []mark {
	s := &report{}
	for _, e := range r.experiments {
		for _, g := range e.goals {
			mine, other := e.took[r.o.subject], e.took[g.of]
			if mine == nil || other == nil {
				continue
			}
			what := e.title + ", of " + possessive(g.of)
			s.atMost(what+", wall time", g.most, ratio(mine[whole].median(), other[whole].median()), "", 2)
			s.atMost(what+", CPU time", g.most, ratio(mine[cpu].median(), other[cpu].median()), "", 2)
		}
	}
	return append(s.marks, r.marks...)
}

// possessive is "runc's", "the floor's" and "minirt's without it".
func possessive(name string) string {
	if name == floorName {
		name = "the " + name
		return name + "'s"
	}
	name, rest, more := strings.Cut(name, " ")
	if more {
		rest = " " + rest
	}
	return name + "'s" + rest
}

func (r *report) memory(h *host) {
	for _, c := range r.all {
		m := heldMemory{name: c.name}
		pss, err := h.pss(c)
		m.pss = orReason(pss, err)
		if c == r.subject() && err == nil {
			r.atMost("Pss of the created container's process", 64, float64(pss), " KiB", 0)
		}
		if c.floor() {
			m.limit = "–" // it sets none
		} else {
			limit, err := h.leastLimit(c)
			m.limit = orReason(limit, err)
			if c == r.subject() && err == nil {
				r.atMost("least memory limit for run of a static true", 320, float64(limit), " KiB", 0)
			}
		}
		r.held = append(r.held, m)
	}
}

// charge counts what an exec charges, less what the program itself takes, which
// the floor's exec shows.
func (r *report) charge(h *host) {
	var held []*contender
	for _, e := range r.experiments {
		if e.title == execTitle {
			held = e.rows
		}
	}
	figures := map[string]float64{}
	for _, c := range h.charged(held) {
		if c.err != nil {
			r.note("memory charged by exec, without %s: %v", c.name, c.err)
			continue
		}
		r.charges = append(r.charges, c)
		figures[c.name] = c.kib
	}
	own, known := figures[floorName]
	mine, runc := figures[r.o.subject], figures["runc"]
	if known && mine > 0 && runc > own {
		r.atMost("memory that exec charges, beyond the program's own, of runc's", 0.05, (mine-own)/(runc-own), "", 2)
	}
}

func (r *report) cgroupPart(h *host) {
	room, calls, err := h.cgroupPart(r.o.rounds)
	if err != nil {
		r.note("the cgroup part: %v", err)
		return
	}
	r.cgroups = []row{{"minirt", room.median(), "all that create and delete ask of internal/cgroup"},
		{"bare calls", calls.median(), "mkdir, open, write, rmdir: the same directories and values"}}
	r.atMost("the cgroup part of create and delete, of the bare calls'", 1.2, ratio(room.median(), calls.median()), "", 2)
}

func orReason(n int, err error) string {
	if err != nil {
		return strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return fmt.Sprint(n)
}

func (r *report) startup(h *host, t *tools, s *contender) {
	r.atMost("size of the binary", 8, float64(size(s.path))/1e6, " MB", 2)
	state, hello, err := h.stateBesideHello(s, t.hello, r.o.rounds)
	if err != nil {
		r.note("state beside a Go hello world: %v", err)
		return
	}
	r.atMost("state, of a Go hello world's", 1.5, ratio(state.median(), hello.median()), "", 2)
}

func (r *report) breakdown(h *host, t *tools, s *contender) {
	floor := r.find(floorName)
	var err error
	if r.rows, err = h.measuredCreate(s, floor, t, r.o.rounds); err != nil {
		r.note("breakdown: %v", err)
	}
	if floor == nil {
		return
	}
	if r.phases, err = h.floorPhases(floor, r.o.rounds); err != nil {
		r.note("the floor's phases: %v", err)
	}
}

// edge is how many containers are compared at either end of a crowd; there are
// several crowds, in turns with the floor's, since a machine's pace changes
// within the seconds that one takes.
const (
	edge   = 50
	crowds = 3
)

// edges are the costs of the first and of the last of the crowds.
type edges struct{ firstC, lastC, firstD, lastD series }

func (e *edges) add(made, gone series) {
	n := len(made) - edge
	e.firstC, e.lastC = append(e.firstC, made[:edge]...), append(e.lastC, made[n:]...)
	e.firstD, e.lastD = append(e.firstD, gone[:edge]...), append(e.lastD, gone[n:]...)
}

func (r *report) crowds(h *host, s *contender, n int) {
	all := []*contender{s}
	if f := r.find(floorName); f != nil {
		all = append(all, f)
	}
	if n < 2*edge {
		return
	}
	sums := make([]edges, len(all))
	for range crowds {
		for i, c := range all {
			made, gone, err := h.crowd(c, n)
			if err != nil {
				r.note("%d containers at once, %s: %v", n, c.name, err)
				return
			}
			sums[i].add(made, gone)
		}
	}
	for i, c := range all {
		e := sums[i]
		r.crowdRows = append(r.crowdRows, crowdRow{c.name, e.firstC.median(), e.lastC.median(), e.firstD.median(), e.lastD.median()})
	}
	mine := sums[0]
	r.atMost(fmt.Sprintf("create, the last %d of %d, of the first %d", edge, n, edge), 1.2, ratio(mine.lastC.median(), mine.firstC.median()), "", 2)
	r.atMost(fmt.Sprintf("delete, the last %d of %d, of the first %d", edge, n, edge), 1.2, ratio(mine.lastD.median(), mine.firstD.median()), "", 2)
}

// publish prints the report and, given a directory, writes it with its chart.
func (r *report) publish(dir string) error {
	text := r.markdown(dir != "")
	if dir == "" {
		_, err := os.Stdout.WriteString(text)
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.md"), []byte(text), 0o644); err != nil {
		return err
	}
	return r.chart(filepath.Join(dir, "bench.svg"))
}

// machine tells what a reader needs to judge the figures, and no more.
func machine() string {
	var u unix.Utsname
	kernel := "unknown"
	if unix.Uname(&u) == nil {
		v := strings.SplitN(unix.ByteSliceToString(u.Release[:]), ".", 3)
		kernel = strings.Join(v[:min(2, len(v))], ".")
	}
	return fmt.Sprintf("Linux %s, %s, %d CPUs", kernel, runtime.GOARCH, runtime.NumCPU())
}
