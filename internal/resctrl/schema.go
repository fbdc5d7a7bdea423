package resctrl

import (
	"strconv"
	"strings"
)

// A line of the file schemata is "RESOURCE:DOMAIN=VALUE;DOMAIN=VALUE…". The
// kernel shows it with spaces of its own, and bit masks as hexadecimal numbers.

// has tells whether the lines of a file have all that line asks for. A domain
// that line doesn't name may have any value. step rounds a number up as the
// kernel does (for a bandwidth; 0 for none).
func has(file, line string, step uint64) bool {
	resource, want := parse(line)
	_, have := parse(lineOf(file, line))
	if resource == "" || len(want) == 0 {
		return false
	}
	mask := !strings.HasPrefix(resource, "MB")
	for _, w := range want {
		found := false
		for _, h := range have {
			found = found || h.domain == w.domain && same(h.value, w.value, mask, step)
		}
		if !found {
			return false
		}
	}
	return true
}

// same compares two values: as masks, as numbers, or else as words.
func same(have, want string, mask bool, step uint64) bool {
	base := 10
	if mask {
		base = 16
	}
	if mask {
		have, want = strings.TrimPrefix(have, "0x"), strings.TrimPrefix(want, "0x")
	}
	h, err := strconv.ParseUint(have, base, 64)
	w, err2 := strconv.ParseUint(want, base, 64)
	if err != nil || err2 != nil {
		return have == want
	}
	if !mask && step > 1 {
		w = (w + step - 1) / step * step
	}
	return h == w
}

type setting struct{ domain, value string }

func parse(line string) (resource string, settings []setting) {
	resource, rest, ok := strings.Cut(line, ":")
	if !ok {
		return "", nil
	}
	for s := range strings.SplitSeq(rest, ";") {
		domain, value, ok := strings.Cut(s, "=")
		if !ok {
			return "", nil
		}
		settings = append(settings, setting{strings.TrimSpace(domain), strings.TrimSpace(value)})
	}
	return strings.TrimSpace(resource), settings
}

// lineOf is the line of a file that is about the same resource as line.
func lineOf(file, line string) string {
	resource, _, _ := strings.Cut(line, ":")
	for l := range strings.Lines(file) {
		if r, _, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(r) == strings.TrimSpace(resource) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}

// step is the granularity of a bandwidth: the kernel rounds up to it.
func (g *Group) step(line string) uint64 {
	if !strings.HasPrefix(line, "MB") {
		return 0
	}
	root := g.Dir
	if g.closID != "/" {
		root = root[:strings.LastIndexByte(root, '/')]
	}
	b, err := read(root + "/info/MB/bandwidth_gran")
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
	return n
}
