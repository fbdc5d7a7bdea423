package lifecycle

import (
	"encoding/binary"
	"time"

	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// Timing tells where the time of one Create, Run or Exec has gone: give it an
// empty one in its options, and read it when the verb has returned, with an error
// or without. minirt's own phases follow one another without a gap. Those of the
// stage, which runs beside them, come of stamps that its plan makes on its way
// into memory that both share.
type Timing struct {
	EachStep bool // the stage notes the time before each of its steps, not only of each chapter

	Phases  []Phase       // minirt's own, in order, and behind them the stage's
	Charged time.Duration // CPU time that the kernel had charged to minirt before the first phase: for fork and execve
	Begun   int64         // when the first phase began: CLOCK_MONOTONIC, in ns
	PID     int           // of minirt; its stage's is Stage
	Stage   int           // the last process that ran the stage's plan; 0 where there was none

	born   int64 // when the stage was started
	done   int64 // when its plan was known to have ended
	memory int   // of its stamps; 0 where there is none
	plan   *Compiled
}

// A Phase is one of the things that a verb's time goes to.
type Phase struct {
	Name  string
	Depth int           // 0; of the stage's: 1 is a place in config.json within a chapter, 2 a system call within that
	Stage bool          // the stage's, not minirt's own
	Start time.Duration // since the first phase began
	Took  time.Duration
	Call  string // of depth 2: the step as a plan is printed
}

// now is the clock of Timing.
func now() int64 { return clock(unix.CLOCK_MONOTONIC) }

func clock(which int32) int64 {
	var t unix.Timespec
	unix.ClockGettime(which, &t)
	return t.Nano()
}

// BeginAt ends the phase that goes on and begins another, at an instant of
// CLOCK_MONOTONIC, in nanoseconds.
func (t *Timing) BeginAt(name string, at int64) {
	if t == nil {
		return
	}
	n := len(t.Phases)
	if n > 0 && t.Phases[n-1].Name == name {
		return // it goes on
	}
	if n == 0 {
		t.Begun = at
	}
	t.closeAt(at)
	t.Phases = append(t.Phases, Phase{Name: name, Start: time.Duration(at - t.Begun)})
}

// Begin is BeginAt now.
func (t *Timing) Begin(name string) {
	if t != nil {
		t.BeginAt(name, now())
	}
}

func (t *Timing) closeAt(at int64) {
	if n := len(t.Phases); n > 0 {
		p := &t.Phases[n-1]
		p.Took = time.Duration(at-t.Begun) - p.Start
	}
}

func (c *creation) phase(name string) { c.options.Timing.Begin(name) }

func (e *entrance) phase(name string) { e.options.Timing.Begin(name) }

// end ends the last phase, and reads what the stage has noted.
func (t *Timing) end() {
	if t == nil {
		return
	}
	t.closeAt(now())
	if t.stageEnded(); t.memory > 0 {
		t.readStamps()
		unix.Close(t.memory)
		t.memory = 0
	}
	t.PID = unix.Getpid()
}

// share makes the memory of the stamps of a plan, one of the stage's descriptors.
func (t *Timing) share(c *Compiled, files []uintptr, number int) error {
	if t == nil || number == 0 {
		return nil
	}
	if t.memory > 0 { // of a stage that had to be started anew
		unix.Close(t.memory)
	}
	fd, err := unix.MemfdCreate("minirt-timing", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return because("memory for --timing", err)
	}
	t.memory, t.plan, t.done = fd, c, 0
	if err := unix.Ftruncate(fd, int64(plan.StampBytes(len(c.Stamps)))); err != nil {
		return because("memory for --timing", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW); err != nil {
		return because("memory for --timing", err)
	}
	files[number] = uintptr(fd)
	return nil
}

// stageBorn and stageEnded note between what instants the stage's stamps lie.
func (t *Timing) stageBorn() {
	if t != nil {
		t.born = now()
	}
}

func (t *Timing) stageEnded() {
	if t != nil && t.done == 0 {
		t.done = now()
	}
}

// bears notes whose the stage's phases are.
func (t *Timing) bears(pid int) {
	if t != nil {
		t.Stage = pid
	}
}

// A span is the time of a run of the stage's steps.
type span struct {
	plan.Stamp
	from, to int64 // CLOCK_MONOTONIC, in ns
}

// readStamps makes phases of the stamps. Others than the stage may have had a
// hand on its memory (exec): what they say is put between its birth and its end.
func (t *Timing) readStamps() {
	b := make([]byte, len(t.plan.Stamps)*plan.StampSize)
	if n, err := unix.Pread(t.memory, b, 0); err != nil || n < len(b) {
		return
	}
	shift := clock(plan.StampClock) - now()
	last := t.born
	var spans []span
	for i, s := range t.plan.Stamps {
		sec, nsec := binary.LittleEndian.Uint64(b[i*plan.StampSize:]), binary.LittleEndian.Uint64(b[i*plan.StampSize+8:])
		if sec == 0 { // the plan hasn't been here
			continue
		}
		last = min(max(int64(sec)*1e9+int64(nsec)-shift, last), max(t.done, last))
		if n := len(spans); n > 0 {
			spans[n-1].to = last
		}
		spans = append(spans, span{s, last, max(t.done, last)})
	}
	t.chapters(spans)
}

// chapters adds the phases of the stage: spans next to each other become one
// chapter, within it one place, and within that, if each step was noted, one call.
func (t *Timing) chapters(spans []span) {
	var open [2]int // the phases of depth 0 and 1 that go on
	for i, s := range spans {
		step := &t.plan.Steps[s.Step]
		for depth, name := range [...]string{s.named(t.plan.chaptersFrom(s.Stamp)), s.named(step.Origin)} {
			if i > 0 && t.Phases[open[depth]].Name == name && open[depth] >= open[0] {
				t.Phases[open[depth]].Took += time.Duration(s.to - s.from)
				continue
			}
			open[depth] = len(t.Phases)
			t.addStage(depth, name, s)
		}
		if t.EachStep {
			t.addStage(2, step.Call.Name(), s)
			t.Phases[len(t.Phases)-1].Call = t.plan.Line(s.Step)
		}
	}
}

func (t *Timing) addStage(depth int, name string, s span) {
	t.Phases = append(t.Phases, Phase{Name: name, Depth: depth, Stage: true, Start: time.Duration(s.from - t.Begun), Took: time.Duration(s.to - s.from)})
}

func (s *span) named(origin string) string {
	if s.Waits {
		return origin + " (waits)"
	}
	return origin
}
