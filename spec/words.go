package spec

import (
	"slices"
	"strconv"
	"strings"
)

// quote words a string of the config; a long one is cut.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(s[:most]) + "…"
	}
	return strconv.Quote(s)
}

// isAbsolute tells whether a path begins at the root.
func isAbsolute(p string) bool { return p != "" && p[0] == '/' }

// absolute is the rule that a path must begin at the root.
func (c *checker) absolute(at path, p string) {
	if !isAbsolute(p) {
		c.fault(at, quote(p)+" is not absolute")
	}
}

// oneOf is the rule that a word must be in a list. what says what the words are.
func (c *checker) oneOf(at path, what, word string, list []string) bool {
	if slices.Contains(list, word) {
		return true
	}
	c.unknown(at, what, word, list)
	return false
}

// unknown is the fault of a word that is not in a list: it says what was
// probably meant, or what is allowed.
func (c *checker) unknown(at path, what, word string, list []string) {
	if c.full() {
		return
	}
	text := "unknown " + what + " " + quote(word)
	if n := near(word, list); n != "" {
		c.fault(at, text+", did you mean "+quote(n))
	} else {
		c.fault(at, text+", want one of "+strings.Join(list, ", "))
	}
}

// near gives the word of a list that was probably meant by another, or "".
func near(word string, list []string) string {
	const most = 64 // longer than any word of the spec
	if word == "" || len(word) > most {
		return ""
	}
	lower := strings.ToLower(word)
	best, least := "", 1+min(2, max(1, len(word)/3), len(word)-1)
	for _, l := range list {
		other := strings.ToLower(l)
		n := distance(lower, other)
		if strings.HasSuffix(other, "_"+lower) || len(word) >= 3 && strings.HasPrefix(other, lower) {
			n = min(n, 1)
		}
		if n < least {
			best, least = l, n
		}
	}
	return best
}

// distance is the number of letters to change, add or take away that make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0] // the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			n := left
			if a[i] != b[j] {
				n = 1 + min(left, row[j], row[j+1])
			}
			left, row[j+1] = row[j+1], n
		}
	}
	return row[len(b)]
}

// between is the rule that a number must be in a range.
func (c *checker) between(at path, n, least, most int64) {
	if n < least || n > most {
		c.fault(at, strconv.FormatInt(n, 10)+" is out of range, want "+
			strconv.FormatInt(least, 10)+" to "+strconv.FormatInt(most, 10))
	}
}

// numbers is the rule that a text must be a list of numbers and ranges, such as
// 0-3,7, as CPUs and memory nodes are listed (cpuset(7)). An empty one is none.
func (c *checker) numbers(at path, list string) {
	if list != "" && !isNumberList(list) {
		c.fault(at, quote(list)+` is not a list of numbers and ranges, such as "0-3,7"`)
	}
}

func isNumberList(list string) bool {
	for item := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(item, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(strings.Trim(first, " "), 10, 16)
		b, errB := strconv.ParseUint(strings.Trim(last, " "), 10, 16)
		if errA != nil || errB != nil || a > b {
			return false
		}
	}
	return true
}
