package plan

import (
	"encoding/binary"
	"strconv"
)

// Register makes a named register.
func (p *Plan) Register(name string) Register { return Register(p.Buffer(name, make([]byte, 8))) }

// Buffer makes named writable memory with its first contents, at a multiple of eight bytes.
func (p *Plan) Buffer(name string, contents []byte) Cell {
	at := len(p.Cells)
	p.Cells = append(p.Cells, contents...)
	p.Cells = pad(p.Cells)
	p.names = append(p.names, cellName{uint32(at), uint32(len(contents)), name})
	p.limit()
	return Cell(at)
}

// Within gives the register that lies offset bytes inside a buffer, such as
// the descriptor in a control message; eight bytes must follow there.
func (p *Plan) Within(c Cell, offset uint32, name string) Register {
	p.inside(c, offset)
	p.names = append(p.names, cellName{uint32(c) + offset, 8, name})
	return Register(uint32(c) + offset)
}

// String puts s and a NUL into Data. A NUL inside s fails the plan: the kernel
// would silently see less than was asked for.
func (p *Plan) String(s string) Data {
	for i := range len(s) {
		if s[i] == 0 {
			p.fail("a string holds a NUL: " + strconv.Quote(s))
		}
	}
	at := len(p.Data)
	p.Data = append(append(p.Data, s...), 0)
	p.limit()
	return Data(at)
}

// Bytes puts b into Data, at a multiple of eight bytes.
func (p *Plan) Bytes(b []byte) Data {
	p.Data = pad(p.Data)
	at := len(p.Data)
	p.Data = append(p.Data, b...)
	p.limit()
	return Data(at)
}

// Words puts eight byte words into Data.
func (p *Plan) Words(words ...uint64) Data {
	p.Data = pad(p.Data)
	at := len(p.Data)
	for _, w := range words {
		p.Data = binary.LittleEndian.AppendUint64(p.Data, w)
	}
	p.limit()
	return Data(at)
}

// How puts a struct open_how (openat2(2)) into Data; its size is HowSize.
func (p *Plan) How(flags, mode, resolve int) Data {
	h := how{flags: uint64(flags), mode: uint64(mode), resolve: uint64(resolve)}
	for _, old := range p.hows {
		if h.flags == old.flags && h.mode == old.mode && h.resolve == old.resolve {
			return old.at
		}
	}
	h.at = p.Words(h.flags, h.mode, h.resolve)
	p.hows = append(p.hows, h)
	return h.at
}

// HowSize is the size of a struct open_how in bytes (Linux 5.6).
const HowSize = 24

// Strings puts a vector of strings, ended by a null pointer, into Data: argv or envp.
func (p *Plan) Strings(list []string) Data {
	offsets := make([]Data, len(list))
	for i, s := range list {
		offsets[i] = p.String(s)
	}
	p.Data = pad(p.Data)
	at := len(p.Data)
	for _, o := range offsets {
		p.fixups = append(p.fixups, Fixup{Offset: uint32(len(p.Data)), Kind: InData, Target: uint32(o)})
		p.Data = append(p.Data, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	p.Data = append(p.Data, 0, 0, 0, 0, 0, 0, 0, 0)
	p.limit()
	return Data(at)
}

// Point makes the eight bytes at offset in a buffer a pointer to target, a Data or a Cell.
func (p *Plan) Point(c Cell, offset uint32, target any) {
	kind, to := p.argument(target)
	if kind != InData && kind != InCells {
		p.fail("a pointer points to no memory")
	}
	p.inside(c, offset)
	p.fixups = append(p.fixups, Fixup{Writable: true, Offset: uint32(c) + offset, Kind: kind, Target: uint32(to)})
}

func (p *Plan) limit() {
	if len(p.Data)+len(p.Cells) > MaxBytes {
		p.fail("the plan needs more than " + strconv.Itoa(MaxBytes) + " bytes")
	}
}

func pad(b []byte) []byte {
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

// inside fails the plan if no eight bytes follow offset in what is there of the cells.
func (p *Plan) inside(c Cell, offset uint32) {
	if uint64(c)+uint64(offset)+8 > uint64(len(p.Cells)) {
		p.fail("eight bytes at offset " + strconv.Itoa(int(offset)) + " of " + p.cellName(uint32(c)) + " lie outside of it")
	}
}
