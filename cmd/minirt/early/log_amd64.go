package early

const (
	sysRtSigaction = 13
	sysWritev      = 20
	sysFtruncate   = 77
	sysChdir       = 80
	sysFchmod      = 91
	sysFchown      = 93
	sysUmask       = 95
	sysRenameat    = 264
)

//go:nosplit
func size(s *stat) int { return int(s.rest[1]) }
