#include "textflag.h"

// entry is where the kernel begins the program: SP points to argc (System V ABI,
// Process Initialization). It calls walk, and lets Go begin with the block that
// walk gives. 16 bytes below the kernel's block stay free for it to grow into.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SP, BX
	SUBQ	$64, SP
	MOVQ	BX, 0(SP)
	MOVL	$158, AX		// arch_prctl
	MOVL	$0x1003, DI		// ARCH_GET_FS: compiled code reads g there, and never looks at it
	LEAQ	40(SP), SI
	SYSCALL
	CMPQ	40(SP), $0		// a C library's, where Go was built with cgo
	JNE	begin
	MOVL	$158, AX
	MOVL	$0x1002, DI		// ARCH_SET_FS; Go sets its own later
	LEAQ	·thread+64(SB), SI
	SYSCALL
begin:
	CALL	·walk(SB)
	MOVQ	8(SP), SP
	JMP	_rt0_amd64(SB)

// func syscall(number, a, b, c, d, e uintptr) (result uintptr)
TEXT ·syscall(SB),NOSPLIT,$0-56
	MOVQ	number+0(FP), AX
	MOVQ	a+8(FP), DI
	MOVQ	b+16(FP), SI
	MOVQ	c+24(FP), DX
	MOVQ	d+32(FP), R10
	MOVQ	e+40(FP), R8
	SYSCALL
	MOVQ	AX, result+48(FP)
	RET
