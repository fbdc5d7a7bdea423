package early

import "unsafe"

// Two things make Go start quicker, where nobody has asked for anything else:
//
//   - one thread that runs Go code: minirt has no use for a second, and as long
//     as Go has an idle one it wakes it at each occasion;
//   - no descriptor to be had above 2 until init: Go's runtime would look for a
//     CPU limit of our own cgroup, in /proc/self/cgroup and all of
//     /proc/self/mountinfo. It takes it well if it can't open them.
//
// Measured: of the 1.29 ms that state took, 0.97 are left.
const setting = "GOMAXPROCS=1\x00"

var (
	set     bool   // setting was added
	lowered bool   // the limit is lower than it was:
	limit   rlimit // what it was
)

type rlimit struct{ cur, max uint64 }

// faster adds setting to the environment, which moves the block down by two
// words, as the stack's place is a multiple of 16, and lowers the limit.
//
//go:nosplit
func faster(b block) block {
	lower()
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
	set = true
	return moved
}

const rlimitNofile = 7

//go:nosplit
func lower() {
	if failed(syscall(sysPrlimit64, 0, rlimitNofile, 0, uintptr(unsafe.Pointer(&limit)), 0)) || limit.cur < 3 {
		return
	}
	low := rlimit{3, limit.max}
	lowered = syscall(sysPrlimit64, 0, rlimitNofile, uintptr(unsafe.Pointer(&low)), 0, 0) == 0
}

// init raises the limit again, before any other package can want a descriptor.
func init() {
	if lowered {
		syscall(sysPrlimit64, 0, rlimitNofile, uintptr(unsafe.Pointer(&limit)), 0, 0)
	}
}
