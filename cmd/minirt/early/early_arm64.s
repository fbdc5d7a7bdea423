#include "textflag.h"

// See early_amd64.s. The 16 bytes below the kernel's block stay free; 0(RSP) is
// where walk saves its link.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVD	RSP, R0
	SUB	$48, RSP
	MOVD	R0, 8(RSP)
	BL	·walk(SB)
	MOVD	16(RSP), R0
	MOVD	R0, RSP
	JMP	_rt0_arm64(SB)

// func syscall(number, a, b, c, d, e uintptr) (result uintptr)
TEXT ·syscall(SB),NOSPLIT,$0-56
	MOVD	number+0(FP), R8
	MOVD	a+8(FP), R0
	MOVD	b+16(FP), R1
	MOVD	c+24(FP), R2
	MOVD	d+32(FP), R3
	MOVD	e+40(FP), R4
	SVC
	MOVD	R0, result+48(FP)
	RET
