package main

import "os"

// stateBesideHello is how long `state` of one created container takes, and a
// Go hello world, in turns.
func (h *host) stateBesideHello(c *contender, hello string, rounds int) (state, hi series, err error) {
	const id = "bench-state"
	if _, err := h.spawn(c.command("create", id)); err != nil {
		return nil, nil, err
	}
	defer h.discard(c, id)
	s, err := h.medians(rounds, c.command("state", id), []string{hello})
	if err != nil {
		return nil, nil, err
	}
	return s[0], s[1], nil
}

// size is a file's, in bytes.
func size(path string) int64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return fi.Size()
}
