package kernel

import (
	"strconv"
	"strings"
)

// maxListed bounds a list of CPUs or nodes: more than any kernel is built for.
const maxListed = 1 << 16

// List calls each for every number in a list of CPUs or memory nodes as the
// kernel writes it ("0-3,5", cpuset(7)), and tells whether it is one. An empty
// list is none.
func List(list string, each func(n int)) bool {
	for _, part := range strings.Split(strings.TrimSpace(list), ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.ParseUint(low, 10, 32)
		to, err2 := strconv.ParseUint(high, 10, 32)
		if err1 != nil || err2 != nil || from > to || to >= maxListed {
			return false
		}
		for n := from; n <= to; n++ {
			each(int(n))
		}
	}
	return true
}
