package bundles

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// An object is what the dynamic loader reads of an ELF file: elf(5). It is
// found by program headers alone, as ld.so finds it; debug/elf wants section
// headers, which may be stripped, and costs every verb its start.
type object struct {
	arch    arch
	program bool     // ET_EXEC or ET_DYN: something that can be run or loaded
	interp  string   // PT_INTERP, the path of its loader; "" in static programs and libraries
	needed  []string // DT_NEEDED, in order
	rpath   []string // DT_RPATH, split at colons; ld.so leaves it unread where runpath is
	runpath []string // DT_RUNPATH, split at colons
}

// arch is what must be the same in a program and its libraries.
type arch struct {
	bits    int // 32 or 64
	machine uint16
}

const (
	elfMagic = "\x7fELF"

	etExec, etDyn = 2, 3

	ptLoad, ptDynamic, ptInterp = 1, 2, 3

	dtNull, dtNeeded, dtStrtab, dtStrsz, dtRpath, dtRunpath = 0, 1, 5, 10, 15, 29

	em386, emARM, emX86_64, emAARCH64 = 3, 40, 62, 183
)

// maxTable bounds each table that a file asks to be read: 16 MiB.
const maxTable = 16 << 20

// isLibrary tells whether an object can only be loaded by others: it needs
// libraries, and no loader.
func (o *object) isLibrary() bool { return o.program && o.interp == "" && len(o.needed) > 0 }

// isAppImage tells whether an ELF file is an AppImage, of either type: a program
// with a file system behind it, which it wants to mount by FUSE
// (AppImage specification, "Type 2 image format").
func isAppImage(r io.ReaderAt) bool {
	mark := make([]byte, 3)
	_, err := r.ReadAt(mark, 8)
	return err == nil && (string(mark) == "AI\x01" || string(mark) == "AI\x02")
}

// errNotELF says that a file has no ELF magic.
var errNotELF = errors.New("not an ELF file")

// segment is a program header, of either class.
type segment struct {
	kind                 uint32
	offset, addr, length uint64
}

// readObject reads the little-endian ELF file r; minirt knows no big-endian machine.
func readObject(r io.ReaderAt) (*object, error) {
	head := make([]byte, 64)
	if n, err := r.ReadAt(head, 0); err != nil && (err != io.EOF || n < 52) {
		if err == io.EOF {
			return nil, shortObject(head[:n])
		}
		return nil, err
	}
	if !bytes.HasPrefix(head, []byte(elfMagic)) {
		return nil, errNotELF
	}
	le := binary.LittleEndian
	o := &object{arch: arch{machine: le.Uint16(head[18:])}}
	var offset uint64
	var size, count uint16
	switch {
	case head[5] != 1:
		return nil, errors.New("an ELF file of a big-endian machine")
	case head[4] == 1:
		o.arch.bits = 32
		offset, size, count = uint64(le.Uint32(head[28:])), le.Uint16(head[42:]), le.Uint16(head[44:])
	case head[4] == 2:
		o.arch.bits = 64
		offset, size, count = le.Uint64(head[32:]), le.Uint16(head[54:]), le.Uint16(head[56:])
	default:
		return nil, fmt.Errorf("ELF class %d is unknown", head[4])
	}
	kind := le.Uint16(head[16:])
	o.program = kind == etExec || kind == etDyn
	segments, err := o.segments(r, offset, size, count)
	if err != nil {
		return nil, err
	}
	return o, o.readSegments(r, segments)
}

// shortObject is the error for a file that ends within the ELF header.
func shortObject(head []byte) error {
	if bytes.HasPrefix(head, []byte(elfMagic)) {
		return errors.New("a truncated ELF file")
	}
	return errNotELF
}

func (o *object) segments(r io.ReaderAt, offset uint64, size, count uint16) ([]segment, error) {
	if least := map[int]uint16{32: 32, 64: 56}[o.arch.bits]; count > 0 && size < least {
		return nil, fmt.Errorf("ELF program headers of %d bytes", size)
	}
	table, err := readTable(r, offset, uint64(size)*uint64(count))
	if err != nil {
		return nil, fmt.Errorf("ELF program headers: %w", err)
	}
	segments := make([]segment, count)
	le := binary.LittleEndian
	for i := range segments {
		h := table[i*int(size):]
		if o.arch.bits == 64 {
			segments[i] = segment{le.Uint32(h), le.Uint64(h[8:]), le.Uint64(h[16:]), le.Uint64(h[32:])}
		} else {
			segments[i] = segment{le.Uint32(h), uint64(le.Uint32(h[4:])), uint64(le.Uint32(h[8:])), uint64(le.Uint32(h[16:]))}
		}
	}
	return segments, nil
}

func (o *object) readSegments(r io.ReaderAt, segments []segment) error {
	for _, s := range segments {
		switch s.kind {
		case ptInterp:
			path, err := readTable(r, s.offset, s.length)
			if err != nil {
				return fmt.Errorf("ELF interpreter: %w", err)
			}
			o.interp = cString(path, 0)
		case ptDynamic:
			table, err := readTable(r, s.offset, s.length)
			if err != nil {
				return fmt.Errorf("ELF dynamic section: %w", err)
			}
			if err := o.readDynamic(r, segments, o.dynamic(table)); err != nil {
				return err
			}
		}
	}
	return nil
}

// dynamic splits the dynamic section into its tags and values, up to DT_NULL.
func (o *object) dynamic(table []byte) [][2]uint64 {
	var entries [][2]uint64
	le := binary.LittleEndian
	half := o.arch.bits / 8
	for ; len(table) >= 2*half; table = table[2*half:] {
		e := [2]uint64{uint64(le.Uint32(table)), uint64(le.Uint32(table[half:]))}
		if o.arch.bits == 64 {
			e = [2]uint64{le.Uint64(table), le.Uint64(table[half:])}
		}
		if e[0] == dtNull {
			break
		}
		entries = append(entries, e)
	}
	return entries
}

func (o *object) readDynamic(r io.ReaderAt, segments []segment, entries [][2]uint64) error {
	var addr, size uint64
	for _, e := range entries {
		switch e[0] {
		case dtStrtab:
			addr = e[1]
		case dtStrsz:
			size = e[1]
		}
	}
	if size == 0 {
		return nil
	}
	offset, ok := fileOffset(segments, addr)
	if !ok {
		return errors.New("ELF string table lies in no segment")
	}
	names, err := readTable(r, offset, size)
	if err != nil {
		return fmt.Errorf("ELF string table: %w", err)
	}
	for _, e := range entries {
		switch e[0] {
		case dtNeeded:
			o.needed = append(o.needed, cString(names, e[1]))
		case dtRpath:
			o.rpath = splitPath(cString(names, e[1]))
		case dtRunpath:
			o.runpath = splitPath(cString(names, e[1]))
		}
	}
	return nil
}

// fileOffset finds where the file holds the byte that will be mapped at addr.
func fileOffset(segments []segment, addr uint64) (uint64, bool) {
	for _, s := range segments {
		if s.kind == ptLoad && addr >= s.addr && addr-s.addr < s.length {
			return s.offset + (addr - s.addr), true
		}
	}
	return 0, false
}

func readTable(r io.ReaderAt, offset, size uint64) ([]byte, error) {
	if size > maxTable || offset > math.MaxInt64 {
		return nil, fmt.Errorf("%d bytes at %d", size, offset)
	}
	table := make([]byte, size)
	n, err := r.ReadAt(table, int64(offset))
	if n == len(table) {
		return table, nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return nil, err
}

// cString gives the string at offset, which ends at a NUL or with the table.
func cString(table []byte, offset uint64) string {
	if offset >= uint64(len(table)) {
		return ""
	}
	s, _, _ := bytes.Cut(table[offset:], []byte{0})
	return string(s)
}

func splitPath(path string) []string {
	if path == "" {
		return nil
	}
	return strings.Split(path, ":")
}
