#include "textflag.h"

// The interpreter for amd64. It is never called inside minirt: image.go copies
// its bytes into a small ELF image, whose first instruction it is. So it must
// be position independent and refer to nothing outside itself. What it needs
// to know stands in two header fields that the kernel ignores (image.go):
//
//   0x400058  p_paddr of the first segment: address of the first step
//   0x400090  p_paddr of the second segment: descriptor for the report
//
// The step's layout is told in image.go. Registers:
//
//   R12 this step   R13 descriptor for the report   R14 address of the first step

// func interpreter()
TEXT ·interpreter(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ $0x400058, AX
	MOVQ (AX), R12
	MOVQ $0x400090, AX
	MOVQ (AX), R13
	MOVQ R12, R14
	SUBQ $64, SP

step:
	MOVBLZX 2(R12), BX            // arguments that are loaded
	XORL CX, CX

argument:
	MOVLQSX 24(R12)(CX*4), AX
	BTL CX, BX
	JCC constant
	MOVQ (AX), AX

constant:
	MOVQ AX, (SP)(CX*8)
	INCL CX
	CMPL CX, $6
	JLT argument
	MOVQ 0(SP), DI
	MOVQ 8(SP), SI
	MOVQ 16(SP), DX
	MOVQ 24(SP), R10
	MOVQ 32(SP), R8
	MOVQ 40(SP), R9
	MOVWLZX 0(R12), AX
	CMPL AX, $0xfffe
	JEQ fail                      // its errno is the argument
	JGT test
	SYSCALL
	JMP result

test:                                 // 0 if its two arguments are equal; a missing one is 0
	MOVQ DI, AX
	XORQ SI, AX

result:
	MOVBLZX 3(R12), BX            // flags
	CMPQ AX, $-4095
	JCC failed                    // unsigned: -4095 to -1 is an errno
	MOVLQZX 16(R12), CX
	TESTQ CX, CX
	JEQ stored
	MOVQ AX, (CX)

stored:
	TESTQ AX, AX
	JNE notzero
	MOVL $32, DI                  // EPIPE
	TESTL $1, BX                  // ZeroFails
	JNE fail
	JMP jump

notzero:
	XORL CX, CX
	TESTL $2, BX                  // IfZero
	JNE next

jump:
	MOVWLZX 4(R12), CX
	JMP next

failed:
	NEGQ AX
	MOVQ AX, DI
	CMPW AX, 8(R12)
	JEQ tolerated
	CMPW AX, 10(R12)
	JEQ tolerated
	CMPW AX, 12(R12)
	JEQ tolerated
	CMPW AX, 14(R12)
	JNE fail

tolerated:
	TESTL $4, BX                  // KeepErrno
	JEQ jumptolerated
	MOVLQZX 16(R12), CX
	MOVQ AX, (CX)

jumptolerated:
	MOVWLZX 6(R12), CX

next:
	INCL CX
	IMUL3Q $48, CX, CX
	ADDQ CX, R12
	JMP step

fail:                                 // errno in DI
	MOVQ R12, AX
	SUBQ R14, AX
	MOVL AX, 0(SP)                // the step, in bytes from the first
	MOVL DI, 4(SP)
	MOVL $1, AX                   // write
	MOVL R13, DI
	MOVQ SP, SI
	MOVL $8, DX
	SYSCALL
	MOVL $231, AX                 // exit_group
	MOVL $127, DI
	SYSCALL
	INT $3

// func interpreterEnd()
TEXT ·interpreterEnd(SB), NOSPLIT|NOFRAME, $0-0
	INT $3

// func code() (from, to unsafe.Pointer)
TEXT ·code(SB), NOSPLIT, $0-16
	LEAQ ·interpreter(SB), AX
	MOVQ AX, from+0(FP)
	LEAQ ·interpreterEnd(SB), AX
	MOVQ AX, to+8(FP)
	RET
