package seccomp

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// callID is an index of callNames.
type callID uint16

// noCall stands in a table where a number has no call.
const noCall callID = 1<<16 - 1

// A span is a run of system call numbers: calls[i] has the number base + i.
// Each span grows by itself when the kernel gets new calls.
type span struct {
	base  uint32
	calls []callID
}

// An arch is one SCMP_ARCH_ word: an ABI through which programs call the kernel.
type arch struct {
	name  specs.Arch
	audit uint32 // AUDIT_ARCH_ value in seccomp_data.arch
	spans []span // in the order of the numbers
}

// x32Bit is set in the number of each call of the x32 ABI (asm/unistd.h), which
// has its seccomp_data.arch from x86-64.
const x32Bit = 0x40000000

// archs are the words that config-linux.md lists, "as of libseccomp v2.6.0".
var archs = [...]arch{
	{specs.ArchX86, unix.AUDIT_ARCH_I386, callsX86},
	{specs.ArchX86_64, unix.AUDIT_ARCH_X86_64, callsX86_64},
	{specs.ArchX32, unix.AUDIT_ARCH_X86_64, callsX32},
	{specs.ArchARM, unix.AUDIT_ARCH_ARM, callsARM},
	{specs.ArchAARCH64, unix.AUDIT_ARCH_AARCH64, callsAARCH64},
	{specs.ArchMIPS, unix.AUDIT_ARCH_MIPS, callsMIPS},
	{specs.ArchMIPS64, unix.AUDIT_ARCH_MIPS64, callsMIPS64},
	{specs.ArchMIPS64N32, unix.AUDIT_ARCH_MIPS64N32, callsMIPS64N32},
	{specs.ArchMIPSEL, unix.AUDIT_ARCH_MIPSEL, callsMIPS},
	{specs.ArchMIPSEL64, unix.AUDIT_ARCH_MIPSEL64, callsMIPS64},
	{specs.ArchMIPSEL64N32, unix.AUDIT_ARCH_MIPSEL64N32, callsMIPS64N32},
	{specs.ArchPPC, unix.AUDIT_ARCH_PPC, callsPPC},
	{specs.ArchPPC64, unix.AUDIT_ARCH_PPC64, callsPPC64},
	{specs.ArchPPC64LE, unix.AUDIT_ARCH_PPC64LE, callsPPC64},
	{specs.ArchS390, unix.AUDIT_ARCH_S390, callsS390},
	{specs.ArchS390X, unix.AUDIT_ARCH_S390X, callsS390X},
	{specs.ArchPARISC, unix.AUDIT_ARCH_PARISC, callsPARISC},
	{specs.ArchPARISC64, unix.AUDIT_ARCH_PARISC64, callsPARISC64},
	{specs.ArchRISCV64, unix.AUDIT_ARCH_RISCV64, callsRISCV64},
	{specs.ArchLOONGARCH64, unix.AUDIT_ARCH_LOONGARCH64, callsLOONGARCH64},
	{specs.ArchM68K, unix.AUDIT_ARCH_M68K, callsM68K},
	{specs.ArchSH, unix.AUDIT_ARCH_SHEL, callsSH},
	{specs.ArchSHEB, unix.AUDIT_ARCH_SH, callsSH},
}

// native gives the index of the ABI that programs built for goarch use, or -1.
func native(goarch string) int {
	switch goarch {
	case "amd64":
		return findArch(specs.ArchX86_64)
	case "arm64":
		return findArch(specs.ArchAARCH64)
	}
	return -1
}

func findArch(word specs.Arch) int {
	return slices.IndexFunc(archs[:], func(a arch) bool { return a.name == word })
}

// A machine is one value of seccomp_data.arch and the calls that come with it.
type machine struct {
	audit uint32
	spans []span // in the order of the numbers
}

// machines gives those of the wanted archs, the native one first. x32 follows
// x86-64 in archs, and so do its numbers.
func machines(native int, wanted *[len(archs)]bool) []machine {
	all := append(make([]machine, 0, 4), machine{archs[native].audit, archs[native].spans})
	for i := range archs {
		if wanted[i] && i != native {
			all = join(all, &archs[i])
		}
	}
	return all
}

func join(all []machine, a *arch) []machine {
	for i := range all {
		if m := &all[i]; m.audit == a.audit {
			m.spans = slices.Concat(m.spans, a.spans)
			return all
		}
	}
	return append(all, machine{a.audit, a.spans})
}

// lacks says that m is an x86-64 without one of its two ABIs, whose numbers
// begin at base.
func (m machine) lacks(base uint32) bool {
	return m.audit == unix.AUDIT_ARCH_X86_64 &&
		!slices.ContainsFunc(m.spans, func(s span) bool { return s.base == base })
}

// call finds a name in callNames.
func call(name string) (callID, bool) {
	low, high := 0, len(callNames)
	for low < high {
		mid := int(uint(low+high) / 2)
		if callNames[mid] < name {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return callID(low), low < len(callNames) && callNames[low] == name
}
