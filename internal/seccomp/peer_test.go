package seccomp

import (
	"errors"
	"runtime"
	"testing"

	"github.com/minirt/minirt/internal/seccomp/seccomptest"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// A peer is a process that compiles profiles with libseccomp.
type peer struct {
	*seccomptest.Peer
	numbers map[specs.Arch]map[string]int32
}

func newPeer(t testing.TB) *peer {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("filters are made for amd64 and arm64")
	}
	p, err := seccomptest.Start(t.TempDir())
	if errors.As(err, new(*seccomptest.Absent)) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error("the program with libseccomp:", err)
		}
	})
	return &peer{p, map[specs.Arch]map[string]int32{}}
}

// A peerFilter is what libseccomp made of a profile.
type peerFilter struct {
	code    []Instruction
	unknown []string // calls that it doesn't know
	err     error
}

// compile has libseccomp compile s as runc does.
func (p *peer) compile(t testing.TB, s *specs.LinuxSeccomp, setting int) peerFilter {
	t.Helper()
	f, err := p.Compile(s, setting)
	if err != nil {
		t.Fatal(err)
	}
	code := make([]Instruction, len(f.Code))
	for i, c := range f.Code {
		code[i] = Instruction{c.Code, c.Jt, c.Jf, c.K}
	}
	return peerFilter{code, f.Unknown, f.Err}
}

// number is what libseccomp's table of an ABI has for a name.
func (p *peer) number(t testing.TB, abi specs.Arch, name string) int32 {
	t.Helper()
	number, ok := p.numbers[abi][name]
	if ok {
		return number
	}
	number, err := p.Number(abi, name)
	if err != nil {
		t.Fatal(err)
	}
	if p.numbers[abi] == nil {
		p.numbers[abi] = map[string]int32{}
	}
	p.numbers[abi][name] = number
	return number
}

// knows tells whether libseccomp, which may be older than our tables, has the
// call that we know by that number, if we do.
func (p *peer) knows(t testing.TB, abi specs.Arch, number uint32) bool {
	name := nameOf(abi, number)
	return name == "" || seccomptest.Archs[abi] == "" || p.number(t, abi, name) == int32(number)
}
