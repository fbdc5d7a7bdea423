package spec

import "github.com/opencontainers/runtime-spec/specs-go"

var (
	actions = [...]string{
		"SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO",
		"SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY",
	}
	architectures = [...]string{
		"SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
		"SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
		"SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC",
		"SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
	}
	seccompFlags = [...]string{
		"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
		"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
	}
	operators = [...]string{
		"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
	}
)

// seccomp holds the rules of config-linux.md, Seccomp. Which names of system
// calls exist is package seccomp's business.
func (c *checker) seccomp(at *path, s *specs.LinuxSeccomp) {
	c.action(at.member("defaultAction"), s.DefaultAction)
	c.errno(at.member("defaultErrnoRet"), s.DefaultAction, s.DefaultErrnoRet)
	for i, a := range s.Architectures {
		c.oneOf(at.item("architectures", i), "architecture", string(a), architectures[:])
	}
	for i, f := range s.Flags {
		c.oneOf(at.item("flags", i), "flag", string(f), seccompFlags[:])
	}
	notify := s.DefaultAction == specs.ActNotify
	for i := range s.Syscalls {
		notify = notify || s.Syscalls[i].Action == specs.ActNotify
		p := at.item("syscalls", i)
		c.syscall(&p, &s.Syscalls[i])
	}
	switch {
	case s.ListenerPath != "":
	case s.ListenerMetadata != "":
		c.fault(at.member("listenerMetadata"), "needs listenerPath")
	case notify:
		c.fault(at.member("listenerPath"), "is required for SCMP_ACT_NOTIFY")
	}
}

func (c *checker) syscall(at *path, s *specs.LinuxSyscall) {
	if len(s.Names) == 0 {
		c.fault(at.member("names"), "needs at least one entry")
	}
	c.action(at.member("action"), s.Action)
	c.errno(at.member("errnoRet"), s.Action, s.ErrnoRet)
	for i := range s.Args {
		a, p := &s.Args[i], at.item("args", i)
		if a.Index > 5 {
			c.fault(p.member("index"), number(a.Index)+" is out of range, want 0 to 5")
		}
		c.oneOf(p.member("op"), "operator", string(a.Op), operators[:])
	}
}

func (c *checker) action(at path, a specs.LinuxSeccompAction) {
	// Almost every rule of a profile has one of these two.
	if a != specs.ActAllow && a != specs.ActErrno {
		c.oneOf(at, "action", string(a), actions[:])
	}
}

// errno is the rule that only two actions give a number to the program or its
// tracer; the kernel would cut what doesn't fit (seccomp(2)).
func (c *checker) errno(at path, a specs.LinuxSeccompAction, n *uint) {
	most := uint(0)
	switch {
	case n == nil:
		return
	case a == specs.ActErrno:
		most = 4095 // MAX_ERRNO
	case a == specs.ActTrace:
		most = 1<<16 - 1 // SECCOMP_RET_DATA
	default:
		c.fault(at, number(*n)+" has no meaning for "+string(a)+", only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE")
		return
	}
	if *n > most {
		c.fault(at, number(*n)+" is out of range, want 0 to "+number(most))
	}
}
