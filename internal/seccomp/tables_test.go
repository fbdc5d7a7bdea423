package seccomp

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestTablesHaveTheKernelsNumbers compares some calls of each ABI with numbers
// that are written in the kernel's own tables.
func TestTablesHaveTheKernelsNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		abi    specs.Arch
		name   string
		number uint32
	}{
		{specs.ArchX86, "restart_syscall", 0}, {specs.ArchX86, "_llseek", 140}, {specs.ArchX86, "socket", 359}, {specs.ArchX86, "shmget", 395},
		{specs.ArchX86_64, "read", 0}, {specs.ArchX86_64, "execve", 59}, {specs.ArchX86_64, "_sysctl", 156}, {specs.ArchX86_64, "clone3", 435},
		{specs.ArchX32, "read", 0x40000000}, {specs.ArchX32, "rt_sigaction", 0x40000200}, {specs.ArchX32, "execve", 0x40000208}, {specs.ArchX32, "pwritev2", 0x40000223}, {specs.ArchX32, "clone3", 0x400001b3},
		{specs.ArchARM, "arm_fadvise64_64", 270}, {specs.ArchARM, "cacheflush", 0xf0002}, {specs.ArchARM, "set_tls", 0xf0005},
		{specs.ArchAARCH64, "io_setup", 0}, {specs.ArchAARCH64, "execve", 221},
		{specs.ArchMIPS, "socketcall", 4102}, {specs.ArchMIPSEL, "read", 4003}, {specs.ArchMIPS64, "read", 5000}, {specs.ArchMIPSEL64, "cacheflush", 5197},
		{specs.ArchPPC, "ipc", 117}, {specs.ArchPPC64LE, "switch_endian", 363}, {specs.ArchS390X, "s390_sthyi", 380},
		{specs.ArchRISCV64, "riscv_flush_icache", 259}, {specs.ArchLOONGARCH64, "mseal", 462},
	} {
		if got, ok := numberOf(test.abi, test.name); !ok || got != test.number {
			t.Errorf("%s of %s has the number %#x (%v), want %#x", test.name, test.abi, got, ok, test.number)
		}
	}
	if got, ok := numberOf(specs.ArchX32, "uselib"); ok {
		t.Errorf("uselib of x32 has the number %#x", got)
	}
}

// TestTablesAreSorted holds what the binary searches and the line rest on.
func TestTablesAreSorted(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(callNames[:]) {
		t.Error("callNames is not sorted")
	}
	if !slices.IsSortedFunc(throughDoors[:], func(a, b multiplexed) int { return strings.Compare(a.name, b.name) }) {
		t.Error("throughDoors is not sorted")
	}
	for i, name := range callNames {
		if id, ok := call(name); !ok || id != callID(i) {
			t.Errorf("call(%q) gives %d, %v", name, id, ok)
		}
	}
	for _, name := range []string{"", "READ", "read ", "zzz"} {
		if id, ok := call(name); ok {
			t.Errorf("call(%q) gives %d", name, id)
		}
	}
	for _, m := range throughDoors {
		for _, name := range []string{m.name, m.door} {
			if _, ok := call(name); !ok {
				t.Errorf("%s is in no table", name)
			}
		}
	}
	for _, a := range archs {
		next := uint32(0)
		for _, s := range a.spans {
			if s.base < next {
				t.Errorf("%s: the span at %#x overlaps", a.name, s.base)
			}
			next = s.base + uint32(len(s.calls))
		}
	}
}
