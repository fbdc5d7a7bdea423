package early

import "unsafe"

// began is what the clocks said at the program's first instruction and where
// Go's own start ends: asked only where the command line has --timing, and 0
// otherwise. Of the time before its first instruction a program can know no more
// than what the kernel charged to it: fork's second half and execve.
var began struct{ first, goes, charged timespec }

const (
	monotonic      = 1 // CLOCK_MONOTONIC
	processCPUTime = 2 // CLOCK_PROCESS_CPUTIME_ID
)

// begin asks both clocks, if the time is wanted.
//
//go:nosplit
func begin(b block) {
	for i := int(address(b[0])); i > 1; i-- {
		if arg := b[i]; after(arg, "--timing") != nil || after(arg, "-timing") != nil {
			ask(processCPUTime, &began.charged)
			ask(monotonic, &began.first)
			return
		}
	}
}

//go:nosplit
func ask(clock uintptr, t *timespec) {
	syscall(sysClockGettime, clock, uintptr(unsafe.Pointer(t)), 0, 0, 0)
}

//go:nosplit
func (t timespec) sum() int64 { return t.seconds*1e9 + t.nanoseconds }

// Began gives, in nanoseconds: what CLOCK_MONOTONIC said at the program's first
// instruction and at the end of Go's own start, and the CPU time that had been
// charged to the process before the first. All are 0 if the command line has no
// --timing, or where a program begins with Go (race detector, cgo).
//
//go:nosplit
func Began() (first, goes, charged int64) {
	return began.first.sum(), began.goes.sum(), began.charged.sum()
}
