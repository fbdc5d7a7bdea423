package stage

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// relayTo is the pidfd that relay sends signals to.
var relayTo uintptr

// relayCode gives the addresses of the two signal handlers and of their way back.
func relayCode() (relay, wake, restorer unsafe.Pointer)

// kept are the signals that stay with Go's runtime: those of its own faults and
// timers, those that can't be caught, and those that mean the caller alone.
const kept = 1<<unix.SIGKILL | 1<<unix.SIGSTOP | 1<<unix.SIGSEGV | 1<<unix.SIGBUS | 1<<unix.SIGFPE | 1<<unix.SIGILL |
	1<<unix.SIGTRAP | 1<<unix.SIGURG | 1<<unix.SIGPROF | 1<<unix.SIGCHLD | 1<<unix.SIGPIPE | 1<<unix.SIGWINCH | 1<<32 | 1<<33

// Relay makes this process pass on, to the process of pidfd, every signal that
// it gets from now on and that can be caught, for as long as pidfd is open; those
// in but stay as they are. A handler does so that is a single
// pidfd_send_signal(2): os/signal would cost some 40 µs for each signal, and a
// goroutine.
func Relay(pidfd int, but ...unix.Signal) {
	relayTo = uintptr(pidfd)
	stay := uint64(kept)
	for _, s := range but {
		stay |= 1 << s
	}
	handler, _, restorer := relayCode()
	for signal := uintptr(1); signal <= 64; signal++ {
		if stay&(1<<signal) == 0 {
			handle(signal, handler, restorer)
		}
	}
}

// wakeBy is the eventfd that a signal is counted on, and wakeOne what is written to it.
var (
	wakeBy  uintptr
	wakeOne uint64 = 1
)

// Wake makes this process count on an eventfd(2) each time that it gets the
// signal from now on: who polls it wakes. Before it is closed, -1 takes its place.
func Wake(signal unix.Signal, eventfd int) {
	wakeBy = uintptr(eventfd)
	_, handler, restorer := relayCode()
	handle(uintptr(signal), handler, restorer)
}

// handle installs a handler that runs outside Go (sigaction(2)).
func handle(signal uintptr, handler, restorer unsafe.Pointer) {
	action := struct { // struct kernel_sigaction
		handler  uintptr
		flags    uint64
		restorer uintptr
		mask     uint64
	}{uintptr(handler), saRestart | saOnStack | saRestorer, uintptr(restorer), 0}
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, signal, uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

// Flags of sigaction(2).
const (
	saRestorer = 0x04000000
	saOnStack  = 0x08000000
	saRestart  = 0x10000000
)
