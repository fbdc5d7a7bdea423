package seccomptest

import (
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// comparisons are libseccomp's numbers of operators (enum scmp_compare).
var comparisons = map[specs.LinuxSeccompOperator]int{
	specs.OpNotEqual: 1, specs.OpLessThan: 2, specs.OpLessEqual: 3, specs.OpEqualTo: 4,
	specs.OpGreaterEqual: 5, specs.OpGreaterThan: 6, specs.OpMaskedEqual: 7,
}

// words is a profile in the words of the program with libseccomp.
func words(s *specs.LinuxSeccomp, setting int) string {
	var b strings.Builder
	fallback := ReturnValue(s.DefaultAction, s.DefaultErrnoRet)
	fmt.Fprintln(&b, "profile", setting, fallback)
	for _, a := range s.Architectures {
		fmt.Fprintln(&b, "arch", Archs[a])
	}
	for _, entry := range s.Syscalls {
		if action := ReturnValue(entry.Action, entry.ErrnoRet); action != fallback {
			writeRules(&b, action, entry)
		}
	}
	b.WriteString("end\n")
	return b.String()
}

func writeRules(b *strings.Builder, action uint32, entry specs.LinuxSyscall) {
	for _, name := range entry.Names {
		one := entry
		one.Names = nil
		for _, r := range Split(one) {
			fmt.Fprint(b, "rule ", action, " ", name, " ", len(r.Args))
			for _, a := range r.Args {
				fmt.Fprint(b, " ", a.Index, " ", comparisons[a.Op], " ", a.Value, " ", a.ValueTwo)
			}
			fmt.Fprintln(b)
		}
	}
}

// Split makes one entry for each of the args if two have the same index.
func Split(r specs.LinuxSyscall) []specs.LinuxSyscall {
	seen := map[uint]bool{}
	for _, a := range r.Args {
		seen[a.Index] = true
	}
	if len(seen) == len(r.Args) {
		return []specs.LinuxSyscall{r}
	}
	var all []specs.LinuxSyscall
	for _, a := range r.Args {
		one := r
		one.Args = []specs.LinuxSeccompArg{a}
		all = append(all, one)
	}
	return all
}

// ReturnValue is what a filter returns for an action (linux/seccomp.h).
func ReturnValue(word specs.LinuxSeccompAction, errno *uint) uint32 {
	data := uint32(unix.EPERM)
	if errno != nil {
		data = uint32(*errno)
	}
	return map[specs.LinuxSeccompAction]uint32{
		specs.ActAllow:       0x7fff0000,
		specs.ActLog:         0x7ffc0000,
		specs.ActTrace:       0x7ff00000 | data,
		specs.ActNotify:      0x7fc00000,
		specs.ActErrno:       0x00050000 | data,
		specs.ActTrap:        0x00030000,
		specs.ActKill:        0x00000000,
		specs.ActKillThread:  0x00000000,
		specs.ActKillProcess: 0x80000000,
	}[word]
}
