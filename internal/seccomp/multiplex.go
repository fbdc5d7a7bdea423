package seccomp

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Some old ABIs (i386, MIPS O32, PowerPC, s390x) have a second door to the
// socket and System V IPC calls: socketcall(2) and ipc(2), whose first argument
// says which call is meant.

const (
	socketMask = 1<<32 - 1 // socketcall's first argument is an int
	ipcMask    = 1<<16 - 1 // the upper half of ipc's is a version
)

// A multiplexed call is one that also goes through socketcall or ipc, where it
// is told by a condition on the first argument.
type multiplexed struct {
	name  string
	door  string
	first [1]condition
}

// number gives the condition that a door's first argument says n.
func number(mask, n uint64) [1]condition { return [1]condition{{0, maskedEqual, mask, n}} }

// throughDoors is sorted by name. The numbers are those of linux/net.h and linux/ipc.h.
var throughDoors = [...]multiplexed{
	{"accept", "socketcall", number(socketMask, 5)},
	{"accept4", "socketcall", number(socketMask, 18)},
	{"bind", "socketcall", number(socketMask, 2)},
	{"connect", "socketcall", number(socketMask, 3)},
	{"getpeername", "socketcall", number(socketMask, 7)},
	{"getsockname", "socketcall", number(socketMask, 6)},
	{"getsockopt", "socketcall", number(socketMask, 15)},
	{"listen", "socketcall", number(socketMask, 4)},
	{"msgctl", "ipc", number(ipcMask, 14)},
	{"msgget", "ipc", number(ipcMask, 13)},
	{"msgrcv", "ipc", number(ipcMask, 12)},
	{"msgsnd", "ipc", number(ipcMask, 11)},
	{"recv", "socketcall", number(socketMask, 10)},
	{"recvfrom", "socketcall", number(socketMask, 12)},
	{"recvmmsg", "socketcall", number(socketMask, 19)},
	{"recvmsg", "socketcall", number(socketMask, 17)},
	{"semctl", "ipc", number(ipcMask, 3)},
	{"semget", "ipc", number(ipcMask, 2)},
	{"semop", "ipc", number(ipcMask, 1)},
	{"semtimedop", "ipc", number(ipcMask, 4)},
	{"send", "socketcall", number(socketMask, 9)},
	{"sendmmsg", "socketcall", number(socketMask, 20)},
	{"sendmsg", "socketcall", number(socketMask, 16)},
	{"sendto", "socketcall", number(socketMask, 11)},
	{"setsockopt", "socketcall", number(socketMask, 14)},
	{"shmat", "ipc", number(ipcMask, 21)},
	{"shmctl", "ipc", number(ipcMask, 24)},
	{"shmdt", "ipc", number(ipcMask, 22)},
	{"shmget", "ipc", number(ipcMask, 23)},
	{"shutdown", "socketcall", number(socketMask, 13)},
	{"socket", "socketcall", number(socketMask, 1)},
	{"socketpair", "socketcall", number(socketMask, 8)},
}

// nameMultiplexed applies an entry that names a call to the call's second door,
// too. The call's own arguments lie in memory there, out of a filter's sight:
// of an entry with conditions, an action that lets the call through is left
// out, and any other is taken as if it had none.
func (p *profile) nameMultiplexed(name string, action uint32, conditional bool) {
	if action == p.fallback || conditional && letsThrough(action) {
		return
	}
	i, found := slices.BinarySearchFunc(throughDoors[:], name, func(m multiplexed, name string) int {
		return strings.Compare(m.name, name)
	})
	if !found {
		return
	}
	m := &throughDoors[i]
	door, _ := call(m.door)
	if d := &p.decisions[door]; !d.fixed {
		p.rules = append(p.rules, rule{action, m.first[:]})
		p.apply(d, len(p.rules)-1, len(p.rules)-1)
	}
}

func letsThrough(action uint32) bool {
	return action == unix.SECCOMP_RET_ALLOW || action == unix.SECCOMP_RET_LOG
}
