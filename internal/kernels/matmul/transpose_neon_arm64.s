//go:build !purego

#include "textflag.h"
#include "../asm/neon_arm64.h"

// func transposeSquares(dst []float32, ldd int, src []float32, lds int, rows, cols int)
TEXT ·transposeSquares(SB), NOSPLIT, $0-80
	MOVD dst_base+0(FP), R0
	MOVD ldd+24(FP), R1
	LSL  $2, R1
	MOVD src_base+32(FP), R2
	MOVD lds+56(FP), R3
	LSL  $2, R3
	MOVD rows+64(FP), R4

rows:
	MOVD R2, R5
	ADD  R3, R5, R6
	ADD  R3, R6, R7
	ADD  R3, R7, R8
	MOVD R0, R9
	MOVD cols+72(FP), R10

square:
	FMOVQ.P 16(R5), F0
	FMOVQ.P 16(R6), F1
	FMOVQ.P 16(R7), F2
	FMOVQ.P 16(R8), F3
	SQUARE
	VST1.P  [V0.S4], (R9)(R1)
	VST1.P  [V1.S4], (R9)(R1)
	VST1.P  [V2.S4], (R9)(R1)
	VST1.P  [V3.S4], (R9)(R1)
	SUBS    $4, R10
	BNE     square
	ADD     R3<<2, R2
	ADD     $16, R0
	SUBS    $4, R4
	BNE     rows
	RET
