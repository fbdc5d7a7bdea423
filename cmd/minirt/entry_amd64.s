// The detectors of races and of bad memory put calls of Go into compiled code.
//go:build !race && !msan && !asan

#include "textflag.h"

// The program's first instruction: package early's, and then Go's own. Go has a
// symbol of this name; of two that may be there twice (DUPOK) the linker keeps
// the one that it meets first, which is package main's. Should it ever choose
// otherwise, the program is the same, but slower: a test would tell.
TEXT _rt0_amd64_linux(SB),NOSPLIT|NOFRAME|DUPOK,$0
	JMP	github·com∕minirt∕minirt∕cmd∕minirt∕early·entry(SB)
