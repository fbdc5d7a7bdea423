package early

const (
	sysWrite        = 1
	sysClose        = 3
	sysRead         = 0
	sysFstat        = 5
	sysIoctl        = 16
	sysFlock        = 73
	sysExitGroup    = 231
	sysClockGettime = 228
	sysPrctl        = 157
	sysOpenat       = 257
	sysUnlinkat     = 263
	sysReadlinkat   = 267
	sysPpoll        = 271
	sysPrlimit64    = 302
	sysPidfdOpen    = 434

	oDirectory = 0x10000
	oNofollow  = 0x20000
)

// stat is struct stat, up to what is read of it.
type stat struct {
	dev, ino, nlink     uint64
	mode, uid, gid, pad uint32
	rest                [14]uint64
}
