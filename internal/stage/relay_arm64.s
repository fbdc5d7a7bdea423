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

// wake is a signal handler, too: see relay_amd64.s.
TEXT ·wake(SB), NOSPLIT|NOFRAME, $0-0
	MOVD ·wakeBy(SB), R0
	MOVD $·wakeOne(SB), R1
	MOVD $8, R2
	MOVD $64, R8                  // write
	SVC
	RET

// relayReturn is the handlers' way back (SA_RESTORER, sigreturn(2)).
TEXT ·relayReturn(SB), NOSPLIT|NOFRAME, $0-0
	MOVD $139, R8                 // rt_sigreturn
	SVC
	BRK

// func relayCode() (relay, wake, restorer unsafe.Pointer)
TEXT ·relayCode(SB), NOSPLIT, $0-24
	MOVD $·relay(SB), R0
	MOVD R0, relay+0(FP)
	MOVD $·wake(SB), R0
	MOVD R0, wake+8(FP)
	MOVD $·relayReturn(SB), R0
	MOVD R0, restorer+16(FP)
	RET
