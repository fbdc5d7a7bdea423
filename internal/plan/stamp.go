package plan

import "golang.org/x/sys/unix"

// Stamps tell how a plan is to note the time.
type Stamps struct {
	Memory int  // descriptor of the memory for them, stamp i at i*StampSize; the plan maps it first of all, and closes it
	Parent int  // descriptor that the parent's words come from
	Until  int  // from this step on there are none, and the memory is given up
	Each   bool // before every step, not only where the origin changes, and around each wait for the parent
}

// A Stamp is a place where a plan notes the time. What it times are the steps
// from Step on, up to the next stamp that the plan comes by.
type Stamp struct {
	Step  int
	Waits bool // the step waits for a word of the parent's
}

// StampSize is the size in bytes of a stamp in the memory that is shared: a
// struct timespec of 64 bits (clock_gettime(2)), 0 where the plan hasn't been.
const StampSize = 16

// StampClock is the clock of stamps: of those that tell nanoseconds the one that
// a time namespace doesn't shift (time_namespaces(7)).
const StampClock = unix.CLOCK_REALTIME

// stampsAt is where the memory is mapped: above an image of the greatest size
// (package stage), and below what a constant argument can hold.
const stampsAt = 0x10000000

// StampBytes is the size of the memory that n stamps take: whole pages of any
// architecture.
func StampBytes(n int) int { return (n*StampSize + 0xffff) &^ 0xffff }

// Stamp makes a finished plan note the time; not behind a seccomp filter, which
// could refuse it. moved tells where each step, with what has been put before
// it, has gone.
func (p *Plan) Stamp(how Stamps) (stamps []Stamp, moved []int) {
	old, filtered := p.Steps, false
	p.Steps, moved = make([]Step, 0, 2*len(old)+3), make([]int, len(old)+1)
	p.At("--timing")
	p.Do(Mmap, stampsAt, 0, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED, how.Memory, 0)
	p.Do(Close, how.Memory)
	for i := range old {
		s := &old[i]
		moved[i] = len(p.Steps)
		switch {
		case filtered:
		case i == how.Until:
			p.At("--timing")
			p.Do(Munmap, stampsAt, StampBytes(len(stamps)))
		case i < how.Until && (how.Each || i == 0 || s.Origin != old[i-1].Origin || s.reads(how.Parent) != old[i-1].reads(how.Parent)):
			p.At(s.Origin)
			p.Do(ClockGettime, StampClock, stampsAt+len(stamps)*StampSize)
			stamps = append(stamps, Stamp{len(p.Steps), s.reads(how.Parent)})
		}
		filtered = filtered || s.Call == Seccomp
		p.Steps = append(p.Steps, *s)
	}
	p.Steps[0].Args[1] = uint64(StampBytes(len(stamps)))
	moved[len(old)] = len(p.Steps)
	p.stretch(moved)
	return stamps, moved
}

// stretch makes the jumps of steps that have moved lead to where they led.
func (p *Plan) stretch(moved []int) {
	if len(p.Steps) > MaxSteps {
		p.fail("too many steps")
		return
	}
	for i, next := range moved[1:] {
		s := &p.Steps[next-1]
		s.OnSuccess = uint16(moved[i+1+int(s.OnSuccess)] - next)
		s.OnTolerated = uint16(moved[i+1+int(s.OnTolerated)] - next)
	}
}

// reads tells whether a step reads from a descriptor.
func (s *Step) reads(fd int) bool {
	return s.Call == Read && s.Kinds[0] == Const && s.Args[0] == uint64(fd)
}
