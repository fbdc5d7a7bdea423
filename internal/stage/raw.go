package stage

import (
	"encoding/binary"
	"strconv"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// Raw gives the number and the six arguments of a step as the kernel sees them
// (strace -e raw=all), if its registers hold what registers tells. The test
// and fail steps have numbers of their own, and the kernel never sees them.
func Raw(p *plan.Plan, step int, registers func(plan.Register) uint64) (number uint16, args []uint64) {
	l := layoutOf(p, len(interpreterCode()))
	s := &p.Steps[step]
	args = make([]uint64, plan.MaxArgs)
	for i := range s.Argc {
		switch s.Kinds[i] {
		case plan.Const:
			args[i] = s.Args[i]
		case plan.Value:
			args[i] = registers(plan.Register(s.Args[i]))
		default:
			args[i] = l.address(s.Kinds[i], s.Args[i])
		}
	}
	return s.Call.Number(p.Arch), args
}

// Break changes a step of an image: in place of its system call, errno is the
// result, which the step tolerates or not as it would have tolerated the
// kernel's. For tests that let every step fail in turn.
func Break(image []byte, step int, errno unix.Errno) error {
	le := binary.LittleEndian
	if len(image) < headers || step < 0 {
		return failure("stage: not an image")
	}
	at := int(le.Uint64(image[0x58:])-base) + step*stepSize
	if at < headers || at+stepSize > len(image) {
		return failure("stage: the image has no step " + strconv.Itoa(step))
	}
	b := image[at:]
	le.PutUint16(b, plan.Test.Number(plan.AMD64))
	b[2] &^= 3 // the argument is a constant, and there is no second
	le.PutUint32(b[24:], uint32(-int32(errno)))
	le.PutUint32(b[28:], 0)
	return nil
}
