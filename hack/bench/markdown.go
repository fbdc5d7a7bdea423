package main

import (
	"fmt"
	"strings"
	"time"
)

// page is text in the making; its methods are what a page is made of.
type page struct{ strings.Builder }

func (p *page) say(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) heading(s string) { p.say("\n## %s\n", s) }

// row is one line of a table; the first one of a table is its head.
func (p *page) row(head bool, cells ...string) {
	p.say("| %s |", strings.Join(cells, " | "))
	if head {
		p.say("|%s", strings.Repeat(" --- |", len(cells)))
	}
}

func (r *report) markdown(linked bool) string {
	p := &page{}
	p.say("# How fast minirt is\n")
	p.say("Written by hack/bench; do not edit. %s; %d rounds, %d more to warm up. Made by\n\n    %s\n", machine(), r.o.rounds, warmUp, commandLine())
	for _, c := range r.all {
		if c.version != "" {
			p.say("- %s: %s", c.name, c.version)
		}
	}
	p.say("- %s: the same clone, mounts, pivot_root, cgroups and execve by a static C program, with no runtime (hack/bench/floor.c); create, start and delete are three starts of it", floorName)
	p.say("\nAll contenders take their turns in the same rounds, in an order that is drawn anew for each, on `runc spec`'s default config, in a mount namespace without the version 2 tree of a hybrid cgroup layout. Only figures of one run can be compared: read the ratios.")
	r.marksTable(p)
	if linked {
		p.say("\n![medians of wall time](bench.svg)")
	}
	for _, e := range r.experiments {
		r.timesTable(p, e)
		if e.title == cycleTitle {
			r.partsTable(p, e)
		}
	}
	r.dockerTable(p)
	r.memoryTable(p)
	r.chargeTable(p)
	r.breakdownTable(p)
	r.cgroupTable(p)
	r.filterTable(p)
	r.crowdTable(p)
	r.crossCheck(p)
	for _, n := range r.notes {
		p.say("\n%s", n)
	}
	return p.String()
}

func (r *report) marksTable(p *page) {
	if r.subject() == nil {
		return
	}
	p.heading("Marks of " + r.o.subject)
	p.row(true, "mark", "goal", "measured", "met")
	for _, m := range r.allMarks() {
		met := "yes"
		if !m.met {
			met = "**no**"
		}
		p.row(false, m.what, m.goal, m.got, met)
	}
}

// timesTable has milliseconds, and in brackets the ratio of the subject to each.
func (r *report) timesTable(p *page, e *experiment) {
	p.heading(e.title)
	if e.note != "" {
		p.say("%s", e.note)
	}
	p.say("Milliseconds; in brackets what %s takes of it. CPU time is that of all processes.\n", r.o.subject)
	p.row(true, "", "wall, min", "median", "p99", "CPU, min", "median", "p99")
	mine := e.took[r.o.subject]
	for _, c := range e.rows {
		cells := []string{c.name}
		for _, part := range []int{whole, cpu} {
			for _, of := range []func(series) time.Duration{series.min, series.median, series.p99} {
				cell := ms(of(e.took[c.name][part]))
				if mine != nil && c.name != r.o.subject {
					cell += " (" + decimals(ratio(of(mine[part]), of(e.took[c.name][part])), 2) + ")"
				}
				cells = append(cells, cell)
			}
		}
		p.row(false, cells...)
	}
}

func (r *report) partsTable(p *page, e *experiment) {
	p.say("\nThe medians of its parts, wall time; the end is from the return of start to the end of the container's process.\n")
	p.row(true, "", "create", "start", "end", "delete")
	for _, c := range e.rows {
		t := e.took[c.name]
		p.row(false, c.name, ms(t[create].median()), ms(t[start].median()), ms(t[ending].median()), ms(t[remove].median()))
	}
}

func (r *report) memoryTable(p *page) {
	p.heading("Memory")
	p.say("The created container's process (Pss), and the least memory limit under which `run` of a static `true` works %d times in a row, in steps of %d KiB.\n", limitRuns, limitStep)
	p.row(true, "", "Pss, KiB", "least limit, KiB")
	for _, m := range r.held {
		p.row(false, m.name, m.pss, m.limit)
	}
}

func (r *report) chargeTable(p *page) {
	if len(r.charges) == 0 {
		return
	}
	p.say("\nThe memory that one exec of a static `true` charges to the container's cgroup: pages counted by the kernel over %d execs. The floor's is the program's own.\n", chargeExecs)
	p.row(true, "", "charged, KiB")
	for _, c := range r.charges {
		p.row(false, c.name, decimals(c.kib, 1))
	}
}

func (r *report) cgroupTable(p *page) {
	if len(r.cgroups) == 0 {
		return
	}
	p.say("\nThe cgroup part of create and delete, within one process: medians, in turns.\n")
	p.row(true, "", "µs", "what is in it")
	for _, w := range r.cgroups {
		p.row(false, w.what, fmt.Sprint(w.took.Microseconds()), w.note)
	}
}

func (r *report) breakdownTable(p *page) {
	if len(r.rows) == 0 {
		return
	}
	p.heading("Where one create goes")
	p.say("Medians of wall time, from outside: each line is a command of its own, in turns with the others; nothing traces the runtime.\n")
	p.row(true, "command", "ms", "what is in it")
	took := map[string]time.Duration{}
	for _, w := range r.rows {
		took[w.what] = w.took
		p.row(false, w.what, ms(w.took), w.note)
	}
	all, floor, static := took["create"], took["the floor's create"], took["static C program"]
	if floor == 0 {
		return
	}
	own := took["plan"]
	ownName := "start-up, reading and compiling (`plan`, less a static program's start)"
	if own == 0 {
		own, ownName = took["Go hello world"], "start-up (a Go hello world's, less a static program's start)"
	}
	p.say("\nSo of one create:\n")
	p.row(true, "phase", "ms", "share")
	share := func(what string, d time.Duration) {
		p.row(false, what, ms(d), decimals(100*ratio(d, all), 0)+" %")
	}
	share("fork, execve, exit and wait of a static program", static)
	share("the kernel's part (the floor's create, less that)", floor-static)
	share(ownName, own-static)
	share("rest: state directory, image, syncs, what the stage does beyond the floor", all-floor-(own-static))
	if len(r.phases) == 0 {
		return
	}
	p.say("\nThe kernel's part by the floor's own clock; parent and child overlap.\n")
	p.row(true, "phase", "µs")
	for _, w := range r.phases {
		p.row(false, w.what, fmt.Sprint(w.took.Microseconds()))
	}
}

func (r *report) crowdTable(p *page) {
	if len(r.crowdRows) == 0 {
		return
	}
	p.heading("Many at once")
	p.say("%d containers created, then deleted in the same order, %d times: medians of the first and of the last %d, milliseconds.\n", r.o.crowd, crowds, edge)
	p.row(true, "", "create, first", "last", "delete, first", "last")
	for _, c := range r.crowdRows {
		p.row(false, c.name, ms(c.firstC), ms(c.lastC), ms(c.firstD), ms(c.lastD))
	}
}

// crossCheck tells how far the two clocks of CPU time agree: the cgroup's
// includes what exiting processes use after their last account.
func (r *report) crossCheck(p *page) {
	var parts []string
	for _, c := range r.all {
		t := r.took(cycleTitle).of(c.name)
		if all := t[cpuacct].sum(); all > 0 {
			parts = append(parts, c.name+" "+decimals(ratio(all, t[cpu].sum()), 2))
		}
	}
	if len(parts) > 0 {
		p.say("\nCPU time by the cgroup's account (cpuacct), of that by the processes' own: %s.", strings.Join(parts, ", "))
	}
}
