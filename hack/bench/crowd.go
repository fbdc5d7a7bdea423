package main

import (
	"strconv"
	"time"
)

// crowd creates n containers, one after the other, and deletes them again in
// the same order; the times are of create and of delete --force.
func (h *host) crowd(c *contender, n int) (created, deleted series, err error) {
	defer c.configure(0) // when the group is the old one again
	id := func(i int) string { return "bench-crowd-" + strconv.Itoa(i) }
	group := c.group
	defer func() { c.group = group }()
	at := func(i int) { c.group = group + "-" + strconv.Itoa(i) }
	made := 0
	for ; made < n; made++ {
		at(made)
		if err = c.configure(0); err != nil {
			break
		}
		var d time.Duration
		if d, err = h.spawn(c.command("create", id(made))); err != nil {
			break
		}
		created = append(created, d)
	}
	for i := range made {
		at(i)
		var e error
		var d time.Duration
		if c.floor() {
			h.spawn(c.command("start", id(i)))
			for len(h.members(c.group)) > 0 {
				time.Sleep(time.Millisecond)
				reapDead()
			}
			d, e = h.spawn(c.command("delete", id(i)))
		} else {
			d, e = h.spawn(c.command("delete", id(i), "--force"))
			reapDead()
		}
		if e != nil && err == nil {
			err = e
		}
		deleted = append(deleted, d)
	}
	return created, deleted, err
}
