#include "textflag.h"

// The interpreter for arm64: the same, instruction by instruction, as
// interpreter_amd64.s, where the layout of its world is told. Registers:
//
//   R19 this step   R20 descriptor for the report   R21 address of the first step
//   R22 flags       R23 bits of the arguments that are loaded

// func interpreter()
TEXT ·interpreter(SB), NOSPLIT|NOFRAME, $0-0
	MOVD $0x40, R9
	LSL $16, R9, R9
	MOVD 0x58(R9), R19
	MOVD 0x90(R9), R20
	MOVD R19, R21
	SUB $64, RSP

step:
	MOVBU 2(R19), R23
	MOVW 24(R19), R0
	TBZ $0, R23, a1
	MOVD (R0), R0

a1:
	MOVW 28(R19), R1
	TBZ $1, R23, a2
	MOVD (R1), R1

a2:
	MOVW 32(R19), R2
	TBZ $2, R23, a3
	MOVD (R2), R2

a3:
	MOVW 36(R19), R3
	TBZ $3, R23, a4
	MOVD (R3), R3

a4:
	MOVW 40(R19), R4
	TBZ $4, R23, a5
	MOVD (R4), R4

a5:
	MOVW 44(R19), R5
	TBZ $5, R23, call
	MOVD (R5), R5

call:
	MOVBU 3(R19), R22
	MOVHU 0(R19), R8
	MOVD R0, R6                   // the errno, if this is fail
	MOVD $0xfffe, R9
	CMP R9, R8
	BEQ fail
	BGT test
	SVC
	B result

test:                                 // 0 if its two arguments are equal; a missing one is 0
	EOR R1, R0, R0

result:
	MOVD $4095, R9
	ADDS R9, R0, R9
	BCS failed                    // unsigned: -4095 to -1 wraps to 0 to 4094, nothing else does
	MOVWU 16(R19), R9
	CBZ R9, stored
	MOVD R0, (R9)

stored:
	CBNZ R0, notzero
	MOVD $32, R6                  // EPIPE
	TBNZ $0, R22, fail            // ZeroFails
	B jump

notzero:
	MOVD ZR, R9
	TBNZ $1, R22, next            // IfZero

jump:
	MOVHU 4(R19), R9
	B next

failed:
	NEG R0, R6
	MOVHU 8(R19), R9
	CMP R9, R6
	BEQ tolerated
	MOVHU 10(R19), R9
	CMP R9, R6
	BEQ tolerated
	MOVHU 12(R19), R9
	CMP R9, R6
	BEQ tolerated
	MOVHU 14(R19), R9
	CMP R9, R6
	BNE fail

tolerated:
	TBZ $2, R22, jumptolerated    // KeepErrno
	MOVWU 16(R19), R9
	MOVD R6, (R9)

jumptolerated:
	MOVHU 6(R19), R9

next:
	ADD $1, R9
	MOVD $48, R10
	MUL R10, R9, R9
	ADD R9, R19
	B step

fail:                                 // errno in R6
	SUB R21, R19, R9
	MOVW R9, 0(RSP)
	MOVW R6, 4(RSP)
	MOVD R20, R0
	MOVD RSP, R1
	MOVD $8, R2
	MOVD $64, R8                  // write
	SVC
	MOVD $127, R0
	MOVD $94, R8                  // exit_group
	SVC
	BRK

// func interpreterEnd()
TEXT ·interpreterEnd(SB), NOSPLIT|NOFRAME, $0-0
	BRK

// func code() (from, to unsafe.Pointer)
TEXT ·code(SB), NOSPLIT, $0-16
	MOVD $·interpreter(SB), R0
	MOVD R0, from+0(FP)
	MOVD $·interpreterEnd(SB), R0
	MOVD R0, to+8(FP)
	RET
