package bundles

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fake describes an ELF file for a test; it is one only as far as a loader's search reads it.
type fake struct {
	interp, rpath, runpath string
	needed                 []string
	machine                uint16 // 0: this test's own
	kind                   uint16 // 0: ET_DYN
	class32                bool
}

// native is an architecture that runs on the machine of the test.
func native() arch {
	for _, a := range []arch{{64, emX86_64}, {64, emAARCH64}} {
		if runsHere(a) {
			return a
		}
	}
	return arch{}
}

// bytes lays the file out: header, three program headers, then what they point at.
func (f fake) bytes() []byte {
	le := binary.LittleEndian
	if f.machine == 0 {
		f.machine = native().machine
	}
	if f.kind == 0 {
		f.kind = etDyn
	}
	names := []byte{0}
	name := func(s string) uint64 {
		names = append(names, s+"\x00"...)
		return uint64(len(names) - len(s) - 1)
	}
	var dynamic [][2]uint64
	for _, n := range f.needed {
		dynamic = append(dynamic, [2]uint64{dtNeeded, name(n)})
	}
	if f.rpath != "" {
		dynamic = append(dynamic, [2]uint64{dtRpath, name(f.rpath)})
	}
	if f.runpath != "" {
		dynamic = append(dynamic, [2]uint64{dtRunpath, name(f.runpath)})
	}
	const base, start = 0x400000, 512
	dynamic = append(dynamic, [2]uint64{dtStrtab, base + start}, [2]uint64{dtStrsz, uint64(len(names))}, [2]uint64{dtNull, 0})
	var table []byte
	for _, d := range dynamic {
		for _, v := range d {
			if f.class32 {
				table = le.AppendUint32(table, uint32(v))
			} else {
				table = le.AppendUint64(table, v)
			}
		}
	}
	interp := append([]byte(f.interp), 0)
	atTable := uint64(start + len(names))
	atInterp := atTable + uint64(len(table))
	segments := []segment{
		{ptLoad, 0, base, atInterp + uint64(len(interp))},
		{ptDynamic, atTable, base + atTable, uint64(len(table))},
	}
	if f.interp != "" {
		segments = append(segments, segment{ptInterp, atInterp, base + atInterp, uint64(len(interp))})
	}
	out := make([]byte, start)
	copy(out, elfMagic)
	out[4], out[5], out[6] = 2, 1, 1
	le.PutUint16(out[16:], f.kind)
	le.PutUint16(out[18:], f.machine)
	le.PutUint32(out[20:], 1)
	if f.class32 {
		out[4] = 1
		le.PutUint32(out[28:], 52)
		le.PutUint16(out[40:], 52)
		le.PutUint16(out[42:], 32)
		le.PutUint16(out[44:], uint16(len(segments)))
	} else {
		le.PutUint64(out[32:], 64)
		le.PutUint16(out[52:], 64)
		le.PutUint16(out[54:], 56)
		le.PutUint16(out[56:], uint16(len(segments)))
	}
	for i, s := range segments {
		if f.class32 {
			h := out[52+32*i:]
			for j, v := range []uint32{s.kind, uint32(s.offset), uint32(s.addr), 0, uint32(s.length), uint32(s.length)} {
				le.PutUint32(h[4*j:], v)
			}
		} else {
			h := out[64+56*i:]
			le.PutUint32(h, s.kind)
			le.PutUint64(h[8:], s.offset)
			le.PutUint64(h[16:], s.addr)
			le.PutUint64(h[32:], s.length)
			le.PutUint64(h[40:], s.length)
		}
	}
	return append(append(append(out, names...), table...), interp...)
}

func TestObjectIsReadInBothClasses(t *testing.T) {
	t.Parallel()
	for _, class32 := range []bool{false, true} {
		f := fake{interp: "/lib/ld.so", rpath: "/a:/b", runpath: "$ORIGIN", needed: []string{"libx.so", "liby.so"}, machine: em386, class32: class32}
		want := &object{arch: arch{64, em386}, program: true, interp: f.interp, needed: f.needed, rpath: []string{"/a", "/b"}, runpath: []string{"$ORIGIN"}}
		if class32 {
			want.arch.bits = 32
		}
		got, err := readObject(bytes.NewReader(f.bytes()))
		check(t, err)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(object{}, arch{})); diff != "" {
			t.Errorf("32 bits %v (-want +got):\n%s", class32, diff)
		}
	}
}

// TestObjectsAreReadAsDebugElfReadsThem takes this machine's own libraries and programs.
func TestObjectsAreReadAsDebugElfReadsThem(t *testing.T) {
	t.Parallel()
	count := 0
	for _, dir := range []string{"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64"} {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || count >= 1500 {
				return nil
			}
			f, err := os.Open(path)
			if err != nil {
				return nil
			}
			defer f.Close()
			want, err := elf.NewFile(f)
			if err != nil || want.Type != elf.ET_EXEC && want.Type != elf.ET_DYN || want.ByteOrder != binary.LittleEndian {
				return nil
			}
			if s := want.SectionByType(elf.SHT_DYNAMIC); s == nil || s.Type == elf.SHT_NOBITS {
				return nil // static, or the debugging half of another file
			}
			count++
			got, err := readObject(f)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			needed, _ := want.ImportedLibraries()
			rpath, _ := want.DynString(elf.DT_RPATH)
			runpath, _ := want.DynString(elf.DT_RUNPATH)
			compare := func(what string, want, got []string) {
				if w, g := strings.Join(want, ":"), strings.Join(got, ":"); w != g {
					t.Errorf("%s: %s is %q, not %q", path, what, g, w)
				}
			}
			compare("needed", needed, got.needed)
			compare("rpath", rpath, got.rpath)
			compare("runpath", runpath, got.runpath)
			if got.arch.machine != uint16(want.Machine) {
				t.Errorf("%s: machine %d, not %d", path, got.arch.machine, want.Machine)
			}
			return nil
		})
	}
	if count == 0 {
		t.Skip("no dynamic ELF file in /usr")
	}
	t.Logf("%d files", count)
}

func TestBrokenObjectsAreRefused(t *testing.T) {
	t.Parallel()
	whole := fake{interp: "/lib/ld.so", needed: []string{"libx.so"}}.bytes()
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(whole)
		copy(c[at:], b)
		return c
	}
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not an ELF file"},
		{"text", []byte("hello, this is a text of more than sixty-four bytes, for the sake of the test"), "not an ELF file"},
		{"cut in the header", whole[:20], "truncated"},
		{"cut in the program headers", whole[:100], "program headers"},
		{"cut in the tables", whole[:520], "dynamic section"},
		{"big-endian", change(5, 2), "big-endian"},
		{"an unknown class", change(4, 9), "class 9"},
		{"program headers too small", change(54, 8, 0), "of 8 bytes"},
		{"program headers far away", change(32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), "program headers"},
		{"a dynamic section too large", change(64+56+32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), "dynamic section"},
		{"strings in no segment", change(64+16, 0, 0, 0, 0, 0, 0, 0, 0x70), "no segment"},
	}
	for _, test := range tests {
		if _, err := readObject(bytes.NewReader(test.file)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func FuzzReadObject(f *testing.F) {
	f.Add(fake{interp: "/lib/ld.so", needed: []string{"libx.so"}, runpath: "$ORIGIN"}.bytes())
	f.Add(fake{needed: []string{"libx.so"}, class32: true, machine: em386}.bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		o, err := readObject(bytes.NewReader(file))
		if err == nil && o == nil {
			t.Error("neither object nor error")
		}
	})
}

func FuzzParseCache(f *testing.F) {
	f.Add(cacheOf("", map[string]string{"libx.so": "/lib/libx.so"}))
	f.Fuzz(func(t *testing.T, file []byte) {
		for name, paths := range parseCache(file) {
			if name == "" || len(paths) == 0 {
				t.Errorf("%q: %q", name, paths)
			}
		}
	})
}
