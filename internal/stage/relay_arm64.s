#include "textflag.h"

// relay is a signal handler: see relay_amd64.s. The signal's number comes in R0.
TEXT ·relay(SB), NOSPLIT|NOFRAME, $0-0
	MOVW R0, R1
	MOVD ·relayTo(SB), R0
	MOVD ZR, R2
	MOVD ZR, R3
	MOVD $424, R8                 // pidfd_send_signal
	SVC
	RET

// relayReturn is the handler's way back (SA_RESTORER, sigreturn(2)).
TEXT ·relayReturn(SB), NOSPLIT|NOFRAME, $0-0
	MOVD $139, R8                 // rt_sigreturn
	SVC
	BRK

// func relayCode() (handler, restorer unsafe.Pointer)
TEXT ·relayCode(SB), NOSPLIT, $0-16
	MOVD $·relay(SB), R0
	MOVD R0, handler+0(FP)
	MOVD $·relayReturn(SB), R0
	MOVD R0, restorer+8(FP)
	RET
