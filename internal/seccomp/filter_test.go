package seccomp

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func number32(n uint) *uint { return &n }

func allow(names ...string) specs.LinuxSyscall {
	return specs.LinuxSyscall{Names: names, Action: specs.ActAllow}
}

// TestFaultsNameTheirPlaceAndWord has SC-01 to SC-09 and D-03, D-05.
func TestFaultsNameTheirPlaceAndWord(t *testing.T) {
	t.Parallel()
	arg := func(a specs.LinuxSeccompArg) specs.LinuxSeccomp {
		return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
			allow("read"), {Names: []string{"write"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Op: specs.OpEqualTo}, a}},
		}}
	}
	for _, test := range []struct {
		name    string
		profile specs.LinuxSeccomp
		want    []string
	}{
		{"no default action", specs.LinuxSeccomp{}, []string{"linux.seccomp.defaultAction: is required"}},
		{"unknown default action", specs.LinuxSeccomp{DefaultAction: "SCMP_ACT_MAYBE"},
			[]string{`linux.seccomp.defaultAction: unknown action "SCMP_ACT_MAYBE"`}},
		{"errno with allow", specs.LinuxSeccomp{DefaultAction: specs.ActAllow, DefaultErrnoRet: number32(1)},
			[]string{"linux.seccomp.defaultErrnoRet: is not allowed with SCMP_ACT_ALLOW"}},
		{"errno with kill", specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActKill, ErrnoRet: number32(0)}}},
			[]string{"linux.seccomp.syscalls[0].errnoRet: is not allowed with SCMP_ACT_KILL"}},
		{"errno too great", specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: number32(4096)},
			[]string{"linux.seccomp.defaultErrnoRet: is 4096, more than 4095"}},
		{"trace data too great", specs.LinuxSeccomp{DefaultAction: specs.ActTrace, DefaultErrnoRet: number32(65536)},
			[]string{"linux.seccomp.defaultErrnoRet: is 65536, more than 65535"}},
		{"no names", specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Action: specs.ActLog}}},
			[]string{"linux.seccomp.syscalls[0].names: has no entry"}},
		{"index", arg(specs.LinuxSeccompArg{Index: 6, Op: specs.OpEqualTo}),
			[]string{"linux.seccomp.syscalls[1].args[1].index: is 6, but a system call has arguments 0 to 5"}},
		{"index beyond a byte", arg(specs.LinuxSeccompArg{Index: 257, Op: specs.OpEqualTo}),
			[]string{"linux.seccomp.syscalls[1].args[1].index: is 257, but a system call has arguments 0 to 5"}},
		{"no operator", arg(specs.LinuxSeccompArg{}), []string{"linux.seccomp.syscalls[1].args[1].op: is required"}},
		{"operator", arg(specs.LinuxSeccompArg{Op: "SCMP_CMP_ALMOST"}),
			[]string{`linux.seccomp.syscalls[1].args[1].op: unknown operator "SCMP_CMP_ALMOST"`}},
		{"architectures", specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{"SCMP_ARCH_VAX", specs.ArchX86}},
			[]string{`linux.seccomp.architectures[0]: unknown architecture "SCMP_ARCH_VAX"`}},
		{"flags", specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_NEW_LISTENER"}},
			[]string{`linux.seccomp.flags[0]: unknown flag "SECCOMP_FILTER_FLAG_NEW_LISTENER"`}},
		{"all at once", specs.LinuxSeccomp{DefaultAction: "x", Flags: []specs.LinuxSeccompFlag{"f"}, Architectures: []specs.Arch{"a"}, Syscalls: []specs.LinuxSyscall{{Action: "y"}}},
			[]string{
				`linux.seccomp.defaultAction: unknown action "x"`, `linux.seccomp.syscalls[0].action: unknown action "y"`, "linux.seccomp.syscalls[0].names: has no entry",
				`linux.seccomp.flags[0]: unknown flag "f"`, `linux.seccomp.architectures[0]: unknown architecture "a"`,
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, _, err := Compile(&test.profile, "amd64")
			if f != nil || err == nil || err.Error() != strings.Join(test.want, "; ") {
				t.Errorf("filter %v; difference of the error: %s", f, cmp.Diff(strings.Join(test.want, "; "), errorText(err)))
			}
			var first *Error
			if !errors.As(err, &first) || first.Error() != test.want[0] {
				t.Errorf("the first fault is %v, want %s", first, test.want[0])
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestEveryArchitectureIsCompiled has all 23 words of config-linux.md (SC-02).
func TestEveryArchitectureIsCompiled(t *testing.T) {
	t.Parallel()
	if len(archs) != 23 {
		t.Errorf("%d architectures, the text has 23", len(archs))
	}
	for _, a := range archs {
		s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: number32(7), Architectures: []specs.Arch{a.name}, Syscalls: []specs.LinuxSyscall{allow("getpid")}}
		f, _, err := program(s, "amd64")
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
			continue
		}
		getpid, ok := numberOf(a.name, "getpid")
		if got := answer(t, f.Instructions, callData{number: getpid, arch: a.audit}); !ok || got != unix.SECCOMP_RET_ALLOW {
			t.Errorf("%s: getpid, %d, is answered %#x", a.name, getpid, got)
		}
	}
}

func TestAMachineWithoutATableIsRefused(t *testing.T) {
	t.Parallel()
	_, _, err := Compile(&specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, "sparc64")
	if want := `linux.seccomp: no system call table for a machine of architecture "sparc64"`; errorText(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestNoSeccompIsNoFilter(t *testing.T) {
	t.Parallel()
	if f, warnings, err := Compile(nil, "amd64"); f != nil || warnings != nil || err != nil {
		t.Error(f, warnings, err)
	}
}

// TestAppendGivesTheKernelsBytes compares with encoding/binary.
func TestAppendGivesTheKernelsBytes(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, docker(t), "amd64")
	want, err := binary.Append([]byte("x"), binary.LittleEndian, f.Instructions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, f.Append([]byte("x"))); diff != "" {
		t.Error(diff)
	}
}

// TestFlags has SC-03, T-07 and what the kernel takes together.
func TestFlags(t *testing.T) {
	t.Parallel()
	const tsync, log, allowSpec, listener, esrch, killable = 1, 2, 4, 8, 16, 32
	words := func(w ...string) []specs.LinuxSeccompFlag {
		all := []specs.LinuxSeccompFlag{}
		for _, word := range w {
			all = append(all, specs.LinuxSeccompFlag("SECCOMP_FILTER_FLAG_"+word))
		}
		return all
	}
	for _, test := range []struct {
		name         string
		flags        []specs.LinuxSeccompFlag
		plain, heard uint32 // without and with NOTIFY
	}{
		{"absent", nil, allowSpec, allowSpec | listener},
		{"empty", words(), 0, listener},
		{"TSYNC", words("TSYNC"), tsync, tsync | esrch | listener},
		{"LOG", words("LOG"), log, log | listener},
		{"SPEC_ALLOW", words("SPEC_ALLOW"), allowSpec, allowSpec | listener},
		{"WAIT_KILLABLE_RECV", words("WAIT_KILLABLE_RECV"), 0, killable | listener},
		{"two", words("LOG", "TSYNC", "LOG"), tsync | log, tsync | log | esrch | listener},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: test.flags}
			plain := mustCompile(t, s, "amd64")
			s.Syscalls = []specs.LinuxSyscall{{Names: []string{"mount"}, Action: specs.ActNotify}}
			heard := mustCompile(t, s, "amd64")
			if plain.Flags != test.plain || plain.Notify {
				t.Errorf("without NOTIFY: flags %#x, want %#x; Notify is %v", plain.Flags, test.plain, plain.Notify)
			}
			if heard.Flags != test.heard || !heard.Notify {
				t.Errorf("with NOTIFY: flags %#x, want %#x; Notify is %v", heard.Flags, test.heard, heard.Notify)
			}
		})
	}
}

func TestNotifyAsDefaultActionAsksForAListener(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, &specs.LinuxSeccomp{DefaultAction: specs.ActNotify}, "amd64")
	if !f.Notify || f.Flags&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER == 0 {
		t.Errorf("%+v", f)
	}
}

// TestUnknownNamesAreWarnedOfOnce leaves them out, and only them.
func TestUnknownNamesAreWarnedOfOnce(t *testing.T) {
	t.Parallel()
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActKillProcess, Syscalls: []specs.LinuxSyscall{
		allow("read", "time_travel", "s390_sthyi"), allow("", "time_travel", "write"),
	}}
	f, warnings, err := program(s, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`linux.seccomp.syscalls[0].names[1]: unknown system call "time_travel" is left out`,
		`linux.seccomp.syscalls[1].names[0]: unknown system call "" is left out`,
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
	for _, number := range []uint32{unix.SYS_READ, unix.SYS_WRITE} {
		if got := answer(t, f.Instructions, callData{number: number, arch: unix.AUDIT_ARCH_X86_64}); got != unix.SECCOMP_RET_ALLOW {
			t.Errorf("call %d is answered %#x", number, got)
		}
	}
}

// TestAnOversizeFilterIsRefused has 500 calls with 20 conditions each (SEC-55).
func TestAnOversizeFilterIsRefused(t *testing.T) {
	t.Parallel()
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}
	for i, name := range callNames[:500] {
		entry := allow(name)
		for j := range uint64(20) {
			entry.Args = append(entry.Args, specs.LinuxSeccompArg{Index: uint(j % 6), Value: uint64(i) + j<<40, Op: specs.OpGreaterEqual})
		}
		s.Syscalls = append(s.Syscalls, entry)
	}
	f, _, err := program(s, "amd64")
	text := errorText(err)
	if f != nil || !strings.HasPrefix(text, "linux.seccomp: filter needs ") || !strings.HasSuffix(text, " instructions, the kernel takes 4096") {
		t.Errorf("filter %v, error %s", f != nil, text)
	}
}

// TestATreeAnswersInFewSteps holds what makes seccomp(2) fast: it runs the
// filter for every call.
func TestATreeAnswersInFewSteps(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, docker(t), "amd64")
	if n := len(f.Instructions); n > 700 {
		t.Errorf("Docker's profile has %d instructions", n)
	}
	most := 0
	for number := range uint32(500) {
		_, steps, err := simulate(f.Instructions, callData{number: number, arch: unix.AUDIT_ARCH_X86_64})
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, steps)
	}
	if most > 25 {
		t.Errorf("a call takes %d steps", most)
	}
	t.Logf("%d instructions, at most %d steps", len(f.Instructions), most)
}

// TestCommonCallsCostLeast has a profile that names every second call, so that
// each call is a leaf of its own: the tree of equal leaves would be 9 deep.
func TestCommonCallsCostLeast(t *testing.T) {
	t.Parallel()
	s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, DefaultErrnoRet: number32(7)}
	for number, name := range Calls(specs.ArchX86_64) {
		if number%2 == 0 {
			s.Syscalls = append(s.Syscalls, allow(name))
		}
	}
	f := mustCompile(t, s, "amd64")
	for _, name := range []string{"read", "write", "openat", "close", "futex", "epoll_pwait", "newfstatat"} {
		number, _ := numberOf(specs.ArchX86_64, name)
		if least, _ := f.Cost(number, unix.AUDIT_ARCH_X86_64); least > 10 {
			t.Errorf("%s costs %d instructions", name, least)
		}
	}
	for number, name := range Calls(specs.ArchX86_64) {
		if least, _ := f.Cost(number, unix.AUDIT_ARCH_X86_64); least > 20 {
			t.Errorf("%s costs %d instructions", name, least)
		}
	}
}
