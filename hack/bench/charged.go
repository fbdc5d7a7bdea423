package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// charge is what an exec charges to the container's cgroup, in KiB.
type charge struct {
	name string
	kib  float64
	err  error
}

const (
	chargeExecs = 20
	// The kernel adds its counters up every two seconds (mm/memcontrol.c, FLUSH_TIME).
	flush = 2500 * time.Millisecond
)

// charged counts the pages that the kernel has charged to each contender's
// container in some execs of a static true (memory.stat, pgpgin), and gives the
// mean. It is a count of pages, whenever they were given back. The peak of
// usage would be no measure: the kernel charges it in batches of 64 pages.
func (h *host) charged(rows []*contender) []charge {
	all := make([]charge, len(rows))
	pages := make([]int, len(rows))
	for i, c := range rows {
		defer h.release(c)
		all[i].name = c.name
		if all[i].err = h.hold(c); all[i].err == nil {
			_, all[i].err = h.exec(c) // what comes once isn't counted
		}
	}
	count := func(do func(i int, pages int)) {
		time.Sleep(flush)
		for i, c := range rows {
			if all[i].err == nil {
				var n int
				n, all[i].err = h.pagesCharged(c.group)
				do(i, n)
			}
		}
	}
	count(func(i, n int) { pages[i] = n })
	for range chargeExecs {
		for i, c := range rows {
			if all[i].err == nil {
				_, all[i].err = h.exec(c)
			}
		}
	}
	count(func(i, n int) { all[i].kib = float64(n-pages[i]) * float64(os.Getpagesize()) / kib / chargeExecs })
	return all
}

// pagesCharged are those charged to a cgroup of version 1 since it was made.
func (h *host) pagesCharged(group string) (n int, err error) {
	text, err := h.value(group, "memory", "memory.stat")
	if err != nil {
		return 0, err
	}
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		if _, err := fmt.Sscanf(s.Text(), "pgpgin %d", &n); err == nil {
			return n, nil
		}
	}
	return 0, errors.New("no pgpgin in memory.stat")
}
