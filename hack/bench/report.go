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
	o          *options
	all        []*contender
	cycle, run results
	held       []heldMemory
	marks      []mark
	rows       []row // one create
	phases     []row // the floor's create
	crowdRows  []crowdRow
	notes      []string
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

// allMarks are the marks of speed, and those counted on the way.
func (r *report) allMarks() []mark {
	s := &report{}
	for _, g := range []struct {
		what, peer string
		res        results
		goal       float64
	}{
		{"create + start + delete, of runc's", "runc", r.cycle, 0.25},
		{"create + start + delete, of crun's", "crun", r.cycle, 0.55},
		{"create + start + delete, of the floor's", floorName, r.cycle, 1.8},
		{"run, of the floor's", floorName, r.run, 1.6},
	} {
		mine, peer := g.res[r.o.subject], g.res[g.peer]
		if mine == nil || peer == nil {
			continue
		}
		s.atMost(g.what+", wall time", g.goal, ratio(mine[whole].median(), peer[whole].median()), "", 2)
		s.atMost(g.what+", CPU time", g.goal, ratio(mine[cpu].median(), peer[cpu].median()), "", 2)
	}
	return append(s.marks, r.marks...)
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
