#include "textflag.h"

// relay is a signal handler. It runs on the signal stack, outside Go: it may
// touch nothing but its registers. The signal's number comes in DI.
TEXT ·relay(SB), NOSPLIT|NOFRAME, $0-0
	MOVL DI, SI
	MOVQ ·relayTo(SB), DI
	XORL DX, DX
	XORL R10, R10
	MOVL $424, AX                 // pidfd_send_signal
	SYSCALL
	RET

// relayReturn is the handler's way back (SA_RESTORER, sigreturn(2)).
TEXT ·relayReturn(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $15, AX                  // rt_sigreturn
	SYSCALL
	INT $3

// func relayCode() (handler, restorer unsafe.Pointer)
TEXT ·relayCode(SB), NOSPLIT, $0-16
	LEAQ ·relay(SB), AX
	MOVQ AX, handler+0(FP)
	LEAQ ·relayReturn(SB), AX
	MOVQ AX, restorer+8(FP)
	RET
