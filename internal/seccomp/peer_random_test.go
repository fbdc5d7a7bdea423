package seccomp

import (
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/minirt/minirt/internal/seccomp/seccomptest"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// peerProfiles is how many generated profiles are compared.
var peerProfiles = flag.Uint64("peerprofiles", 2000, "generated profiles to compare with libseccomp")

// TestLibseccompDecidesRandomProfilesTheSame compares generated profiles, with
// libseccomp's list and with its tree by turns.
func TestLibseccompDecidesRandomProfilesTheSame(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	var compared, different, merged, unread int
	count := *peerProfiles
	if testing.Short() {
		count /= 10
	}
	for seed := range count {
		r := rand.New(rand.NewPCG(seed, 11))
		s := plainProfile(r)
		f, _, err := program(s, runtime.GOARCH)
		theirs := p.compile(t, s, seccomptest.List+int(seed)%2)
		if err != nil || theirs.err != nil {
			if err == nil && !errors.Is(theirs.err, unix.ENOMEM) || theirs.err == nil {
				t.Fatalf("seed %d: %v; libseccomp: %v", seed, err, theirs.err)
			}
			continue
		}
		o := oracle{s: s, own: archs[native(runtime.GOARCH)].name}
		theirOracle := oracle{s: s, own: o.own, peer: true}
		for d := range peerCalls(r, s) {
			if !p.knows(t, abiOf(d), d.number) {
				continue
			}
			compared++
			got, want := answer(t, f.Instructions, d), answer(t, theirs.code, d)
			if got != want {
				different++
			}
			our, their := o.decide(d), theirOracle.decide(d)
			if got == our && want != their {
				if deaf(t, theirs.code, d) {
					unread++
					continue
				}
				if their == p.oneByOne(t, s, d) { // SEC-54
					merged++
					continue
				}
			}
			if got != our || want != their {
				text, _ := json.Marshal(s)
				t.Fatalf("seed %d: %s %s %+v: %#x, by the package comment %#x; libseccomp has %#x, by docs/seccomp.md %#x: %s", seed, abiOf(d), nameOf(abiOf(d), d.number), d, got, our, want, their, text)
			}
		}
	}
	t.Logf("%d calls compared, %d answers different; by its faults: %d where it merges entries, %d where it doesn't read the number", compared, different, merged, unread)
	if merged+unread > compared/200 {
		t.Error("libseccomp is said to have too many faults")
	}
}

// deaf tells whether libseccomp's program never reads the numbers of this ABI:
// it forgets to where one call behind another is all that the ABI has.
func deaf(t *testing.T, program []Instruction, d callData) bool {
	first := answer(t, program, d)
	for d.number = range 600 {
		if answer(t, program, d) != first {
			return false
		}
	}
	return true
}

// plainProfile has one action for each call, so that the order of entries,
// which is libseccomp's own, doesn't matter.
func plainProfile(r *rand.Rand) *specs.LinuxSeccomp {
	action, errno := randomAction(r)
	s := &specs.LinuxSeccomp{DefaultAction: action, DefaultErrnoRet: errno}
	for _, a := range littleEndian() {
		if r.IntN(4) == 0 {
			s.Architectures = append(s.Architectures, a)
		}
	}
	actionOf := map[string]specs.LinuxSyscall{}
	for range 1 + r.IntN(12) {
		name := peerNames[r.IntN(len(peerNames))]
		if r.IntN(4) == 0 {
			name = callNames[r.IntN(len(callNames))]
		}
		door := doorOf(name)
		entry, ok := actionOf[door]
		if !ok {
			entry.Action, entry.ErrnoRet = randomAction(r)
			actionOf[door] = entry
		}
		entry.Names = []string{name}
		indices := r.Perm(argumentCount)
		for i := range r.IntN(4) {
			op := operators[r.IntN(len(operators))]
			entry.Args = append(entry.Args, specs.LinuxSeccompArg{Index: uint(indices[i]), Value: edges[r.IntN(len(edges))], ValueTwo: edges[r.IntN(len(edges))], Op: op})
		}
		s.Syscalls = append(s.Syscalls, entry)
	}
	return s
}

// doorOf gives the call behind which name may be, or name.
func doorOf(name string) string {
	for _, m := range throughDoors {
		if m.name == name {
			return m.door
		}
	}
	return name
}

var peerNames = []string{"read", "socket", "personality", "clone", "execve", "openat", "socketcall", "semop", "ipc", "prctl", "ioctl"}

// littleEndian are the ABIs that libseccomp puts into one filter with this
// machine's: those of its byte order.
func littleEndian() (words []specs.Arch) {
	for _, a := range archs {
		const littleEndianBit = 0x40000000 // __AUDIT_ARCH_LE of linux/audit.h
		if a.audit&littleEndianBit != 0 && seccomptest.Archs[a.name] != "" {
			words = append(words, a.name)
		}
	}
	return words
}

// peerCalls gives the calls that s names in all ABIs, their neighbours, and
// others, with arguments at and around each condition.
func peerCalls(r *rand.Rand, s *specs.LinuxSeccomp) func(yield func(callData) bool) {
	return func(yield func(callData) bool) {
		for _, abi := range archs {
			for _, entry := range s.Syscalls {
				number, ok := numberOf(abi.name, entry.Names[0])
				if !ok {
					number = r.Uint32()
				}
				for range 12 {
					d := callData{number: number + uint32(max(0, r.IntN(6)-3)) - 1, arch: abi.audit}
					for i := range d.args {
						d.args[i] = edges[r.IntN(len(edges))] + uint64(r.IntN(3)) - 1
					}
					for _, a := range entry.Args {
						if r.IntN(4) > 0 {
							d.args[a.Index] = near(r, a)
						}
					}
					if !yield(d) {
						return
					}
				}
			}
		}
	}
}

// near gives a value at a condition, or beside it.
func near(r *rand.Rand, a specs.LinuxSeccompArg) uint64 {
	v := a.Value + uint64(r.IntN(3)) - 1
	if a.Op == specs.OpMaskedEqual {
		v = a.ValueTwo&a.Value | r.Uint64()&^a.Value
	}
	if r.IntN(6) == 0 {
		v ^= 1 << r.IntN(64)
	}
	return v
}

// oneByOne is what libseccomp answers to d if it is given each entry of s alone:
// several for one call it merges, and older versions do so wrongly (SEC-54).
// plainProfile has one action for each call, so the order doesn't matter.
func (p *peer) oneByOne(t *testing.T, s *specs.LinuxSeccomp, d callData) uint32 {
	t.Helper()
	fallback := seccomptest.ReturnValue(s.DefaultAction, s.DefaultErrnoRet)
	for _, entry := range s.Syscalls {
		alone := *s
		alone.Syscalls = []specs.LinuxSyscall{entry}
		f := p.compile(t, &alone, seccomptest.List)
		if f.err != nil {
			t.Fatal(f.err)
		}
		if got := answer(t, f.code, d); got != fallback {
			return got
		}
	}
	return fallback
}
