//go:build !purego

#include "textflag.h"
#include "../asm/neon_arm64.h"

// LOADSQUARE loads the next four values of each row.
#define LOADSQUARE \
	FMOVQ.P 16(R5), F0; \
	FMOVQ.P 16(R6), F1; \
	FMOVQ.P 16(R7), F2; \
	FMOVQ.P 16(R8), F3

// SQUARE transposes the rows a, b, c, d in V0…V3. On the way V4 is a0 c0 a1 c1,
// V5 a2 c2 a3 c3, V6 and V7 are the same of b and d.
#define SQUARE \
	VZIP1 V2.S4, V0.S4, V4.S4; \
	VZIP2 V2.S4, V0.S4, V5.S4; \
	VZIP1 V3.S4, V1.S4, V6.S4; \
	VZIP2 V3.S4, V1.S4, V7.S4; \
	VZIP1 V6.S4, V4.S4, V0.S4; \
	VZIP2 V6.S4, V4.S4, V1.S4; \
	VZIP1 V7.S4, V5.S4, V2.S4; \
	VZIP2 V7.S4, V5.S4, V3.S4

// NEXTSQUARE goes on to the next square of the rows or, after the last, to the next rows.
#define NEXTSQUARE(cols) \
	SUBS $4, cols;  \
	BNE  square;    \
	ADD  R3<<2, R2; \
	ADD  $16, R0;   \
	SUBS $4, R4;    \
	BNE  rows;      \
	RET

// func transposeSquares(dst []float32, ldd int, src []float32, lds int, rows, cols int)
TEXT ·transposeSquares(SB), NOSPLIT, $0-80
	MOVD dst_base+0(FP), R0
	BYTES4(ldd+24(FP), R1)
	MOVD src_base+32(FP), R2
	BYTES4(lds+56(FP), R3)
	MOVD rows+64(FP), R4

rows:
	MOVD R2, R5
	ADD  R3, R5, R6
	ADD  R3, R6, R7
	ADD  R3, R7, R8
	MOVD R0, R9
	MOVD cols+72(FP), R10

square:
	LOADSQUARE
	SQUARE
	VST1.P  [V0.S4], (R9)(R1)
	VST1.P  [V1.S4], (R9)(R1)
	VST1.P  [V2.S4], (R9)(R1)
	VST1.P  [V3.S4], (R9)(R1)
	NEXTSQUARE(R10)

// One column of a square to where off says.
#define PUT(v) \
	MOVD.P 8(R10), R12;     \
	ADD    R12<<2, R0, R12; \
	VST1   [v], (R12)

// func scatterSquares(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int)
TEXT ·scatterSquares(SB), NOSPLIT, $0-120
	MOVD dst_base+0(FP), R0
	MOVD src_base+48(FP), R2
	BYTES4(lds+72(FP), R3)
	MOVD scale_base+80(FP), R1
	MOVD rows+104(FP), R4

rows:
	FILL4(1, 16, 17, 18, 19)
	MOVD    R2, R5
	ADD     R3, R5, R6
	ADD     R3, R6, R7
	ADD     R3, R7, R8
	MOVD    off_base+24(FP), R10
	MOVD    cols+112(FP), R11

square:
	LOADSQUARE
	EACH4(FMUL, 16, 0, 0)
	SQUARE
	PUT(V0.S4)
	PUT(V1.S4)
	PUT(V2.S4)
	PUT(V3.S4)
	NEXTSQUARE(R11)
