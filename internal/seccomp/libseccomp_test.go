package seccomp

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/minirt/minirt/internal/seccomp/seccomptest"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestLibseccompDecidesTheSame compares all numbers of all ABIs of the machine.
// It leaves out what the two are meant to do differently: new calls, which
// libseccomp leaves to runc, and arguments of 64 bits in ABIs of 32, where
// libseccomp looks at the lower half alone; and names that an older libseccomp
// doesn't know.
func TestLibseccompDecidesTheSame(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	arg := func(index uint, op specs.LinuxSeccompOperator, value, two uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Op: op, Value: value, ValueTwo: two}
	}
	profiles := map[string]*specs.LinuxSeccomp{"docker": docker(t), "moby": moby(t), "containerd": containerd(t), "podman": podman(t)}
	if runtime.GOARCH == "arm64" {
		profiles = map[string]*specs.LinuxSeccomp{"docker": dockerARM(t)}
	}
	if runtime.GOARCH == "amd64" {
		for _, name := range []string{"docker", "containerd-cri", "podman"} {
			profiles["bundles/examples/"+name] = exampleProfile(t, name)
		}
	}
	for _, op := range operators {
		profiles[string(op)] = &specs.LinuxSeccomp{DefaultAction: specs.ActTrap, Syscalls: []specs.LinuxSyscall{
			{Names: []string{"personality"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{arg(0, op, 1<<32|7, 1<<32|7)}},
		}}
	}
	profiles["an entry without args wins"] = &specs.LinuxSeccomp{DefaultAction: specs.ActTrap, Syscalls: []specs.LinuxSyscall{
		{Names: []string{"personality", "clone"}, Action: specs.ActLog, Args: []specs.LinuxSeccompArg{arg(0, specs.OpEqualTo, 8, 0)}},
		{Names: []string{"personality"}, Action: specs.ActAllow}, {Names: []string{"personality"}, Action: specs.ActKill},
		{Names: []string{"clone"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{arg(0, specs.OpEqualTo, 1, 0), arg(1, specs.OpNotEqual, 3, 0)}},
	}}
	profiles["valueTwo beyond the mask"] = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
		{Names: []string{"personality"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{arg(0, specs.OpMaskedEqual, 1<<32|15, 31)}},
	}}
	profiles["i386's other doors"] = &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"socket", "semop", "shmat"}, Action: specs.ActTrap}},
	}
	for name, s := range profiles {
		t.Run(name, func(t *testing.T) { compareWithLibseccomp(t, p, s) })
	}
}

// exampleProfile is what that engine wrote into a config.json.
func exampleProfile(t *testing.T, engine string) *specs.LinuxSeccomp {
	t.Helper()
	data, err := os.ReadFile("../../bundles/examples/" + engine + "/config.json")
	if err != nil {
		t.Fatal(err)
	}
	var s specs.Spec
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s.Linux.Seccomp
}

func compareWithLibseccomp(t *testing.T, p *peer, s *specs.LinuxSeccomp) {
	ours := mustCompile(t, s, runtime.GOARCH).Instructions
	theirs := p.compile(t, s, seccomptest.List)
	if theirs.err != nil {
		t.Fatal(theirs.err)
	}
	bad, compared := 0, 0
	samples := slices.Concat(argumentSamples, [][6]uint64{{1<<32 | 7}, {1<<32 | 6}, {1<<32 | 8}, {2<<32 | 7}, {7}, {1<<32 | 15}, {1<<32 | 31}, {15}, {21}, {2, 3}})
	for d := range everyCall(samples) {
		if slices.Contains(theirs.unknown, nameOf(abiOf(d), d.number)) || abiOf(d) != specs.ArchX86_64 && abiOf(d) != specs.ArchAARCH64 && d.args[0]|d.args[1]|d.args[2] >= 1<<32 {
			continue
		}
		if nameOf(abiOf(d), d.number) == "ipc" && d.args[0] >= 1<<16 { // a version, which libseccomp compares, too
			continue
		}
		compared++
		got, want := answer(t, ours, d), answer(t, theirs.code, d)
		newer := got == errnoENOSYS && want == errnoEPERM
		if got != want && !newer {
			t.Errorf("%s %+v: %#x, libseccomp has %#x", nameOf(abiOf(d), d.number), d, got, want)
			if bad++; bad == 5 {
				break
			}
		}
	}
	t.Logf("%d calls compared, %d instructions, libseccomp has %d", compared, len(ours), len(theirs.code))
}

// TestLibseccompHasTheSameNumbers holds the tables against those of another
// project, name by name, in every ABI that it has.
func TestLibseccompHasTheSameNumbers(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	for abi := range seccomptest.Archs {
		same := 0
		for _, name := range callNames {
			theirs := p.number(t, abi, name)
			if theirs < 0 { // unknown to it, or not of this ABI
				continue
			}
			if ours, ok := numberOf(abi, name); !ok || int32(ours) != theirs {
				t.Errorf("%s: %s is %d (%v), libseccomp has %d", abi, name, ours, ok, theirs)
				continue
			}
			same++
		}
		if same < 250 {
			t.Errorf("%s: only %d calls are the same", abi, same)
		}
	}
}
