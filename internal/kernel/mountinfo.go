package kernel

import (
	"strconv"
	"strings"
)

// Unescape undoes the octal escapes of a path in /proc/PID/mountinfo (proc(5)):
// a blank is \040 there.
func Unescape(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	b := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		if path[i] == '\\' && i+3 < len(path) {
			if n, err := strconv.ParseUint(path[i+1:i+4], 8, 8); err == nil {
				b, i = append(b, byte(n)), i+3
				continue
			}
		}
		b = append(b, path[i])
	}
	return string(b)
}
