package lifecycle

import "golang.org/x/sys/unix"

// The kernel's constants as plain integers, for the arguments of steps.
const (
	atFDCWD           = unix.AT_FDCWD
	prSetName         = unix.PR_SET_NAME
	prSetDumpable     = unix.PR_SET_DUMPABLE
	prSetKeepCaps     = unix.PR_SET_KEEPCAPS
	prSetNoNewPrivs   = unix.PR_SET_NO_NEW_PRIVS
	prCapbsetDrop     = unix.PR_CAPBSET_DROP
	prCapAmbient      = unix.PR_CAP_AMBIENT
	ambientRaise      = unix.PR_CAP_AMBIENT_RAISE
	ambientClearAll   = unix.PR_CAP_AMBIENT_CLEAR_ALL
	closeRangeCloexec = unix.CLOSE_RANGE_CLOEXEC
)
