package lifecycle

import (
	"bytes"
	"errors"
	"os"
	"sort"
	"strconv"

	"golang.org/x/sys/unix"
)

// List gives the states of all containers, in the order of their ids. A
// container that can't be read is warned of, and left out; one that comes or
// goes meanwhile is there or not.
func (r *Runtime) List() (states []State, err error) {
	defer wrap("list", "", &err)
	entries, err := os.ReadDir(r.Root)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, on("--root", r.Root, "state root "+r.Root, errors.Unwrap(err))
	}
	owners := map[uint32]string{}
	for _, e := range entries {
		if !e.IsDir() || checkID(e.Name()) != nil {
			continue
		}
		c, err := r.load(e.Name())
		if errors.Is(err, ErrNotExist) {
			continue
		}
		if err != nil {
			r.warn("list: " + e.Name() + ": " + err.Error())
			continue
		}
		s := c.state(c.status())
		s.Owner = c.owner(owners)
		c.close()
		states = append(states, *s)
	}
	sort.Slice(states, func(a, b int) bool { return states[a].ID < states[b].ID })
	return states, nil
}

// owner is the name of the user whose directory it is, or "#" and the number.
func (c *container) owner(known map[uint32]string) string {
	var st unix.Stat_t
	if unix.Fstat(c.fd, &st) != nil {
		return ""
	}
	if _, ok := known[st.Uid]; !ok {
		known[st.Uid] = userName(strconv.Itoa(int(st.Uid)))
	}
	return known[st.Uid]
}

// userName is a user's name by the host's /etc/passwd (passwd(5)), or "#" and
// the number. It is os/user's own way without cgo, less that package: its init
// would be too late for cmd/minirt/hot.
func userName(uid string) string {
	text, _ := os.ReadFile("/etc/passwd")
	for line := range bytes.Lines(text) {
		if f := bytes.Split(line, []byte{':'}); len(f) >= 6 && string(f[2]) == uid && len(f[0]) > 0 && f[0][0] != '+' && f[0][0] != '-' {
			return string(f[0])
		}
	}
	return "#" + uid
}
