package plan

import (
	"strconv"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// form says how an argument is printed.
type form uint8

const (
	hex form = iota
	dec
	id       // 32 bits; all ones, which means none, is -1
	unsigned // 32 bits
	oct
	fd
	str
	strv
	ptr
	bytes
	errno
	openFlags
	openHow
	dupFlags
	atFlags
	accessAtFlags
	unlinkFlags
	treeFlags
	moveFlags
	cloneFlags
	nsFlags
	mountFlags
	mountAttr
	mountAttrs
	umountFlags
	accessMode
	fsconfigCommand
	fsopenFlags
	fsmountFlags
	closeRange
	fcntlCommand
	fcntlArg
	keyctlCommand
	keyctlArg
	ioctlRequest
	ioctlArg
	prctlOption
	prctlArg
	prctlArg3
	rlimitResource
	rlimit
	sigHow
	sigset
	signalfdFlags
	seccompOperation
	seccompFlags
	nodeMode
	device
	personality
	priorityWhich
	ioprioWho
	ioprio
	schedAttr
	cpuset
	memoryPolicy
	nodemask
	capHeader
	capData
	groups
	timespec
	family
	socketType
	sockaddr
	messageFlags
	landlockRuleset
	landlockRule
	landlockAttr
	clock
	protection
	mapFlags
)

// sets and enums are the forms that one table prints.
var sets = [...][]name{
	dupFlags: dupNames, atFlags: atNames, accessAtFlags: accessAtNames, unlinkFlags: unlinkNames, treeFlags: treeNames,
	moveFlags: moveNames, nsFlags: cloneNames, mountFlags: mountNames, mountAttr: attrNames, umountFlags: umountNames,
	fsopenFlags: fsopenNames, fsmountFlags: fsmountNames, signalfdFlags: signalfdNames, seccompFlags: filterNames,
	closeRange: closeRangeNames, messageFlags: messageNames, protection: protectionNames, mapFlags: mapNames,
}

var enums = [...][]name{
	fsconfigCommand: fsconfigNames, fcntlCommand: fcntlNames, keyctlCommand: keyctlNames, ioctlRequest: ioctlNames,
	prctlOption: prctlNames, sigHow: sigHowNames, seccompOperation: seccompNames, priorityWhich: priorityNames,
	ioprioWho: ioprioWhoNames, family: familyNames, landlockRule: landlockRuleNames, clock: clockNames,
}

// constant prints a constant argument of step s.
func (p *Plan) constant(s *Step, i int, f form) string {
	v := s.Args[i]
	if int(f) < len(sets) && sets[f] != nil {
		return set(sets[f], v)
	}
	if int(f) < len(enums) && enums[f] != nil {
		return enum(enums[f], v)
	}
	switch f {
	case dec:
		return strconv.FormatInt(int64(v), 10)
	case id:
		return strconv.Itoa(int(int32(v)))
	case unsigned:
		return strconv.FormatUint(uint64(uint32(v)), 10)
	case oct:
		return octal(v)
	case fd:
		if int64(v) == unix.AT_FDCWD {
			return "AT_FDCWD"
		}
		return strconv.FormatInt(int64(v), 10)
	case errno:
		return errnoName(v)
	case openFlags:
		return opening(v)
	case accessMode:
		if v == 0 {
			return "F_OK"
		}
		return set(accessNames, v)
	case cloneFlags:
		return join(set(cloneNames, v&^0xff), signalOrZero(v&0xff)) // CSIGNAL: the low byte is the exit signal
	case fcntlArg:
		return fcntlArgument(s.Args[1], v)
	case ioctlArg:
		if s.Args[1] == unix.TIOCGPTPEER {
			return opening(v)
		}
		return hexadecimal(v)
	case keyctlArg:
		if s.Args[0] == unix.KEYCTL_SETPERM {
			return strconv.FormatInt(int64(v), 10)
		}
	case prctlArg:
		return prctlArgument(s.Args[0], v)
	case prctlArg3:
		if s.Args[0] == unix.PR_CAP_AMBIENT && s.Args[1] != unix.PR_CAP_AMBIENT_CLEAR_ALL {
			return capability(v)
		}
		return strconv.FormatInt(int64(v), 10)
	case rlimitResource:
		return kernel.RlimitName(int(v))
	case nodeMode:
		return join(enum(nodeNames, v&unix.S_IFMT), octal(v&^unix.S_IFMT))
	case device:
		return "makedev(" + strconv.Itoa(int(unix.Major(v))) + ", " + strconv.Itoa(int(unix.Minor(v))) + ")"
	case personality:
		if v == 0 {
			return "PER_LINUX"
		}
		return set(personalityNames, v)
	case ioprio:
		return "IOPRIO_PRIO_VALUE(" + enum(ioprioClassNames, v>>13) + ", " + strconv.Itoa(int(v&0x1fff)) + ")"
	case memoryPolicy:
		const flags = unix.MPOL_F_STATIC_NODES | unix.MPOL_F_RELATIVE_NODES | unix.MPOL_F_NUMA_BALANCING
		return join(enum(memoryPolicyNames, v&^flags), set(policyFlagNames, v&flags))
	case socketType:
		return join(enum(socketTypeNames, v&0xf), set(socketFlagNames, v&^0xf))
	}
	if v == 0 && f != hex {
		return "NULL"
	}
	return hexadecimal(v)
}

// opening prints the flags of open: the access mode first, which O_PATH has not.
func opening(v uint64) string {
	if v&unix.O_PATH != 0 {
		return set(openFlagNames, v)
	}
	return join(enum(accessModeNames, v&unix.O_ACCMODE), set(openFlagNames, v&^unix.O_ACCMODE))
}

func octal(v uint64) string {
	s := "0" + strconv.FormatUint(v, 8)
	for len(s) < 3 {
		s = "0" + s
	}
	return s
}

func errnoName(v uint64) string {
	if v == uint64(unix.EOPNOTSUPP) {
		return "EOPNOTSUPP" // on Linux ENOTSUP is another name of it, which x/sys prefers
	}
	if s := unix.ErrnoName(unix.Errno(v)); s != "" {
		return s
	}
	return strconv.FormatUint(v, 10)
}

func capability(v uint64) string {
	if s := kernel.CapabilityName(int(v)); s != "" {
		return s
	}
	return strconv.FormatUint(v, 10)
}

func signalOrZero(v uint64) string {
	if v == 0 {
		return "0"
	}
	return kernel.SignalName(int(v))
}

func fcntlArgument(command, v uint64) string {
	switch command {
	case unix.F_SETFD:
		return set(fdFlagNames, v)
	case unix.F_SETFL:
		return opening(v)
	}
	return strconv.FormatInt(int64(v), 10)
}

func prctlArgument(option, v uint64) string {
	switch option {
	case unix.PR_CAPBSET_DROP:
		return capability(v)
	case unix.PR_CAP_AMBIENT:
		return enum(ambientNames, v)
	case unix.PR_SET_PDEATHSIG:
		return signalOrZero(v)
	case unix.PR_SET_SECUREBITS:
		return hexadecimal(v)
	}
	return strconv.FormatInt(int64(v), 10)
}
