package seccomp

import (
	"testing"

	"github.com/minirt/minirt/internal/seccomp/seccomptest"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A question is a call of x86-64 and its answer.
type question struct {
	name string
	args [6]uint64
	want uint32
}

// TestRulesForOneCall shows the laws of the package comment one by one.
func TestRulesForOneCall(t *testing.T) {
	t.Parallel()
	arg := func(index uint, op specs.LinuxSeccompOperator, value uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Op: op, Value: value}
	}
	entry := func(action specs.LinuxSeccompAction, args ...specs.LinuxSeccompArg) specs.LinuxSyscall {
		return specs.LinuxSyscall{Names: []string{"personality"}, Action: action, Args: args}
	}
	const eq, ge = specs.OpEqualTo, specs.OpGreaterEqual
	const allowed, logged, trapped = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_LOG, unix.SECCOMP_RET_TRAP
	for _, test := range []struct {
		name      string
		entries   []specs.LinuxSyscall
		questions []question
	}{
		{"all args of an entry must hold (SEC-53)",
			[]specs.LinuxSyscall{entry(specs.ActAllow, arg(0, eq, 0), arg(1, eq, 1))},
			[]question{{"personality", [6]uint64{0, 1}, allowed}, {"personality", [6]uint64{0, 0}, errnoEPERM}, {"personality", [6]uint64{1, 1}, errnoEPERM}}},
		{"args with the same index are alternatives, and so are those beside them",
			[]specs.LinuxSyscall{entry(specs.ActAllow, arg(0, eq, 3), arg(0, eq, 4), arg(1, eq, 5))},
			[]question{{"personality", [6]uint64{3}, allowed}, {"personality", [6]uint64{4}, allowed}, {"personality", [6]uint64{0, 5}, allowed}, {"personality", [6]uint64{0, 4}, errnoEPERM}}},
		{"the first entry that holds decides",
			[]specs.LinuxSyscall{entry(specs.ActLog, arg(0, ge, 5)), entry(specs.ActAllow, arg(0, ge, 3)), entry(specs.ActTrap, arg(0, ge, 1))},
			[]question{{"personality", [6]uint64{5}, logged}, {"personality", [6]uint64{4}, allowed}, {"personality", [6]uint64{2}, trapped}, {"personality", [6]uint64{0}, errnoEPERM}}},
		{"an entry without args decides, even after one with args",
			[]specs.LinuxSyscall{entry(specs.ActTrap, arg(0, eq, 5)), entry(specs.ActAllow), entry(specs.ActLog)},
			[]question{{"personality", [6]uint64{5}, allowed}, {"personality", [6]uint64{4}, allowed}}},
		{"an entry that repeats the default action adds nothing",
			[]specs.LinuxSyscall{entry(specs.ActErrno), entry(specs.ActErrno, arg(0, eq, 5)), entry(specs.ActAllow, arg(0, ge, 5))},
			[]question{{"personality", [6]uint64{5}, allowed}, {"personality", [6]uint64{4}, errnoEPERM}}},
		{"errno 0 is a value (SC-06)",
			[]specs.LinuxSyscall{{Names: []string{"personality"}, Action: specs.ActErrno, ErrnoRet: number32(0)}, {Names: []string{"read"}, Action: specs.ActErrno, ErrnoRet: number32(38)}},
			[]question{{"personality", [6]uint64{}, unix.SECCOMP_RET_ERRNO}, {"read", [6]uint64{}, unix.SECCOMP_RET_ERRNO | 38}}},
		{"a newer call than all that are named does not exist",
			[]specs.LinuxSyscall{allow("read", "close_range")},
			[]question{{"write", [6]uint64{}, errnoEPERM}, {"clone3", [6]uint64{}, errnoEPERM}, {"openat2", [6]uint64{}, errnoENOSYS}, {"mseal", [6]uint64{}, errnoENOSYS}}},
		{"a profile that names nothing refuses all",
			nil, []question{{"read", [6]uint64{}, errnoEPERM}, {"mseal", [6]uint64{}, errnoEPERM}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: test.entries}
			program := mustCompile(t, s, "amd64").Instructions
			for _, q := range test.questions {
				number, _ := numberOf(specs.ArchX86_64, q.name)
				if got := answer(t, program, callData{number, unix.AUDIT_ARCH_X86_64, q.args}); got != q.want {
					t.Errorf("%s%v is answered %#x, want %#x", q.name, q.args, got, q.want)
				}
			}
		})
	}
}

// TestADefaultActionOtherThanEPERMIsTakenAtItsWord has no ENOSYS for new calls.
func TestADefaultActionOtherThanEPERMIsTakenAtItsWord(t *testing.T) {
	t.Parallel()
	for _, a := range actions {
		for _, errno := range []*uint{nil, number32(5)} {
			if errno != nil && a.data == 0 || errno == nil && a.name == specs.ActErrno {
				continue
			}
			s := &specs.LinuxSeccomp{DefaultAction: a.name, DefaultErrnoRet: errno, Syscalls: []specs.LinuxSyscall{allow("read")}}
			program := mustCompile(t, s, "amd64").Instructions
			d := callData{number: unix.SYS_FSOPEN, arch: unix.AUDIT_ARCH_X86_64}
			if got, want := answer(t, program, d), seccomptest.ReturnValue(a.name, errno); got != want {
				t.Errorf("%s: fsopen is answered %#x, want %#x", a.name, got, want)
			}
		}
	}
}

// TestOtherABIsKill has a profile that allows all: only ABIs that it knows.
func TestOtherABIsKill(t *testing.T) {
	t.Parallel()
	const kill, allowed = unix.SECCOMP_RET_KILL_THREAD, unix.SECCOMP_RET_ALLOW
	for _, test := range []struct {
		goarch string
		listed []specs.Arch
		arch   uint32
		number uint32
		want   uint32
	}{
		{"amd64", nil, unix.AUDIT_ARCH_X86_64, 0, allowed},
		{"amd64", nil, unix.AUDIT_ARCH_X86_64, x32Bit - 1, allowed},
		{"amd64", nil, unix.AUDIT_ARCH_X86_64, x32Bit, kill},
		{"amd64", nil, unix.AUDIT_ARCH_X86_64, 1 << 31, kill},
		{"amd64", nil, unix.AUDIT_ARCH_X86_64, 1<<32 - 2, kill},
		{"amd64", nil, unix.AUDIT_ARCH_X86_64, 1<<32 - 1, allowed},
		{"amd64", nil, unix.AUDIT_ARCH_I386, 0, kill},
		{"amd64", []specs.Arch{specs.ArchX86}, unix.AUDIT_ARCH_I386, 0, allowed},
		{"amd64", []specs.Arch{specs.ArchX86}, unix.AUDIT_ARCH_X86_64, 0, allowed},
		{"amd64", []specs.Arch{specs.ArchX86}, unix.AUDIT_ARCH_X86_64, x32Bit, kill},
		{"amd64", []specs.Arch{specs.ArchX32}, unix.AUDIT_ARCH_X86_64, x32Bit, allowed},
		{"arm64", nil, unix.AUDIT_ARCH_AARCH64, 0, allowed},
		{"arm64", nil, unix.AUDIT_ARCH_ARM, 0, kill},
		{"arm64", nil, unix.AUDIT_ARCH_X86_64, 0, kill},
		{"arm64", []specs.Arch{specs.ArchX32}, unix.AUDIT_ARCH_X86_64, 0, kill},
		{"arm64", []specs.Arch{specs.ArchX32}, unix.AUDIT_ARCH_X86_64, x32Bit, allowed},
		{"arm64", []specs.Arch{specs.ArchX32, specs.ArchX86_64}, unix.AUDIT_ARCH_X86_64, 0, allowed},
	} {
		s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: test.listed}
		program := mustCompile(t, s, test.goarch).Instructions
		if got := answer(t, program, callData{number: test.number, arch: test.arch}); got != test.want {
			t.Errorf("%s with %v: call %#x of %#x is answered %#x, want %#x", test.goarch, test.listed, test.number, test.arch, got, test.want)
		}
	}
}

// TestTheSecondDoorIsShutWithTheFirst asks for i386's socketcall and ipc.
func TestTheSecondDoorIsShutWithTheFirst(t *testing.T) {
	t.Parallel()
	const socketcall, ipc = 102, 117
	inet := specs.LinuxSeccompArg{Index: 0, Value: unix.AF_INET, Op: specs.OpEqualTo}
	refuse := func(name string, args ...specs.LinuxSeccompArg) specs.LinuxSyscall {
		return specs.LinuxSyscall{Names: []string{name}, Action: specs.ActTrap, Args: args}
	}
	for _, test := range []struct {
		name   string
		entry  specs.LinuxSyscall
		number uint32
		first  uint64
		want   uint32
	}{
		{"refused", refuse("socket"), socketcall, 1, unix.SECCOMP_RET_TRAP},
		{"another", refuse("socket"), socketcall, 2, errnoEPERM},
		{"high bits", refuse("socket"), socketcall, 1 | 1<<32, unix.SECCOMP_RET_TRAP},
		{"refused with args", refuse("socket", inet), socketcall, 1, unix.SECCOMP_RET_TRAP},
		{"allowed", allow("socket"), socketcall, 1, unix.SECCOMP_RET_ALLOW},
		{"allowed with args", specs.LinuxSyscall{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{inet}}, socketcall, 1, errnoEPERM},
		{"ipc", refuse("shmat"), ipc, 21, unix.SECCOMP_RET_TRAP},
		{"ipc with a version", refuse("shmat"), ipc, 21 | 1<<16, unix.SECCOMP_RET_TRAP},
		{"ipc by name", allow("ipc"), ipc, 21, unix.SECCOMP_RET_ALLOW},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86}, Syscalls: []specs.LinuxSyscall{test.entry, refuse("rseq_slice_yield")}}
			d := callData{number: test.number, arch: unix.AUDIT_ARCH_I386, args: [6]uint64{test.first}}
			if got := answer(t, mustCompile(t, s, "amd64").Instructions, d); got != test.want {
				t.Errorf("answered %#x, want %#x", got, test.want)
			}
		})
	}
}
