package seccomp

import (
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A reader turns the words of linux.seccomp into values and collects what is
// wrong with them.
type reader struct {
	faults   Errors
	warnings []string
	unknown  map[string]bool // names already warned of
	next     callID          // the one after the last that was named
}

// fault notes a fault at a path below linux.seccomp.
func (r *reader) fault(path, text string) {
	r.faults = append(r.faults, &Error{"linux.seccomp" + path, text})
}

// profile reads defaultAction, defaultErrnoRet and syscalls.
func (r *reader) profile(s *specs.LinuxSeccomp) *profile {
	p := &profile{links: make([]link, 1, 16)}
	for i := range throughDoors {
		if id, known := call(throughDoors[i].name); known {
			p.doors[id] = uint8(i + 1)
		}
	}
	p.fallback = r.action(s.DefaultAction, s.DefaultErrnoRet, top)
	p.notify = p.fallback == unix.SECCOMP_RET_USER_NOTIF
	for i := range s.Syscalls {
		r.syscall(p, &s.Syscalls[i], i)
	}
	return p
}

// syscall reads syscalls[i].
func (r *reader) syscall(p *profile, s *specs.LinuxSyscall, i int) {
	action := r.action(s.Action, s.ErrnoRet, i)
	p.notify = p.notify || action == unix.SECCOMP_RET_USER_NOTIF
	conditions := r.conditions(s.Args, i)
	if len(s.Names) == 0 {
		r.fault(entry(i)+".names", "has no entry")
	}
	rules := p.add(i, action, conditions)
	for j, name := range s.Names {
		id, known := r.call(name)
		if !known {
			r.warnUnknown(name, i, j)
			continue
		}
		p.name(id, rules)
		p.nameMultiplexed(id, i, action, len(conditions) > 0)
	}
}

// call finds a name in callNames: near the one before, as profiles are sorted, too.
func (r *reader) call(name string) (id callID, known bool) {
	const near = 4
	for id := r.next; id < min(r.next+near, callID(len(callNames))); id++ {
		if callNames[id] == name {
			r.next = id + 1
			return id, true
		}
	}
	if id, known = call(name); known {
		r.next = id + 1
	}
	return id, known
}

// warnUnknown warns once of a name that no table has. It may be newer than
// they are, so it's no fault.
func (r *reader) warnUnknown(name string, i, j int) {
	if r.unknown[name] {
		return
	}
	if r.unknown == nil {
		r.unknown = map[string]bool{}
	}
	r.unknown[name] = true
	r.warnings = append(r.warnings, "linux.seccomp"+entry(i)+".names"+index(j)+": unknown system call "+strconv.Quote(name)+" is left out")
}

// conditions reads syscalls[i].args.
func (r *reader) conditions(args []specs.LinuxSeccompArg, i int) []condition {
	if len(args) == 0 {
		return nil
	}
	all := make([]condition, len(args))
	for j := range args {
		arg := &args[j]
		op := slices.Index(operators[:], arg.Op)
		if op < 0 {
			r.fault(entry(i)+".args"+index(j)+".op", unknownWord("operator", string(arg.Op)))
		}
		if arg.Index >= argumentCount {
			r.fault(entry(i)+".args"+index(j)+".index", "is "+strconv.FormatUint(uint64(arg.Index), 10)+", but a system call has arguments 0 to 5")
		}
		all[j] = condition{uint8(arg.Index), operator(op), arg.Value, arg.ValueTwo}
	}
	return all
}

// top stands for the default action where else the index of a syscalls entry stands.
const top = -1

// action gives the value that a filter returns for the action and errno of syscalls[i].
func (r *reader) action(word specs.LinuxSeccompAction, errno *uint, i int) uint32 {
	known := slices.IndexFunc(actions[:], func(a action) bool { return a.name == word })
	if known < 0 {
		r.fault(actionPath(i), unknownWord("action", string(word)))
		return badArch
	}
	a := &actions[known]
	switch {
	case errno == nil && a.data == 0:
		return a.ret
	case errno == nil:
		return a.ret | uint32(unix.EPERM)
	case a.data == 0:
		r.fault(errnoPath(i), "is not allowed with "+string(word))
	case *errno > uint(a.data):
		r.fault(errnoPath(i), "is "+strconv.FormatUint(uint64(*errno), 10)+", more than "+strconv.Itoa(int(a.data)))
	default:
		return a.ret | uint32(*errno)
	}
	return a.ret
}

func entry(i int) string { return ".syscalls" + index(i) }

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func actionPath(i int) string {
	if i == top {
		return ".defaultAction"
	}
	return entry(i) + ".action"
}

func errnoPath(i int) string {
	if i == top {
		return ".defaultErrnoRet"
	}
	return entry(i) + ".errnoRet"
}

// flags reads flags. Where config.json doesn't have them, it is as if it had
// SPEC_ALLOW: engines rely on that, since the mitigation that this flag leaves
// out is slow and no longer needed for seccomp's sake.
func (r *reader) flags(words []specs.LinuxSeccompFlag) uint32 {
	if words == nil {
		return unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	}
	var bits uint32
	for i, word := range words {
		known := slices.IndexFunc(flags[:], func(f loadFlag) bool { return f.name == word })
		if known < 0 {
			r.fault(".flags"+index(i), unknownWord("flag", string(word)))
			continue
		}
		bits |= flags[known].bit
	}
	return bits
}

// machines reads architectures. The native one is always among them.
func (r *reader) machines(words []specs.Arch, goarch string) []machine {
	own := native(goarch)
	if own < 0 {
		r.fault("", "no system call table for a machine of architecture "+strconv.Quote(goarch))
		return nil
	}
	var wanted [len(archs)]bool
	for i, word := range words {
		known := findArch(word)
		switch {
		case known < 0:
			r.fault(".architectures"+index(i), unknownWord("architecture", string(word)))
		default:
			wanted[known] = true
		}
	}
	return machines(own, &wanted)
}

func unknownWord(kind, word string) string {
	if word == "" {
		return "is required"
	}
	return "unknown " + kind + " " + strconv.Quote(word)
}
