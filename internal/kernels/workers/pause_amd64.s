//go:build !purego

#include "textflag.h"

// func pauseAMD64()
TEXT ·pauseAMD64(SB), NOSPLIT, $0-0
	PAUSE
	RET
