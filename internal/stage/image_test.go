package stage

import (
	"bytes"
	"debug/elf"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// largest makes a plan that takes all the room that there is.
func largest(data, cells int) *plan.Plan {
	p := newPlan()
	p.Bytes(make([]byte, data))
	p.Buffer("cells", make([]byte, cells))
	for range plan.MaxSteps - 1 {
		const big = uint64(1 << 40)
		p.Do(plan.Test, big, big, big, big, big, big)
	}
	p.Do(plan.ExitGroup, 5)
	return p
}

func smallest() *plan.Plan {
	p := newPlan()
	p.Do(plan.ExitGroup, 5)
	return p
}

func TestSegmentsKeepApartOnPagesOfEachSize(t *testing.T) {
	oneMore := newPlan()
	oneMore.Buffer("cells", make([]byte, 1<<16))
	oneMore.Do(plan.ExitGroup, 5)
	for name, p := range map[string]*plan.Plan{
		"smallest": smallest(), "a page of cells": oneMore,
		"most data": largest(plan.MaxBytes, 0), "most cells": largest(0, plan.MaxBytes),
	} {
		b := image(t, p)
		f, err := elf.NewFile(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if f.Type != elf.ET_EXEC || len(f.Progs) != 3 || f.Progs[2].Type != elf.PT_GNU_STACK || f.Progs[2].Flags&elf.PF_X != 0 {
			t.Fatalf("%s: %+v", name, f)
		}
		for page := uint64(4 << 10); page <= 64<<10; page *= 4 {
			end := uint64(0x10000)
			for _, s := range f.Progs[:2] {
				if s.Off%page != s.Vaddr%page {
					t.Errorf("%s: with pages of %d bytes, offset %#x and address %#x don't agree", name, page, s.Off, s.Vaddr)
				}
				if s.Vaddr&^(page-1) < end {
					t.Errorf("%s: with pages of %d bytes, the segment at %#x overlaps what ends at %#x", name, page, s.Vaddr, end)
				}
				if end = (s.Vaddr + s.Memsz + page - 1) &^ (page - 1); end > 1<<31 {
					t.Errorf("%s: the segment at %#x ends beyond 31 bits", name, s.Vaddr)
				}
				if s.Off+s.Filesz > uint64(len(b)) || s.Filesz != s.Memsz {
					t.Errorf("%s: segment %+v of a file of %d bytes", name, s.ProgHeader, len(b))
				}
				if s.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
					t.Errorf("%s: the segment at %#x can be written and executed", name, s.Vaddr)
				}
			}
		}
		if d := cmp.Diff(ran{Status: 5}, runImage(t, sealed(t, b))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestTheInterpreterIsSmallAndWhole(t *testing.T) {
	code := interpreterCode()
	t.Logf("the interpreter has %d bytes", len(code))
	if len(code) < 200 || len(code) > 512 {
		t.Fatalf("the interpreter has %d bytes", len(code))
	}
}

func TestAPlanThatCantBeRunIsRefused(t *testing.T) {
	for _, c := range []struct {
		want string
		make func(p *plan.Plan)
	}{
		{"holds a NUL", func(p *plan.Plan) { p.Do(plan.Chdir, "/a\x00b") }},
		{"more than 16777216 bytes", func(p *plan.Plan) { p.Bytes(make([]byte, plan.MaxBytes)); p.Register("one more") }},
		{"too many steps", func(p *plan.Plan) {
			for range plan.MaxSteps {
				p.Do(plan.Setsid)
			}
		}},
	} {
		p := newPlan()
		c.make(p)
		p.Do(plan.ExitGroup, 0)
		if _, err := Image(p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}

func TestAPlanForAnotherArchitectureIsRefused(t *testing.T) {
	p := plan.New(1-newPlan().Arch, 3)
	p.Do(plan.ExitGroup, 0)
	if _, err := Image(p); err == nil || !strings.Contains(err.Error(), "no interpreter for "+p.Arch.String()) {
		t.Fatalf("got %v", err)
	}
}

func TestABrokenStepToleratesAsItWould(t *testing.T) {
	p := newPlan()
	r := p.Register("r")
	p.Do(plan.Openat, r, "x", 0).Tolerate(unix.ENOENT)
	p.Do(plan.ExitGroup, 6)
	for _, c := range []struct {
		errno unix.Errno
		want  ran
	}{{unix.ENOENT, ran{Status: 6}}, {unix.ENOSYS, failed(0, unix.ENOSYS)}} {
		b := image(t, p)
		if err := Break(b, 0, c.errno); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, runImage(t, sealed(t, b))); d != "" {
			t.Errorf("%v: %s", c.errno, d)
		}
	}
	for _, step := range []int{-1, 1 << 20} {
		if err := Break(image(t, p), step, unix.ENOSYS); err == nil {
			t.Errorf("step %d was broken", step)
		}
	}
	if err := Break(nil, 0, unix.ENOSYS); err == nil {
		t.Error("no image was broken")
	}
}

func TestOnlyAWholeReportIsOne(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 7), make([]byte, 9), {1, 0, 0, 0, 2, 0, 0, 0}} {
		if r, ok := ParseReport(b); ok {
			t.Errorf("%v was read as %+v", b, r)
		}
	}
	got, ok := ParseReport([]byte{96, 0, 0, 0, 13, 0, 0, 0})
	if d := cmp.Diff(Report{Step: 2, Errno: 13}, got); !ok || d != "" {
		t.Error(ok, d)
	}
}
