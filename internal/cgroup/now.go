package cgroup

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// FileOf is the path of a write's file in the group; "" where it has none.
func (g *Group) FileOf(w *Write) string {
	d := g.dir(w.Controller)
	if w.V2 {
		d = g.v2()
	}
	if d == nil || w.File == "" {
		return ""
	}
	return d.Path + "/" + w.File
}

// Now takes out of the text of a write's file what it says of the write, and
// tells whether that is what the write has asked for: in the kernel's own words,
// with its rounding to pages, and of a file with a line for each device, in the
// device's line.
func (w *Write) Now(text string) (value string, same bool) {
	text = strings.TrimSuffix(text, "\n")
	if key, want, ok := strings.Cut(w.Value, " "); ok && w.File != "cpu.max" && w.File != "cpuset.cpus" && w.File != "cpuset.mems" {
		return lineNow(text, key, want)
	}
	switch {
	case w.File == "memory.oom_control":
		first, _, _ := strings.Cut(text, "\n")
		value = strings.TrimPrefix(first, "oom_kill_disable ")
		return value, value == w.Value
	case w.File == "cpu.max":
		now, want := strings.Fields(text), strings.Fields(w.Value)
		return text, len(now) >= len(want) && slices.Equal(now[:len(want)], want)
	case w.File == "cpuset.cpus" || w.File == "cpuset.mems":
		return text, sameList(text, w.Value)
	case w.File == "cpu.shares":
		return text, text == natural(min(max(naturalOf(w.Value), 2), 1<<18)) // the kernel's own bounds
	case strings.HasPrefix(text, "default "): // io.weight, io.bfq.weight
		return lineNow(text, "default", w.Value)
	}
	return text, text == w.Value || w.rounded(text)
}

// lineNow finds the line of a key, and in it the members NAME=VALUE that are
// wanted, or else the one value. Without a line nothing is limited.
func lineNow(text, key, want string) (value string, same bool) {
	for line := range strings.SplitSeq(text, "\n") {
		rest, ok := strings.CutPrefix(line, key+" ")
		if !ok {
			continue
		}
		now := strings.Fields(rest)
		for w := range strings.FieldsSeq(want) {
			if !slices.Contains(now, w) {
				return line, false
			}
		}
		return line, true
	}
	_, number, members := strings.Cut(want, "=")
	return "", want == "0" || members && (number == "max" || number == "0")
}

// rounded tells whether bytes are what the kernel makes of those that are
// wanted: whole pages, or whole huge pages, and its greatest number for no limit.
func (w *Write) rounded(text string) bool {
	now, err := strconv.ParseUint(text, 10, 64)
	if err != nil || w.Controller != "memory" && w.Controller != "hugetlb" {
		return false
	}
	const unlimited = 1 << 62 // PAGE_COUNTER_MAX lies above, whatever the size of pages
	if w.Value == "-1" {
		return now >= unlimited
	}
	want, err := strconv.ParseUint(w.Value, 10, 64)
	if err != nil {
		return false
	}
	page := uint64(unix.Getpagesize())
	if w.Controller == "hugetlb" {
		page = hugePage(w.File)
	}
	return now <= want && want-now < page || now >= unlimited && want >= unlimited
}

// hugePage is the size that the name of a file has in it: hugetlb.2MB.max.
func hugePage(file string) uint64 {
	size, _, _ := strings.Cut(strings.TrimPrefix(file, "hugetlb."), ".")
	for i, unit := range [...]string{"KB", "MB", "GB"} {
		if n, ok := strings.CutSuffix(size, unit); ok {
			return naturalOf(n) << (10 * (i + 1))
		}
	}
	return 1
}

// sameList tells whether two lists of CPUs or nodes have the same members.
func sameList(a, b string) bool {
	numbers := func(list string) map[int]bool {
		m := make(map[int]bool)
		kernel.List(strings.ReplaceAll(list, " ", ""), func(n int) { m[n] = true })
		return m
	}
	return maps.Equal(numbers(a), numbers(b))
}

func naturalOf(s string) uint64 {
	n, _ := strconv.ParseUint(s, 10, 64)
	return n
}
