package lifecycle

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ListenFDs is how many descriptors from 3 on the caller's environment hands to
// this process for socket activation: LISTEN_FDS, if LISTEN_PID is this process
// (sd_listen_fds(3)).
func ListenFDs() int {
	pid, err := strconv.Atoi(os.Getenv("LISTEN_PID"))
	if err != nil || pid != unix.Getpid() {
		return 0
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// listen tells the program of the descriptors that are there for socket
// activation: it is the first process of its pid namespace. Their names
// (LISTEN_FDNAMES) are not passed on.
func (h *Host) listen(n int) {
	if n > 0 {
		h.Variables = append(h.Variables, "LISTEN_FDS="+strconv.Itoa(n), "LISTEN_PID=1")
	}
}

// with puts variables in the place of those of the same name.
func with(env, variables []string) []string {
	all := make([]string, 0, len(env)+len(variables))
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if !slices.ContainsFunc(variables, func(v string) bool { return strings.HasPrefix(v, name+"=") }) {
			all = append(all, e)
		}
	}
	return append(all, variables...)
}
