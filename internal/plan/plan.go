// Package plan holds the plan: the list of system calls that a container's
// first process makes before it becomes the user's program.
//
// A plan is a value. Making one touches nothing; it can be printed, compared
// with a golden file and checked without any right. A step is one system call
// whose arguments are constants, addresses of the plan's read-only data,
// values of registers, or addresses of cells. Registers and cells are eight
// byte places, and buffers, in the stage's only writable memory; they have
// names, and a step may store its result in one. A step may tolerate errnos,
// and may jump over steps that follow it, never back: so a plan always ends.
//
// The grammar of the printed form stands in docs/plan.md.
package plan

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Limits of the stage's encoding of a step.
const (
	MaxSteps    = 60000   // a jump is counted in sixteen bits
	MaxBytes    = 1 << 24 // data and cells together: addresses fit 31 bits
	MaxTolerate = 4
	MaxArgs     = 6
)

// Plan is a list of steps with the memory that they refer to.
type Plan struct {
	Arch   Arch
	Report int    // the descriptor that a failing stage writes its report to
	Steps  []Step // in order
	Data   []byte // read-only memory
	Cells  []byte // writable memory: registers and buffers, with their first contents

	fixups []Fixup
	names  []cellName
	origin string
	hows   []how // structures already in Data
	err    error
}

// Step is one system call, or one of the stage's own two: test and fail.
type Step struct {
	Call        Call
	Argc        uint8
	Flags       Flag
	Kinds       [MaxArgs]Kind
	Args        [MaxArgs]uint64
	Result      Register // where the result goes, None if nowhere
	Tolerated   [MaxTolerate]uint16
	OnSuccess   uint16 // steps jumped over after success
	OnTolerated uint16 // steps jumped over after a tolerated errno
	Origin      string // the place in config.json, or the rule, that asked for it
}

// Kind says what an argument is.
type Kind uint8

// The kinds of arguments.
const (
	Const   Kind = iota // the value itself
	InData              // the address of this offset in Data
	InCells             // the address of this offset in Cells
	Value               // what the register at this offset in Cells holds
)

// Flag changes what a step does with its result.
type Flag uint8

// The flags of a step.
const (
	ZeroFails Flag = 1 << iota // a result of 0 is a failure with EPIPE: end of file where a byte was due
	IfZero                     // jump over OnSuccess steps only if the result is 0
	KeepErrno                  // store a tolerated errno, as a positive number, as the result

	tooMany Flag = 1 << 7 // more errnos are tolerated than a step has room for
)

// Register is a named cell that holds a result; None is no register.
type Register uint32

// None is the register of a step whose result nobody needs.
const None Register = 1<<32 - 1

// Data is the place of something in the plan's read-only memory.
type Data uint32

// Cell is the place of something in the plan's writable memory.
type Cell uint32

// Fixup is a pointer inside Data or Cells, eight bytes at Offset, that becomes
// an address when the plan gets its place in memory.
type Fixup struct {
	Writable bool   // the pointer stands in Cells, else in Data
	Offset   uint32 // where the pointer stands
	Kind     Kind   // InData or InCells: what it points into
	Target   uint32 // the offset that it points to
}

type cellName struct {
	offset, size uint32
	name         string
}

type how struct {
	flags, mode, resolve uint64
	at                   Data
}

// New starts an empty plan whose failures are reported on descriptor report.
func New(arch Arch, report int) *Plan {
	return &Plan{
		Arch: arch, Report: report,
		Steps: make([]Step, 0, 320), Data: make([]byte, 0, 6144), Cells: make([]byte, 0, 256),
		names: make([]cellName, 0, 24),
	}
}

// At names the origin of the steps that follow: a path in config.json, or a rule.
func (p *Plan) At(origin string) { p.origin = origin }

// Do appends a step. An argument is an int or uint64 (a constant), a string
// (the address of its NUL-terminated bytes), a Data or Cell (its address), a
// Register (its value), or nil (0).
func (p *Plan) Do(c Call, args ...any) *Step {
	if len(args) > MaxArgs || len(p.Steps) >= MaxSteps {
		p.fail("too many steps, or too many arguments of " + c.Name())
		args = args[:min(len(args), MaxArgs)]
	}
	p.Steps = append(p.Steps, Step{Call: c, Argc: uint8(len(args)), Result: None, Origin: p.origin})
	s := &p.Steps[len(p.Steps)-1]
	for i, a := range args {
		s.Kinds[i], s.Args[i] = p.argument(a)
	}
	return s
}

func (p *Plan) argument(a any) (Kind, uint64) {
	switch a := a.(type) {
	case nil:
		return Const, 0
	case int:
		return Const, uint64(a)
	case uint64:
		return Const, a
	case string:
		return InData, uint64(p.String(a))
	case Data:
		return InData, uint64(a)
	case Cell:
		return InCells, uint64(a)
	case Register:
		return Value, uint64(a)
	}
	p.fail("an argument is of a type that no step takes")
	return Const, 0
}

// Fail appends a step that always fails with errno: where a run of steps ends
// that others have jumped out of.
func (p *Plan) Fail(errno unix.Errno) *Step { return p.Do(Fail, int(errno)) }

// To stores the step's result in r.
func (s *Step) To(r Register) *Step { s.Result = r; return s }

// Set adds flags.
func (s *Step) Set(f Flag) *Step { s.Flags |= f; return s }

// Tolerate names the errnos after which the plan goes on. More than
// MaxTolerate of them make a plan that can't be run.
func (s *Step) Tolerate(errnos ...unix.Errno) *Step {
	for i := range s.Tolerated {
		if len(errnos) == 0 {
			return s
		}
		if s.Tolerated[i] == 0 {
			s.Tolerated[i], errnos = uint16(errnos[0]), errnos[1:]
		}
	}
	if len(errnos) > 0 {
		s.Flags |= tooMany
	}
	return s
}

// Last is the number of the step that was appended last, for the Jump methods.
func (p *Plan) Last() int { return len(p.Steps) - 1 }

// JumpOnSuccess makes step jump over all steps between it and the next to be appended.
func (p *Plan) JumpOnSuccess(step int) { p.Steps[step].OnSuccess = p.distance(step) }

// JumpOnTolerated does the same for a tolerated errno.
func (p *Plan) JumpOnTolerated(step int) { p.Steps[step].OnTolerated = p.distance(step) }

func (p *Plan) distance(step int) uint16 {
	d := len(p.Steps) - 1 - step
	if d > MaxSteps {
		p.fail("a jump is too long")
	}
	return uint16(d)
}

// Fixups are the pointers inside Data and Cells.
func (p *Plan) Fixups() []Fixup { return p.fixups }

// Err is the first thing that made this plan one that can't be run: a string
// with a NUL, or more than the limits allow. Check tells more.
func (p *Plan) Err() error { return p.err }

func (p *Plan) fail(text string) {
	if p.err == nil {
		if p.origin != "" {
			text = p.origin + ": " + text
		}
		p.err = errors.New(text)
	}
}
