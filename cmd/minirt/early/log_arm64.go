package early

const (
	sysRenameat    = 38
	sysFtruncate   = 46
	sysChdir       = 49
	sysFchmod      = 52
	sysFchown      = 55
	sysWritev      = 66
	sysRtSigaction = 134
	sysUmask       = 166
)

//go:nosplit
func size(s *stat) int { return int(s.rest[2]) }
