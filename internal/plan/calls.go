package plan

// Arch is a machine that the stage runs on.
type Arch uint8

// The architectures that have a stage.
const (
	AMD64 Arch = iota
	ARM64
)

// ArchOf gives the architecture by Go's name for it.
func ArchOf(goarch string) (a Arch, ok bool) {
	switch goarch {
	case "amd64":
		return AMD64, true
	case "arm64":
		return ARM64, true
	}
	return 0, false
}

func (a Arch) String() string { return [...]string{"amd64", "arm64"}[a] }

// Call is one row of the table of system calls.
type Call uint8

// The system calls that plans are made of, and the stage's own Test and Fail,
// which make no system call: Test's result is its argument, or its two arguments'
// exclusive or, which is 0 if they are equal; Fail fails with its argument.
const (
	Test Call = iota
	Fail
	Capset
	Chdir
	Chroot
	ClockGettime
	Clone
	Close
	CloseRange
	Connect
	Dup3
	Execve
	ExitGroup
	Faccessat2
	Fchdir
	Fchmodat
	Fchown
	Fchownat
	Fcntl
	Fsconfig
	Fsmount
	Fsopen
	IoprioSet
	Ioctl
	Keyctl
	LandlockAddRule
	LandlockCreateRuleset
	LandlockRestrictSelf
	Mkdirat
	Mknodat
	Mmap
	Mount
	MountSetattr
	MoveMount
	Munmap
	Openat
	Openat2
	OpenTree
	OpenTreeAttr
	Personality
	PivotRoot
	Ppoll
	Prctl
	Prlimit64
	Read
	RtSigprocmask
	SchedSetaffinity
	SchedSetattr
	Seccomp
	Sendmsg
	SetMempolicy
	Setdomainname
	Setgid
	Setgroups
	Sethostname
	Setns
	Setpriority
	Setsid
	Setuid
	Signalfd4
	Socket
	Symlinkat
	Umask
	Umount2
	Unlinkat
	Unshare
	Write
)

type call struct {
	name   string
	number [2]uint16 // by Arch (asm/unistd_64.h; asm-generic/unistd.h)
	params [MaxArgs]form
}

var calls = [...]call{
	Test:                  {"test", [2]uint16{0xffff, 0xffff}, [MaxArgs]form{dec, errno}},
	Fail:                  {"fail", [2]uint16{0xfffe, 0xfffe}, [MaxArgs]form{errno}},
	Capset:                {"capset", [2]uint16{126, 91}, [MaxArgs]form{capHeader, capData}},
	Chdir:                 {"chdir", [2]uint16{80, 49}, [MaxArgs]form{str}},
	Chroot:                {"chroot", [2]uint16{161, 51}, [MaxArgs]form{str}},
	ClockGettime:          {"clock_gettime", [2]uint16{228, 113}, [MaxArgs]form{clock, ptr}},
	Clone:                 {"clone", [2]uint16{56, 220}, [MaxArgs]form{cloneFlags, ptr, ptr, ptr, ptr}},
	Close:                 {"close", [2]uint16{3, 57}, [MaxArgs]form{fd}},
	CloseRange:            {"close_range", [2]uint16{436, 436}, [MaxArgs]form{unsigned, unsigned, closeRange}},
	Connect:               {"connect", [2]uint16{42, 203}, [MaxArgs]form{fd, sockaddr, dec}},
	Dup3:                  {"dup3", [2]uint16{292, 24}, [MaxArgs]form{fd, fd, dupFlags}},
	Execve:                {"execve", [2]uint16{59, 221}, [MaxArgs]form{str, strv, strv}},
	ExitGroup:             {"exit_group", [2]uint16{231, 94}, [MaxArgs]form{dec}},
	Faccessat2:            {"faccessat2", [2]uint16{439, 439}, [MaxArgs]form{fd, str, accessMode, accessAtFlags}},
	Fchdir:                {"fchdir", [2]uint16{81, 50}, [MaxArgs]form{fd}},
	Fchmodat:              {"fchmodat", [2]uint16{268, 53}, [MaxArgs]form{fd, str, oct}},
	Fchown:                {"fchown", [2]uint16{93, 55}, [MaxArgs]form{fd, id, id}},
	Fchownat:              {"fchownat", [2]uint16{260, 54}, [MaxArgs]form{fd, str, id, id, atFlags}},
	Fcntl:                 {"fcntl", [2]uint16{72, 25}, [MaxArgs]form{fd, fcntlCommand, fcntlArg}},
	Fsconfig:              {"fsconfig", [2]uint16{431, 431}, [MaxArgs]form{fd, fsconfigCommand, str, str, dec}},
	Fsmount:               {"fsmount", [2]uint16{432, 432}, [MaxArgs]form{fd, fsmountFlags, mountAttr}},
	Fsopen:                {"fsopen", [2]uint16{430, 430}, [MaxArgs]form{str, fsopenFlags}},
	IoprioSet:             {"ioprio_set", [2]uint16{251, 30}, [MaxArgs]form{ioprioWho, dec, ioprio}},
	Ioctl:                 {"ioctl", [2]uint16{16, 29}, [MaxArgs]form{fd, ioctlRequest, ioctlArg}},
	Keyctl:                {"keyctl", [2]uint16{250, 219}, [MaxArgs]form{keyctlCommand, keyctlArg, hex, hex, hex}},
	LandlockAddRule:       {"landlock_add_rule", [2]uint16{445, 445}, [MaxArgs]form{fd, landlockRule, landlockAttr, hex}},
	LandlockCreateRuleset: {"landlock_create_ruleset", [2]uint16{444, 444}, [MaxArgs]form{landlockRuleset, dec, hex}},
	LandlockRestrictSelf:  {"landlock_restrict_self", [2]uint16{446, 446}, [MaxArgs]form{fd, hex}},
	Mkdirat:               {"mkdirat", [2]uint16{258, 34}, [MaxArgs]form{fd, str, oct}},
	Mknodat:               {"mknodat", [2]uint16{259, 33}, [MaxArgs]form{fd, str, nodeMode, device}},
	Mmap:                  {"mmap", [2]uint16{9, 222}, [MaxArgs]form{ptr, dec, protection, mapFlags, fd, hex}},
	Mount:                 {"mount", [2]uint16{165, 40}, [MaxArgs]form{str, str, str, mountFlags, str}},
	MountSetattr:          {"mount_setattr", [2]uint16{442, 442}, [MaxArgs]form{fd, str, atFlags, mountAttrs, dec}},
	MoveMount:             {"move_mount", [2]uint16{429, 429}, [MaxArgs]form{fd, str, fd, str, moveFlags}},
	Munmap:                {"munmap", [2]uint16{11, 215}, [MaxArgs]form{ptr, dec}},
	Openat:                {"openat", [2]uint16{257, 56}, [MaxArgs]form{fd, str, openFlags, oct}},
	Openat2:               {"openat2", [2]uint16{437, 437}, [MaxArgs]form{fd, str, openHow, dec}},
	OpenTree:              {"open_tree", [2]uint16{428, 428}, [MaxArgs]form{fd, str, treeFlags}},
	OpenTreeAttr:          {"open_tree_attr", [2]uint16{467, 467}, [MaxArgs]form{fd, str, treeFlags, mountAttrs, dec}},
	Personality:           {"personality", [2]uint16{135, 92}, [MaxArgs]form{personality}},
	PivotRoot:             {"pivot_root", [2]uint16{155, 41}, [MaxArgs]form{str, str}},
	Ppoll:                 {"ppoll", [2]uint16{271, 73}, [MaxArgs]form{ptr, dec, timespec, ptr, dec}},
	Prctl:                 {"prctl", [2]uint16{157, 167}, [MaxArgs]form{prctlOption, prctlArg, prctlArg3, dec, dec}},
	Prlimit64:             {"prlimit64", [2]uint16{302, 261}, [MaxArgs]form{dec, rlimitResource, rlimit, ptr}},
	Read:                  {"read", [2]uint16{0, 63}, [MaxArgs]form{fd, ptr, dec}},
	RtSigprocmask:         {"rt_sigprocmask", [2]uint16{14, 135}, [MaxArgs]form{sigHow, sigset, ptr, dec}},
	SchedSetaffinity:      {"sched_setaffinity", [2]uint16{203, 122}, [MaxArgs]form{dec, dec, cpuset}},
	SchedSetattr:          {"sched_setattr", [2]uint16{314, 274}, [MaxArgs]form{dec, schedAttr, dec}},
	Seccomp:               {"seccomp", [2]uint16{317, 277}, [MaxArgs]form{seccompOperation, seccompFlags, ptr}},
	Sendmsg:               {"sendmsg", [2]uint16{46, 211}, [MaxArgs]form{fd, ptr, messageFlags}},
	SetMempolicy:          {"set_mempolicy", [2]uint16{238, 237}, [MaxArgs]form{memoryPolicy, nodemask, dec}},
	Setdomainname:         {"setdomainname", [2]uint16{171, 162}, [MaxArgs]form{str, dec}},
	Setgid:                {"setgid", [2]uint16{106, 144}, [MaxArgs]form{id}},
	Setgroups:             {"setgroups", [2]uint16{116, 159}, [MaxArgs]form{dec, groups}},
	Sethostname:           {"sethostname", [2]uint16{170, 161}, [MaxArgs]form{str, dec}},
	Setns:                 {"setns", [2]uint16{308, 268}, [MaxArgs]form{fd, nsFlags}},
	Setpriority:           {"setpriority", [2]uint16{141, 140}, [MaxArgs]form{priorityWhich, dec, dec}},
	Setsid:                {"setsid", [2]uint16{112, 157}, [MaxArgs]form{}},
	Setuid:                {"setuid", [2]uint16{105, 146}, [MaxArgs]form{id}},
	Signalfd4:             {"signalfd4", [2]uint16{289, 74}, [MaxArgs]form{fd, sigset, dec, signalfdFlags}},
	Socket:                {"socket", [2]uint16{41, 198}, [MaxArgs]form{family, socketType, dec}},
	Symlinkat:             {"symlinkat", [2]uint16{266, 36}, [MaxArgs]form{str, fd, str}},
	Umask:                 {"umask", [2]uint16{95, 166}, [MaxArgs]form{oct}},
	Umount2:               {"umount2", [2]uint16{166, 39}, [MaxArgs]form{str, umountFlags}},
	Unlinkat:              {"unlinkat", [2]uint16{263, 35}, [MaxArgs]form{fd, str, unlinkFlags}},
	Unshare:               {"unshare", [2]uint16{272, 97}, [MaxArgs]form{nsFlags}},
	Write:                 {"write", [2]uint16{1, 64}, [MaxArgs]form{fd, bytes, dec}},
}

// Name is the system call's name, as in its manual page.
func (c Call) Name() string { return calls[c].name }

// Number is the system call's number on an architecture.
func (c Call) Number(a Arch) uint16 { return calls[c].number[a] }
