// The detectors of races and of bad memory put calls of Go into compiled code.
//go:build !race && !msan && !asan

#include "textflag.h"

// See entry_amd64.s.
TEXT _rt0_arm64_linux(SB),NOSPLIT|NOFRAME|DUPOK,$0
	JMP	github·com∕minirt∕minirt∕cmd∕minirt∕early·entry(SB)
