package early

import "unsafe"

// Three things make Go start and run quicker, where nobody has asked for anything
// else:
//
//   - one thread that runs Go code: minirt has no use for a second, and as long
//     as Go has an idle one it wakes it at each occasion;
//   - no descriptor to be had above 2 until init: Go's runtime would look for a
//     CPU limit of our own cgroup, in /proc/self/cgroup and all of
//     /proc/self/mountinfo. It takes it well if it can't open them;
//   - a timer slack of 2 ms for the threads that Go starts before init: its
//     monitor wants to wake every 20 µs, for goroutines that wait for a system
//     call's end, of which there are none.
//
// Measured: of the 1.29 ms that state took, 0.88 are left, and exec takes 12 % less
// CPU time for the last of the three alone.
const setting = "GOMAXPROCS=1\x00"

type rlimit struct{ cur, max uint64 }

var (
	lowered bool    // the limit is lower than it was:
	limit   rlimit  // what it was
	slack   uintptr // what the timer slack was, in ns
)

// faster adds setting to the environment, which moves the block down by two
// words, as the stack's place is a multiple of 16, and changes limit and slack.
//
//go:nosplit
func faster(b block) block {
	lower()
	loosen()
	argc := int(address(b[0]))
	end := argc + 2
	for ; b[end] != nil; end++ {
		if after(b[end], "GOMAXPROCS=") != nil {
			return b
		}
	}
	for end++; b[end] != nil; end += 2 {
	}
	moved := block(unsafe.Add(unsafe.Pointer(b), -2*int(unsafe.Sizeof(b[0]))))
	for i := range argc + 2 {
		moved[i] = b[i]
	}
	for i := argc + 2; i <= end+1; i++ { // one word further: what was there has been moved
		moved[i+1] = b[i]
	}
	moved[argc+2] = unsafe.StringData(setting)
	return moved
}

const (
	rlimitNofile  = 7
	setTimerslack = 29 // PR_SET_TIMERSLACK
	getTimerslack = 30
)

//go:nosplit
func lower() {
	if failed(syscall(sysPrlimit64, 0, rlimitNofile, 0, uintptr(unsafe.Pointer(&limit)), 0)) || limit.cur < 3 {
		return
	}
	low := rlimit{3, limit.max}
	lowered = syscall(sysPrlimit64, 0, rlimitNofile, uintptr(unsafe.Pointer(&low)), 0, 0) == 0
}

//go:nosplit
func loosen() {
	if now := syscall(sysPrctl, getTimerslack, 0, 0, 0, 0); !failed(now) && now != 0 {
		slack = now
		syscall(sysPrctl, setTimerslack, 2_000_000, 0, 0, 0)
	}
}

// init puts both back, before any other package can want a descriptor. It runs on
// the main thread, whose slack is handed down to children; package hot keeps
// main there.
func init() {
	if began.first.seconds != 0 {
		ask(monotonic, &began.goes)
	}
	if lowered {
		syscall(sysPrlimit64, 0, rlimitNofile, uintptr(unsafe.Pointer(&limit)), 0, 0)
	}
	if slack != 0 {
		syscall(sysPrctl, setTimerslack, slack, 0, 0, 0)
	}
}
