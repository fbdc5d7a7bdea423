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

// wake is a signal handler, too: it counts on an eventfd, which somebody polls.
TEXT ·wake(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ ·wakeBy(SB), DI
	LEAQ ·wakeOne(SB), SI
	MOVL $8, DX
	MOVL $1, AX                   // write
	SYSCALL
	RET

// relayReturn is the handlers' way back (SA_RESTORER, sigreturn(2)).
TEXT ·relayReturn(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $15, AX                  // rt_sigreturn
	SYSCALL
	INT $3

// func relayCode() (relay, wake, restorer unsafe.Pointer)
TEXT ·relayCode(SB), NOSPLIT, $0-24
	LEAQ ·relay(SB), AX
	MOVQ AX, relay+0(FP)
	LEAQ ·wake(SB), AX
	MOVQ AX, wake+8(FP)
	LEAQ ·relayReturn(SB), AX
	MOVQ AX, restorer+16(FP)
	RET
