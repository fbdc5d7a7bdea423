package seccomp

import (
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzCompile makes profiles of the fuzzer's bytes: words, names and numbers
// right and wrong. A filter that comes out must be one that the kernel takes,
// and must decide as the oracle does; each fault must have a place.
func FuzzCompile(f *testing.F) {
	f.Add([]byte{}, uint64(0))
	f.Add([]byte{1, 0, 2, 0, 3, 1, 0, 2, 1, 4, 5, 6, 7, 3, 1, 1}, uint64(1))
	f.Add([]byte("\x08\x00\x01\x05\x00\x01\x02\x03\x02\x00\x03\x04\x06\x01\x05\x06\x07"), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		s := (&dice{data}).profile()
		for _, goarch := range []string{"amd64", "arm64"} {
			filter, _, err := program(s, goarch)
			if err != nil {
				for _, fault := range err.(Errors) {
					if fault.Text == "" || fault.Path == "" {
						t.Errorf("%#v", fault)
					}
				}
				continue
			}
			if err := kernelTakes(filter.Instructions); err != nil {
				t.Error(err)
			}
			compareWithOracle(t, s, goarch, filter, randomCalls(rand.New(rand.NewPCG(seed, 1)), 50))
		}
	})
}

// dice gives choices from bytes, the first ones when they are used up.
type dice struct{ data []byte }

func (d *dice) below(n int) int {
	if len(d.data) == 0 {
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return int(b) % n
}

func (d *dice) profile() *specs.LinuxSeccomp {
	s := new(specs.LinuxSeccomp)
	s.DefaultAction, s.DefaultErrnoRet = d.action()
	for range d.below(4) {
		word := specs.Arch("SCMP_ARCH_VAX")
		if n := d.below(4 * len(archs)); n < len(archs) {
			word = archs[n].name
		} else if n%8 > 0 {
			word = specs.ArchX86
		}
		s.Architectures = append(s.Architectures, word)
	}
	for range d.below(5) {
		var entry specs.LinuxSyscall
		entry.Action, entry.ErrnoRet = d.action()
		for range d.below(5) {
			name := randomNames[d.below(len(randomNames))]
			if d.below(4) == 3 {
				name = callNames[(d.below(256)<<8|d.below(256))%len(callNames)]
			}
			entry.Names = append(entry.Names, name)
		}
		for range d.below(5) {
			arg := specs.LinuxSeccompArg{Index: uint(d.below(7)), Value: edges[d.below(len(edges))], ValueTwo: edges[d.below(len(edges))], Op: "SCMP_CMP_ALMOST"}
			if n := d.below(2 * len(operators)); n != len(operators) {
				arg.Op = operators[n%len(operators)]
			}
			entry.Args = append(entry.Args, arg)
		}
		s.Syscalls = append(s.Syscalls, entry)
	}
	return s
}

func (d *dice) action() (specs.LinuxSeccompAction, *uint) {
	a := actions[d.below(len(actions))]
	switch d.below(8) {
	case 0:
		return a.name, nil
	case 1:
		return "SCMP_ACT_MAYBE", nil
	case 2:
		return a.name, number32(70000)
	}
	if a.data == 0 {
		return a.name, nil
	}
	return a.name, number32(uint(d.below(40)))
}
