package early

const (
	sysIoctl        = 29
	sysFlock        = 32
	sysUnlinkat     = 35
	sysOpenat       = 56
	sysClose        = 57
	sysRead         = 63
	sysWrite        = 64
	sysPpoll        = 73
	sysReadlinkat   = 78
	sysFstat        = 80
	sysExitGroup    = 94
	sysClockGettime = 113
	sysPrctl        = 167
	sysPrlimit64    = 261
	sysPidfdOpen    = 434

	oDirectory = 0x4000
	oNofollow  = 0x8000
)

// stat is struct stat, up to what is read of it.
type stat struct {
	dev, ino              uint64
	mode, nlink, uid, gid uint32
	rest                  [16]uint64
}
