package seccomp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// libseccompArchs are those that both can be asked for on one machine.
var libseccompArchs = map[specs.Arch]string{
	specs.ArchX86: "x86", specs.ArchX86_64: "x86_64", specs.ArchX32: "x32", specs.ArchARM: "arm", specs.ArchAARCH64: "aarch64",
}

// TestLibseccompDecidesTheSame compares all numbers of all ABIs of the machine.
// It leaves out what the two are meant to do differently: new calls, which
// libseccomp leaves to runc, and arguments of 64 bits in ABIs of 32, where
// libseccomp looks at the lower half alone; and names that an older libseccomp
// doesn't know.
func TestLibseccompDecidesTheSame(t *testing.T) {
	t.Parallel()
	program := buildLibseccomp(t)
	arg := func(index uint, op specs.LinuxSeccompOperator, value, two uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Op: op, Value: value, ValueTwo: two}
	}
	profiles := map[string]*specs.LinuxSeccomp{"docker": docker(t), "podman": podman(t)}
	if runtime.GOARCH == "arm64" {
		profiles = map[string]*specs.LinuxSeccomp{"docker": dockerARM(t)}
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
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			compareWithLibseccomp(t, program, s)
		})
	}
}

func compareWithLibseccomp(t *testing.T, program string, s *specs.LinuxSeccomp) {
	ours := mustCompile(t, s, runtime.GOARCH).Instructions
	theirs, known := libseccomp(t, program, s)
	bad, compared := 0, 0
	samples := slices.Concat(argumentSamples, [][6]uint64{{1<<32 | 7}, {1<<32 | 6}, {1<<32 | 8}, {2<<32 | 7}, {7}, {1<<32 | 15}, {1<<32 | 31}, {15}, {21}, {2, 3}})
	for d := range everyCall(samples) {
		if !known(d) || abiOf(d) != specs.ArchX86_64 && abiOf(d) != specs.ArchAARCH64 && d.args[0]|d.args[1]|d.args[2] >= 1<<32 {
			continue
		}
		if nameOf(abiOf(d), d.number) == "ipc" && d.args[0] >= 1<<16 { // a version, which libseccomp compares, too
			continue
		}
		compared++
		got, want := answer(t, ours, d), answer(t, theirs, d)
		newer := got == errnoENOSYS && want == errnoEPERM
		if got != want && !newer {
			t.Errorf("%s %+v: %#x, libseccomp has %#x", nameOf(abiOf(d), d.number), d, got, want)
			if bad++; bad == 5 {
				break
			}
		}
	}
	t.Logf("%d calls compared, %d instructions, libseccomp has %d", compared, len(ours), len(theirs))
}

// buildLibseccomp makes the program that compiles profiles with libseccomp.
func buildLibseccomp(t *testing.T) string {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("filters are made for amd64 and arm64")
	}
	program := filepath.Join(t.TempDir(), "libseccomp")
	if out, err := exec.Command("cc", "-o", program, "testdata/libseccomp.c", "-lseccomp").CombinedOutput(); err != nil {
		t.Skipf("no C compiler or no libseccomp with its headers: %v\n%s", err, out)
	}
	return program
}

// libseccomp compiles s as runc does, and says of which calls it knows the name.
func libseccomp(t *testing.T, program string, s *specs.LinuxSeccomp) (code []Instruction, known func(callData) bool) {
	t.Helper()
	var in bytes.Buffer
	fallback := returnValue(s.DefaultAction, s.DefaultErrnoRet)
	fmt.Fprintln(&in, "default", fallback)
	for _, a := range s.Architectures {
		fmt.Fprintln(&in, "arch", libseccompArchs[a])
	}
	for _, entry := range s.Syscalls {
		if action := returnValue(entry.Action, entry.ErrnoRet); action != fallback {
			writeRules(&in, action, entry)
		}
	}
	fmt.Fprintln(&in, "end")
	cmd := exec.Command(program)
	cmd.Stdin = &in
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("libseccomp: %v: %s", err, stderr.String())
	}
	code = make([]Instruction, len(out)/8)
	if err := binary.Read(bytes.NewReader(out), binary.LittleEndian, code); err != nil {
		t.Fatal(err)
	}
	unknown := strings.Fields(stderr.String())
	return code, func(d callData) bool { return !slices.Contains(unknown, nameOf(abiOf(d), d.number)) }
}

func writeRules(in *bytes.Buffer, action uint32, entry specs.LinuxSyscall) {
	for _, name := range entry.Names {
		one := entry
		one.Names = nil
		for _, r := range split(one) {
			fmt.Fprint(in, "rule ", action, " ", name, " ", len(r.Args))
			for _, a := range r.Args {
				op := slices.Index(operators[:], a.Op) + 1 // enum scmp_compare begins with _SCMP_CMP_MIN
				fmt.Fprint(in, " ", a.Index, " ", op, " ", a.Value, " ", a.ValueTwo)
			}
			fmt.Fprintln(in)
		}
	}
}
