package kernel

import (
	"strconv"
	"strings"
)

// signals are the names of signal(7) without their prefix, each at its number
// on amd64 and arm64. Number 0 probes for the process and has no name.
var signals = [...]string{
	"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
	"STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
}

// The real-time signals as programs see them: the C library keeps 32 and 33 for itself.
const (
	SigRTMin = 34
	SigRTMax = 64
)

// Signal reads a signal as a person or an engine writes it: a number from 0 to
// 64, or a name with or without SIG, in any case, RTMIN+n and RTMAX-n too.
func Signal(s string) (number int, ok bool) {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil {
		return int(n), n <= SigRTMax
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	for i, n := range signals {
		if n == name && n != "" {
			return i, true
		}
	}
	switch name {
	case "IOT":
		return 6, true
	case "CLD":
		return 17, true
	case "POLL":
		return 29, true
	case "UNUSED":
		return 31, true
	}
	return realTime(name)
}

// realTime reads RTMIN, RTMIN+n, RTMAX and RTMAX-n.
func realTime(name string) (number int, ok bool) {
	base, offset := SigRTMin, strings.TrimPrefix(name, "RTMIN")
	if offset == name {
		base, offset = SigRTMax, strings.TrimPrefix(name, "RTMAX")
	}
	switch {
	case offset == name:
		return 0, false
	case offset == "":
		return base, true
	case (base == SigRTMin) != (offset[0] == '+') || (base == SigRTMax) != (offset[0] == '-'):
		return 0, false
	}
	n, err := strconv.Atoi(offset)
	if err != nil || base+n < SigRTMin || base+n > SigRTMax {
		return 0, false
	}
	return base + n, true
}

// SignalName gives a signal's name with its prefix ("SIGTERM", "SIGRTMIN+1"), or its number where it has none.
func SignalName(number int) string {
	switch {
	case number > 0 && number < len(signals):
		return "SIG" + signals[number]
	case number == SigRTMin:
		return "SIGRTMIN"
	case number > SigRTMin && number <= SigRTMax:
		return "SIGRTMIN+" + strconv.Itoa(number-SigRTMin)
	}
	return strconv.Itoa(number)
}
