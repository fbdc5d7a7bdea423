// Package stage turns a plan into a process.
//
// Its law: the stage knows nothing of containers. It is a static ELF image of
// a few pages: an interpreter of some hundred instructions, the plan's steps,
// and the memory that they point at. It has no heap, no threads, no runtime
// and no environment; what it does is what the plan says, and nothing else.
// A step that fails with an errno that it doesn't tolerate ends the stage,
// after it has written a Report of eight bytes to the plan's descriptor.
//
// This is the only package with assembly, and with unsafe pointers.
package stage

import (
	"encoding/binary"
	"math"
	"runtime"
	"unsafe"

	"github.com/minirt/minirt/internal/plan"
)

// code gives the bounds of the interpreter's instructions.
func code() (from, to unsafe.Pointer)

// The image's layout: ELF header, three program headers, interpreter, steps
// and data in a first segment that is read and executed; cells in a second
// that is read and written, private to the process. The file is mapped twice,
// the second time beginning at the page that holds the cells.
const (
	base      = 0x400000
	cellsBase = 0x2000000 // above the largest first segment: base + headers + plan.MaxSteps*stepSize + plan.MaxBytes
	align     = 0x10000   // the largest page size of arm64
	headers   = 64 + 3*56
	maxCode   = 2048
)

// stepSize is the size of an encoded step in bytes:
//
//	 0  u16     number of the system call; 0xffff test, 0xfffe fail
//	 2  u8      bit i: argument i is loaded from the address that it names
//	 3  u8      plan.Flag
//	 4  u16     steps jumped over after success
//	 6  u16     steps jumped over after a tolerated errno
//	 8  [4]u16  tolerated errnos
//	16  u32     address that the result is stored at; 0 nowhere
//	20  u32     unused
//	24  [6]i32  arguments
const stepSize = 48

// Image writes the plan as an ELF program for this machine.
func Image(p *plan.Plan) ([]byte, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	interpreter := interpreterCode()
	if p.Arch.String() != runtime.GOARCH || interpreter == nil {
		return nil, failure("stage: no interpreter for " + p.Arch.String() + " in this program")
	}
	l := layoutOf(p, len(interpreter))
	b := make([]byte, l.size)
	l.elf(b, p)
	copy(b[headers:], interpreter)
	for i := range p.Steps {
		l.step(b[l.steps+i*stepSize:][:stepSize], p, &p.Steps[i])
	}
	copy(b[l.data:], p.Data)
	copy(b[l.big:], l.words)
	copy(b[l.cells:], p.Cells)
	for _, f := range p.Fixups() {
		at := l.data
		if f.Writable {
			at = l.cells
		}
		binary.LittleEndian.PutUint64(b[at+int(f.Offset):], l.address(f.Kind, uint64(f.Target)))
	}
	return b, nil
}

// interpreterCode gives the interpreter's instructions, nil if the linker moved their end away from them.
func interpreterCode() []byte {
	from, to := code()
	size := int(uintptr(to) - uintptr(from))
	if size <= 0 || size > maxCode {
		return nil
	}
	return unsafe.Slice((*byte)(from), size)
}

type failure string

func (f failure) Error() string { return string(f) }

// layout tells where the parts of an image stand in the file, in bytes.
type layout struct {
	steps, data, big, cells, size int
	words                         []byte // constants that don't fit an argument's 32 bits
}

func layoutOf(p *plan.Plan, code int) layout {
	l := layout{steps: round(headers+code, 16)}
	l.data = l.steps + len(p.Steps)*stepSize
	l.big = l.data + round(len(p.Data), 8)
	words := 0
	for i := range p.Steps {
		s := &p.Steps[i]
		for j := range s.Argc {
			if s.Kinds[j] == plan.Const && !fits(s.Args[j]) {
				words++
			}
		}
	}
	l.words = make([]byte, 0, 8*words)
	l.cells = l.big + 8*words
	l.size = l.cells + round(len(p.Cells), 8)
	return l
}

func round(n, to int) int { return (n + to - 1) / to * to }

// fits tells whether the interpreter's sign extension of 32 bits gives v.
func fits(v uint64) bool { return int64(v) >= math.MinInt32 && int64(v) <= math.MaxInt32 }

// address is where a place in the plan's memory lies in the stage's.
func (l *layout) address(k plan.Kind, offset uint64) uint64 {
	if k == plan.InData {
		return base + uint64(l.data) + offset
	}
	return cellsBase + uint64(l.cells%align) + offset
}

// step encodes s into b, in the form told at stepSize.
func (l *layout) step(b []byte, p *plan.Plan, s *plan.Step) {
	le := binary.LittleEndian
	le.PutUint16(b, s.Call.Number(p.Arch))
	b[3] = byte(s.Flags)
	le.PutUint16(b[4:], s.OnSuccess)
	le.PutUint16(b[6:], s.OnTolerated)
	for i, e := range s.Tolerated {
		le.PutUint16(b[8+2*i:], e)
	}
	if s.Result != plan.None {
		le.PutUint32(b[16:], uint32(l.address(plan.InCells, uint64(s.Result))))
	}
	for i := range s.Argc {
		v := s.Args[i]
		switch {
		case s.Kinds[i] == plan.Value:
			b[2] |= 1 << i
			v = l.address(plan.InCells, v)
		case s.Kinds[i] != plan.Const:
			v = l.address(s.Kinds[i], v)
		case !fits(v):
			b[2] |= 1 << i
			v = base + uint64(l.big+len(l.words))
			l.words = le.AppendUint64(l.words, s.Args[i])
		}
		le.PutUint32(b[24+4*i:], uint32(v))
	}
}

// elf writes the headers (elf(5)). The kernel ignores p_paddr: there the
// interpreter finds the first step and the descriptor for its report.
func (l *layout) elf(b []byte, p *plan.Plan) {
	const (
		execType  = 2          // ET_EXEC
		loadType  = 1          // PT_LOAD
		stackType = 0x6474e551 // PT_GNU_STACK
		r, w, x   = 4, 2, 1
	)
	le := binary.LittleEndian
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], execType)
	le.PutUint16(b[18:], [...]uint16{plan.AMD64: 62, plan.ARM64: 183}[p.Arch])
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[24:], base+headers) // the first instruction
	le.PutUint64(b[32:], 64)           // the program headers follow
	le.PutUint16(b[52:], 64)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 3)
	segment := func(i int, kind, flags uint32, offset, address, paddr, size int) {
		h := b[64+56*i:]
		le.PutUint32(h, kind)
		le.PutUint32(h[4:], flags)
		for j, v := range [...]int{offset, address, paddr, size, size} {
			le.PutUint64(h[8+8*j:], uint64(v))
		}
		le.PutUint64(h[48:], align)
	}
	cells := int(l.address(plan.InCells, 0))
	segment(0, loadType, r|x, 0, base, base+l.steps, l.cells)
	segment(1, loadType, r|w, l.cells, cells, p.Report, l.size-l.cells)
	segment(2, stackType, r|w, 0, 0, 0, 0)
}

// Report is what a failing stage writes: eight bytes.
type Report struct {
	Step  int    // the number of the step that failed
	Errno uint32 // why
}

// ReportSize is the size of a report in bytes.
const ReportSize = 8

// ParseReport reads a report; ok is false if b isn't one.
func ParseReport(b []byte) (r Report, ok bool) {
	if len(b) != ReportSize {
		return Report{}, false
	}
	offset := binary.LittleEndian.Uint32(b)
	return Report{int(offset / stepSize), binary.LittleEndian.Uint32(b[4:])}, offset%stepSize == 0
}
