package seccomp

import "golang.org/x/sys/unix"

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
	first firstIs
}

// firstIs has the condition that a door's first argument is the call's number.
type firstIs [1]condition

// throughDoors has all of them. The numbers are those of linux/net.h and linux/ipc.h.
var throughDoors = [...]multiplexed{
	{"accept", "socketcall", firstIs{{0, maskedEqual, socketMask, 5}}},
	{"accept4", "socketcall", firstIs{{0, maskedEqual, socketMask, 18}}},
	{"bind", "socketcall", firstIs{{0, maskedEqual, socketMask, 2}}},
	{"connect", "socketcall", firstIs{{0, maskedEqual, socketMask, 3}}},
	{"getpeername", "socketcall", firstIs{{0, maskedEqual, socketMask, 7}}},
	{"getsockname", "socketcall", firstIs{{0, maskedEqual, socketMask, 6}}},
	{"getsockopt", "socketcall", firstIs{{0, maskedEqual, socketMask, 15}}},
	{"listen", "socketcall", firstIs{{0, maskedEqual, socketMask, 4}}},
	{"msgctl", "ipc", firstIs{{0, maskedEqual, ipcMask, 14}}},
	{"msgget", "ipc", firstIs{{0, maskedEqual, ipcMask, 13}}},
	{"msgrcv", "ipc", firstIs{{0, maskedEqual, ipcMask, 12}}},
	{"msgsnd", "ipc", firstIs{{0, maskedEqual, ipcMask, 11}}},
	{"recv", "socketcall", firstIs{{0, maskedEqual, socketMask, 10}}},
	{"recvfrom", "socketcall", firstIs{{0, maskedEqual, socketMask, 12}}},
	{"recvmmsg", "socketcall", firstIs{{0, maskedEqual, socketMask, 19}}},
	{"recvmsg", "socketcall", firstIs{{0, maskedEqual, socketMask, 17}}},
	{"semctl", "ipc", firstIs{{0, maskedEqual, ipcMask, 3}}},
	{"semget", "ipc", firstIs{{0, maskedEqual, ipcMask, 2}}},
	{"semop", "ipc", firstIs{{0, maskedEqual, ipcMask, 1}}},
	{"semtimedop", "ipc", firstIs{{0, maskedEqual, ipcMask, 4}}},
	{"send", "socketcall", firstIs{{0, maskedEqual, socketMask, 9}}},
	{"sendmmsg", "socketcall", firstIs{{0, maskedEqual, socketMask, 20}}},
	{"sendmsg", "socketcall", firstIs{{0, maskedEqual, socketMask, 16}}},
	{"sendto", "socketcall", firstIs{{0, maskedEqual, socketMask, 11}}},
	{"setsockopt", "socketcall", firstIs{{0, maskedEqual, socketMask, 14}}},
	{"shmat", "ipc", firstIs{{0, maskedEqual, ipcMask, 21}}},
	{"shmctl", "ipc", firstIs{{0, maskedEqual, ipcMask, 24}}},
	{"shmdt", "ipc", firstIs{{0, maskedEqual, ipcMask, 22}}},
	{"shmget", "ipc", firstIs{{0, maskedEqual, ipcMask, 23}}},
	{"shutdown", "socketcall", firstIs{{0, maskedEqual, socketMask, 13}}},
	{"socket", "socketcall", firstIs{{0, maskedEqual, socketMask, 1}}},
	{"socketpair", "socketcall", firstIs{{0, maskedEqual, socketMask, 8}}},
}

// nameMultiplexed applies an entry that names a call to the call's second door,
// too. The call's own arguments lie in memory there, out of a filter's sight:
// of an entry with conditions, an action that lets the call through is left
// out, and any other is taken as if it had none.
func (p *profile) nameMultiplexed(id callID, entry int, action uint32, conditional bool) {
	if p.doors[id] == 0 || action == p.fallback || conditional && letsThrough(action) {
		return
	}
	m := &throughDoors[p.doors[id]-1]
	door, _ := call(m.door)
	d := &p.decisions[door]
	d.named = true
	if !d.fixed {
		p.rules = append(p.rules, rule{action, m.first[:], entry})
		p.apply(d, len(p.rules)-1, len(p.rules)-1)
	}
}

func letsThrough(action uint32) bool {
	return action == unix.SECCOMP_RET_ALLOW || action == unix.SECCOMP_RET_LOG
}
