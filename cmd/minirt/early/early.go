// Package early begins the program before Go does. When a container is as plain
// as most are, what is left to do for start and delete is a dozen system calls,
// and Go's own start would take longer than they do: so they are made here, and
// the process is gone. For all else it makes Go start quicker (faster.go).
//
// And it is the writer of a container's log (log.go), which lives as long as the
// container: without Go it has a thirtieth of the memory, and one thread.
//
// create tells what is plain: it leaves a symbolic link, "shortcut", in the
// container's directory, whose text is all that has to be known (package
// lifecycle, shortcut.go).
//
// Its laws:
//   - Nothing of Go is there yet: no heap, no stack that grows, no g. Each
//     function is nosplit and calls none but those of this package; memory is
//     the stack and this package's variables. A test reads the source for it.
//   - It says nothing. As soon as something is not as expected, it returns, and
//     Go does the verb from its beginning, with words for all that can happen. So
//     whatever has been done here is what the verb does too, and can find done.
//   - It imports nothing, so that its init comes before all others: syscall's
//     reads the limit that faster lowers.
package early

import "unsafe"

// block is what the kernel puts on a new program's stack: argc, the arguments,
// NULL, the environment, NULL, and the auxiliary vector's pairs up to AT_NULL.
type block = *[1 << 20]text

// text is the address of a text that ends with a NUL.
type text = *byte

// thread is where compiled code of amd64 looks for g. There is none.
var thread [128]byte

// entry is the program's first instruction (early_*.s).
func entry()

// syscall makes a system call, and gives its result; above ^4095 it is an errno.
func syscall(number, a, b, c, d, e uintptr) (result uintptr)

// walk does what it can of what the command line asks for, and gives the block
// that Go is to begin with.
//
//go:nosplit
func walk(b block) block {
	begin(b)
	if address(b[0]) == 6 && is(b[2], LogVerb) {
		log.run(b[3], b[4], b[5], b[6])
	}
	var l line
	switch l.read(b) {
	case verbStart:
		l.start()
	case verbDelete:
		l.delete()
	}
	return faster(b)
}

const (
	eNOENT = ^uintptr(2 - 1)
	eSRCH  = ^uintptr(3 - 1)
	eINTR  = ^uintptr(4 - 1)
)

//go:nosplit
func failed(result uintptr) bool { return result > ^uintptr(4095) }

// exit ends the program: all is done.
//
//go:nosplit
func exit() { syscall(sysExitGroup, 0, 0, 0, 0, 0) }

//go:nosplit
func closeFD(fd uintptr) { syscall(sysClose, fd, 0, 0, 0, 0) }

// address is that of a text, or of a string that ends with a NUL.
//
//go:nosplit
func address(p text) uintptr { return uintptr(unsafe.Pointer(p)) }

//go:nosplit
func name(s string) uintptr { return address(unsafe.StringData(s)) }

// skip is the text without its first n bytes.
//
//go:nosplit
func skip(p text, n int) text { return text(unsafe.Add(unsafe.Pointer(p), n)) }

// is compares a text.
//
//go:nosplit
func is(p text, s string) bool {
	rest := after(p, s)
	return rest != nil && *rest == 0
}

// after gives what follows s in a text, nil if it doesn't begin with s.
//
//go:nosplit
func after(p text, s string) text {
	for i := range len(s) {
		if *skip(p, i) != s[i] {
			return nil
		}
	}
	return skip(p, len(s))
}
