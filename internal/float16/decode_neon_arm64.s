//go:build !purego

#include "textflag.h"
#include "../kernels/asm/neon_arm64.h"

// func decodeAsm(dst []float32, src []byte)
TEXT ·decodeAsm(SB), NOSPLIT, $0-48
	MOVD dst_base+0(FP), R0
	MOVD dst_len+8(FP), R1
	MOVD src_base+24(FP), R2

loop:
	FLDPQ.P 32(R2), (F0, F1)
	FCVTL(0, 2)
	FCVTL2(0, 3)
	FCVTL(1, 4)
	FCVTL2(1, 5)
	FSTPQ.P (F2, F3), 32(R0)
	FSTPQ.P (F4, F5), 32(R0)
	SUBS    $16, R1
	BNE     loop
	RET
