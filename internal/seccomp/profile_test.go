package seccomp

import (
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// docker is the profile that Docker gives a container with its default capabilities.
func docker(t testing.TB) *specs.LinuxSeccomp {
	t.Helper()
	s, err := dockerProfile()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func dockerProfile() (*specs.LinuxSeccomp, error) { return readProfile("testdata/docker.json") }

func readProfile(file string) (*specs.LinuxSeccomp, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := new(specs.LinuxSeccomp)
	return s, json.Unmarshal(data, s)
}

// moby is what Docker's generator, github.com/moby/profiles/seccomp v0.3.0, makes
// of its newest default profile on x86-64: socket has an entry for each family.
func moby(t testing.TB) *specs.LinuxSeccomp {
	t.Helper()
	s, err := readProfile("testdata/moby.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dockerARM is the same on arm64.
func dockerARM(t testing.TB) *specs.LinuxSeccomp {
	s := docker(t)
	s.Architectures = []specs.Arch{specs.ArchAARCH64, specs.ArchARM}
	s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{
		Names:  []string{"arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2", "breakpoint", "cacheflush", "set_tls"},
		Action: specs.ActAllow,
	})
	return s
}

// podman is made as Podman's profile is: ENOSYS by default, EPERM for what is
// known and refused, and sockets told apart by two arguments.
func podman(t testing.TB) *specs.LinuxSeccomp {
	s := docker(t)
	enosys, eperm, einval := uint(unix.ENOSYS), uint(unix.EPERM), uint(unix.EINVAL)
	s.DefaultErrnoRet = &enosys
	family := func(op specs.LinuxSeccompOperator) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: 0, Value: unix.AF_NETLINK, Op: op}
	}
	protocol := func(op specs.LinuxSeccompOperator) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: 2, Value: unix.NETLINK_AUDIT, Op: op}
	}
	args := func(a ...specs.LinuxSeccompArg) []specs.LinuxSeccompArg { return a }
	refused := []string{"bdflush", "bpf", "fsopen", "init_module", "kexec_load", "mount", "open_by_handle_at", "reboot", "swapon", "umount2", "unshare", "vhangup"}
	s.Syscalls[1] = specs.LinuxSyscall{Names: refused, Action: specs.ActErrno, ErrnoRet: &eperm}
	s.Syscalls[2] = specs.LinuxSyscall{Names: []string{"socket"}, Action: specs.ActErrno, ErrnoRet: &einval, Args: args(family(specs.OpEqualTo), protocol(specs.OpEqualTo))}
	s.Syscalls = append(s.Syscalls,
		specs.LinuxSyscall{Names: []string{"socket"}, Action: specs.ActAllow, Args: args(protocol(specs.OpNotEqual))},
		specs.LinuxSyscall{Names: []string{"socket"}, Action: specs.ActAllow, Args: args(family(specs.OpNotEqual))},
	)
	return s
}

// containerd is what containerd 1.6.20 gives a container on x86-64 for `ctr run --seccomp`.
func containerd(t testing.TB) *specs.LinuxSeccomp {
	t.Helper()
	s, err := readProfile("testdata/containerd.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEnginesProfilesDecideAsThePackageCommentSays goes through all numbers of
// all ABIs, with arguments on both sides of each condition.
func TestEnginesProfilesDecideAsThePackageCommentSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, goarch string
		profile      *specs.LinuxSeccomp
	}{
		{"docker", "amd64", docker(t)},
		{"moby", "amd64", moby(t)},
		{"podman", "amd64", podman(t)},
		{"containerd", "amd64", containerd(t)},
		{"docker", "arm64", dockerARM(t)},
	} {
		t.Run(test.name+"/"+test.goarch, func(t *testing.T) {
			t.Parallel()
			f, warnings, err := program(test.profile, test.goarch)
			if err != nil || len(warnings) > 0 {
				t.Fatal(err, warnings)
			}
			compareWithOracle(t, test.profile, test.goarch, f, everyCall(argumentSamples))
		})
	}
}

// argumentSamples are on both sides of the conditions of the engines' profiles.
var argumentSamples = [][6]uint64{
	{}, {8}, {131072}, {131080}, {131073}, {1<<32 - 1}, {1 << 32}, {40}, {16, 3, 9}, {16, 3, 0}, {2, 3, 9}, {3}, {6}, {7}, {10}, {18}, {19}, {37}, {38}, {45}, {46},
	{0x7e020000}, {0x11}, {0x10000000}, {1}, {1 << 40, 1 << 40, 9 | 1<<33},
}

// everyCall gives each number of each ABI, and numbers beside and far from them.
func everyCall(samples [][6]uint64) func(yield func(callData) bool) {
	return func(yield func(callData) bool) {
		for d := range everyNumber {
			for _, args := range samples {
				d.args = args
				if !yield(d) {
					return
				}
				if !slices.Contains([]string{"socket", "personality", "clone", "socketcall", "ipc"}, nameOf(abiOf(d), d.number)) {
					break // its arguments don't matter
				}
			}
		}
	}
}

func everyNumber(yield func(callData) bool) {
	for _, a := range append(archs[:], arch{audit: 0xdead}) {
		numbers := []uint32{x32Bit - 1, x32Bit, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1<<32 - 1}
		for _, s := range append(spansOf(a.name), span{base: 0}) {
			for i := range uint32(len(s.calls) + 20) {
				numbers = append(numbers, s.base+i, s.base-i)
			}
		}
		for _, nr := range numbers {
			if !yield(callData{number: nr, arch: a.audit}) {
				return
			}
		}
	}
}

// compareWithOracle says whether a filter decides all calls as the oracle does.
func compareWithOracle(t *testing.T, s *specs.LinuxSeccomp, goarch string, f *Filter, calls func(yield func(callData) bool)) bool {
	t.Helper()
	o := oracle{s: s, own: archs[native(goarch)].name}
	bad := 0
	for d := range calls {
		if got, want := answer(t, f.Instructions, d), o.decide(d); got != want {
			t.Errorf("%s %+v: %#x, want %#x", nameOf(abiOf(d), d.number), d, got, want)
			if bad++; bad == 5 {
				break
			}
		}
	}
	return bad == 0
}

// randomProfiles is how many random profiles are compared: a nightly run wants 10⁶.
var randomProfiles = flag.Uint64("profiles", 400, "random profiles to compare with the oracle")

// TestRandomProfilesDecideAsThePackageCommentSays has few names, so that
// entries meet on the same call in all possible ways (SEC-53, SEC-54).
func TestRandomProfilesDecideAsThePackageCommentSays(t *testing.T) {
	t.Parallel()
	for seed := range *randomProfiles {
		r := rand.New(rand.NewPCG(seed, 7))
		s, goarch := randomProfile(r), []string{"amd64", "arm64"}[r.IntN(2)]
		f, _, err := program(s, goarch)
		if err != nil && strings.Contains(err.Error(), "filter needs") {
			continue
		} else if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := kernelTakes(f.Instructions); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !compareWithOracle(t, s, goarch, f, randomCalls(r, 300)) {
			text, _ := json.MarshalIndent(s, "", " ")
			t.Fatalf("seed %d, %s: %s", seed, goarch, text)
		}
	}
}

var randomNames = []string{"read", "socket", "socketcall", "semop", "ipc", "set_tls", "rseq_slice_yield", "execve", "mseal", "nosuchcall"}

func randomProfile(r *rand.Rand) *specs.LinuxSeccomp {
	action, errno := randomAction(r)
	s := &specs.LinuxSeccomp{DefaultAction: action, DefaultErrnoRet: errno}
	for _, word := range Architectures() {
		if r.IntN(4) == 0 {
			s.Architectures = append(s.Architectures, specs.Arch(word))
		}
	}
	entries := r.IntN(6)
	if r.IntN(20) == 0 {
		entries = 25 // jumps farther than a byte
	}
	for range entries {
		var entry specs.LinuxSyscall
		entry.Action, entry.ErrnoRet = randomAction(r)
		for range 1 + r.IntN(3) {
			entry.Names = append(entry.Names, randomNames[r.IntN(len(randomNames))])
		}
		if r.IntN(20) == 0 {
			for range 200 {
				entry.Names = append(entry.Names, callNames[r.IntN(len(callNames))])
			}
		}
		for range r.IntN(4) {
			entry.Args = append(entry.Args, specs.LinuxSeccompArg{
				Index: uint(r.IntN(3)), Value: edges[r.IntN(len(edges))], ValueTwo: edges[r.IntN(len(edges))], Op: operators[r.IntN(len(operators))],
			})
		}
		s.Syscalls = append(s.Syscalls, entry)
	}
	return s
}

func randomAction(r *rand.Rand) (specs.LinuxSeccompAction, *uint) {
	a := actions[r.IntN(len(actions))]
	if a.data == 0 || r.IntN(2) == 0 {
		return a.name, nil
	}
	errno := uint(r.IntN(3))
	return a.name, &errno
}

// randomCalls gives calls that the random profiles name, and others.
func randomCalls(r *rand.Rand, count int) func(yield func(callData) bool) {
	return func(yield func(callData) bool) {
		for range count {
			a := archs[r.IntN(len(archs))]
			d := callData{number: uint32(r.IntN(600)), arch: a.audit}
			if nr, ok := numberOf(a.name, randomNames[r.IntN(len(randomNames))]); ok {
				d.number = nr
			}
			if r.IntN(20) == 0 {
				d.number = r.Uint32()
			}
			for i := range d.args {
				d.args[i] = edges[r.IntN(len(edges))]
			}
			if r.IntN(2) == 0 {
				d.args[0] = 1
			}
			if !yield(d) {
				return
			}
		}
	}
}
