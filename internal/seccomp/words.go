package seccomp

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// An action is one SCMP_ACT_ word and what a filter returns for it (seccomp(2)).
type action struct {
	name specs.LinuxSeccompAction
	ret  uint32
	data uint32 // the greatest errnoRet; 0 where the action takes none
}

// maxErrno is the greatest errno that the kernel hands on (MAX_ERRNO of
// linux/err.h); it lowers a greater one in silence.
const maxErrno = 4095

var actions = [...]action{
	{specs.ActAllow, unix.SECCOMP_RET_ALLOW, 0},
	{specs.ActErrno, unix.SECCOMP_RET_ERRNO, maxErrno},
	{specs.ActKill, unix.SECCOMP_RET_KILL_THREAD, 0},
	{specs.ActKillProcess, unix.SECCOMP_RET_KILL_PROCESS, 0},
	{specs.ActKillThread, unix.SECCOMP_RET_KILL_THREAD, 0},
	{specs.ActLog, unix.SECCOMP_RET_LOG, 0},
	{specs.ActNotify, unix.SECCOMP_RET_USER_NOTIF, 0},
	{specs.ActTrace, unix.SECCOMP_RET_TRACE, unix.SECCOMP_RET_DATA},
	{specs.ActTrap, unix.SECCOMP_RET_TRAP, 0},
}

// An operator is one SCMP_CMP_ word.
type operator uint8

const (
	notEqual operator = iota
	lessThan
	lessEqual
	equalTo
	greaterEqual
	greaterThan
	maskedEqual
)

var operators = [...]specs.LinuxSeccompOperator{
	notEqual:     specs.OpNotEqual,
	lessThan:     specs.OpLessThan,
	lessEqual:    specs.OpLessEqual,
	equalTo:      specs.OpEqualTo,
	greaterEqual: specs.OpGreaterEqual,
	greaterThan:  specs.OpGreaterThan,
	maskedEqual:  specs.OpMaskedEqual,
}

// A loadFlag is one word of linux.seccomp.flags.
type loadFlag struct {
	name specs.LinuxSeccompFlag
	bit  uint32
}

var flags = [...]loadFlag{
	{"SECCOMP_FILTER_FLAG_TSYNC", unix.SECCOMP_FILTER_FLAG_TSYNC}, // specs-go has no name for it
	{specs.LinuxSeccompFlagLog, unix.SECCOMP_FILTER_FLAG_LOG},
	{specs.LinuxSeccompFlagSpecAllow, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{specs.LinuxSeccompFlagWaitKillableRecv, unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
}

// Actions gives the words that an action may be, sorted.
func Actions() []string {
	words := make([]string, len(actions))
	for i := range actions {
		words[i] = string(actions[i].name)
	}
	return words
}

// Operators gives the words that args[].op may be.
func Operators() []string {
	words := make([]string, len(operators))
	for i, op := range operators {
		words[i] = string(op)
	}
	return words
}

// Flags gives the words that flags may have.
func Flags() []string {
	words := make([]string, len(flags))
	for i := range flags {
		words[i] = string(flags[i].name)
	}
	return words
}

// Architectures gives the words that architectures may have.
func Architectures() []string {
	words := make([]string, len(archs))
	for i := range archs {
		words[i] = string(archs[i].name)
	}
	return words
}
