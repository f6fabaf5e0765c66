//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/neon_arm64.h"

// Registers of all three kernels; distances are in bytes:
//	R0      the strip
//	R12     position among the channels, R13 their end
//	R6      row of taps, R1…R4 tap of each pixel, R9 rows left, R16 taps left
//	R7      row of weights, R5 weight
//	R8      from a window to the next
//	R10 R11 from a tap to the next, from a weight to the next
//	R14 R15 from a row to the next, of taps and of weights
//	R20 R21 bits of the bounds
//
// Sixteen channels of four pixels are 16 FMLA for each tap among 23 instructions
// with loads of 20 vectors. Where windows are as far apart as taps, in rows of
// three, each value is loaded once: 48 FMLA among 63 with loads of 36.

#define CHANNELS \
	MOVD t+0(FP), R0;                \
	MOVD $0, R12;                    \
	BYTES4(strip_channels(R0), R13); \
	BYTES4(strip_xCol(R0), R10);     \
	BYTES4(strip_xRow(R0), R14)

// BLOCK sets r to where the block of channels at R12 is in a slice.
#define BLOCK(slice, r) \
	MOVD slice, r; \
	ADD  R12, r

// TAPS runs TAP over the window from channel R12 on, and ROWEND after each of
// its rows.
#define TAPS(row, tap, TAP, ROWEND) \
	BLOCK(strip_x(R0), R6); \
	MOVD strip_kh(R0), R9;  \
row: \
	MOVD R6, R1;            \
	MOVD strip_kw(R0), R16; \
tap: \
	TAP;                    \
	SUBS $1, R16;           \
	BNE  tap;               \
	ROWEND;                 \
	ADD  R14, R6;           \
	SUBS $1, R9;            \
	BNE  row

// WTAPS is the same with weights, and with the windows of four pixels.
#define WTAPS(row, tap, TAP) \
	BLOCK(strip_x(R0), R6); \
	BLOCK(strip_w(R0), R7); \
	MOVD strip_kh(R0), R9;  \
row: \
	MOVD R6, R1;            \
	ADD  R8, R1, R2;        \
	ADD  R8, R2, R3;        \
	ADD  R8, R3, R4;        \
	MOVD R7, R5;            \
	MOVD strip_kw(R0), R16; \
tap: \
	TAP;                    \
	SUBS $1, R16;           \
	BNE  tap;               \
	ADD  R14, R6;           \
	ADD  R15, R7;           \
	SUBS $1, R9;            \
	BNE  row

// BLOCKS goes on with the next block of channels: sixteen while there are
// enough, then eight, of which the last end with the channels.
#define BLOCKS(next, wide, narrow, done) \
next: \
	SUBS R12, R13, R17; \
	BLE  done;          \
	CMP  $64, R17;      \
	BGE  wide;          \
	CMP  $32, R17;      \
	BGE  narrow;        \
	SUB  $32, R13, R12; \
	JMP  narrow

// BIAS fills V0 and the following with the bias of the block, or with zeros.
#define BIAS16(taps) \
	ZERO4(0, 1, 2, 3);        \
	MOVD strip_bias(R0), R17; \
	CBZ  R17, taps;           \
	ADD  R12, R17;            \
	VLD1 (R17), [V0.S4, V1.S4, V2.S4, V3.S4]

#define BIAS8(taps) \
	ZERO(0); \
	ZERO(1); \
	MOVD strip_bias(R0), R17;    \
	CBZ  R17, taps;              \
	ADD  R12, R17;               \
	VLD1 (R17), [V0.S4, V1.S4]

#define ONE16 \
	VLD1.P (R5)(R11), [V16.S4, V17.S4, V18.S4, V19.S4]; \
	VLD1.P (R1)(R10), [V20.S4, V21.S4, V22.S4, V23.S4]; \
	EACH4(FMLA, 16, 20, 0)

#define ONE8 \
	VLD1.P (R5)(R11), [V16.S4, V17.S4]; \
	VLD1.P (R1)(R10), [V20.S4, V21.S4]; \
	EACH2(FMLA, 16, 20, 0)

#define FOUR16 \
	ONE16;                                              \
	VLD1.P (R2)(R10), [V24.S4, V25.S4, V26.S4, V27.S4]; \
	EACH4(FMLA, 16, 24, 4);                             \
	VLD1.P (R3)(R10), [V20.S4, V21.S4, V22.S4, V23.S4]; \
	EACH4(FMLA, 16, 20, 8);                             \
	VLD1.P (R4)(R10), [V24.S4, V25.S4, V26.S4, V27.S4]; \
	EACH4(FMLA, 16, 24, 12)

#define FOUR8 \
	ONE8;                               \
	VLD1.P (R2)(R10), [V22.S4, V23.S4]; \
	EACH2(FMLA, 16, 22, 4);             \
	VLD1.P (R3)(R10), [V24.S4, V25.S4]; \
	EACH2(FMLA, 16, 24, 8);             \
	VLD1.P (R4)(R10), [V26.S4, V27.S4]; \
	EACH2(FMLA, 16, 26, 12)

// The next column of a row of the picture, in V28…V31.
#define COLUMN \
	VLD1.P (R1)(R10), [V28.S4, V29.S4, V30.S4, V31.S4]

#define BOUNDS \
	VDUP R20, V30.S4; \
	VDUP R21, V31.S4

#define LIMIT2(x, y) \
	FMAX(30, x, x); \
	FMAX(30, y, y); \
	FMIN(31, x, x); \
	FMIN(31, y, y)

#define LIMIT4(w, x, y, z) \
	LIMIT2(w, x); \
	LIMIT2(y, z)

// R17 where the block of Y starts, R19 bytes to that of the next pixel.
#define RESULT \
	BLOCK(strip_y(R0), R17); \
	BYTES4(strip_yPix(R0), R19)

// PUT16 and PUT8 store so many channels of a pixel and go on with the next block.
#define PUT16(next) \
	RESULT;                                   \
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R17); \
	ADD  $64, R12;                            \
	JMP  next

#define PUT8(next) \
	RESULT;                     \
	VST1 [V0.S4, V1.S4], (R17); \
	ADD  $32, R12;              \
	JMP  next

// func depthwiseAsm(t *strip)
// The number of pixels is 4 or 1.
TEXT ·depthwiseAsm(SB), NOSPLIT, $0-8
	CHANNELS
	BYTES4(strip_wCol(R0), R11)
	BYTES4(strip_wRow(R0), R15)
	BYTES4(strip_xPix(R0), R8)
	MOVD  $0xff800000, R20 // −Inf and +Inf limit nothing
	MOVD  $0x7f800000, R21
	MOVBU strip_clamp(R0), R17
	CBZ   R17, start
	MOVWU strip_lo(R0), R20
	MOVWU strip_hi(R0), R21

start:
	MOVD strip_pixels(R0), R17
	CMP  $1, R17
	BEQ  next1
	BLOCKS(next4, wide4, narrow4, done)

wide4:
	BIAS16(wideTaps4)

wideTaps4:
	COPY(0, 4); COPY(1, 5); COPY(2, 6); COPY(3, 7)
	COPY(0, 8); COPY(1, 9); COPY(2, 10); COPY(3, 11)
	COPY(0, 12); COPY(1, 13); COPY(2, 14); COPY(3, 15)
	MOVD strip_kw(R0), R16
	CMP  $3, R16
	BNE  anyTaps4
	CMP  R8, R10
	BNE  anyTaps4
	BLOCK(strip_x(R0), R6)
	BLOCK(strip_w(R0), R7)
	MOVD strip_kh(R0), R9

threeTaps4:
	MOVD   R6, R1
	MOVD   R7, R5
	VLD1.P (R5)(R11), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P (R5)(R11), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1   (R5), [V24.S4, V25.S4, V26.S4, V27.S4]
	COLUMN
	EACH4(FMLA, 16, 28, 0)
	COLUMN
	EACH4(FMLA, 20, 28, 0)
	EACH4(FMLA, 16, 28, 4)
	COLUMN
	EACH4(FMLA, 24, 28, 0)
	EACH4(FMLA, 20, 28, 4)
	EACH4(FMLA, 16, 28, 8)
	COLUMN
	EACH4(FMLA, 24, 28, 4)
	EACH4(FMLA, 20, 28, 8)
	EACH4(FMLA, 16, 28, 12)
	COLUMN
	EACH4(FMLA, 24, 28, 8)
	EACH4(FMLA, 20, 28, 12)
	COLUMN
	EACH4(FMLA, 24, 28, 12)
	ADD    R14, R6
	ADD    R15, R7
	SUBS   $1, R9
	BNE    threeTaps4
	JMP    wideLimit4

anyTaps4:
	WTAPS(wideRow4, wideTap4, FOUR16)

wideLimit4:
	BOUNDS
	LIMIT4(0, 1, 2, 3)
	LIMIT4(4, 5, 6, 7)
	LIMIT4(8, 9, 10, 11)
	LIMIT4(12, 13, 14, 15)
	RESULT
	VST1.P [V0.S4, V1.S4, V2.S4, V3.S4], (R17)(R19)
	VST1.P [V4.S4, V5.S4, V6.S4, V7.S4], (R17)(R19)
	VST1.P [V8.S4, V9.S4, V10.S4, V11.S4], (R17)(R19)
	VST1   [V12.S4, V13.S4, V14.S4, V15.S4], (R17)
	ADD    $64, R12
	JMP    next4

narrow4:
	BIAS8(narrowTaps4)

narrowTaps4:
	COPY(0, 4)
	COPY(1, 5)
	COPY(0, 8)
	COPY(1, 9)
	COPY(0, 12)
	COPY(1, 13)
	WTAPS(narrowRow4, narrowTap4, FOUR8)
	BOUNDS
	LIMIT4(0, 1, 4, 5)
	LIMIT4(8, 9, 12, 13)
	RESULT
	VST1.P [V0.S4, V1.S4], (R17)(R19)
	VST1.P [V4.S4, V5.S4], (R17)(R19)
	VST1.P [V8.S4, V9.S4], (R17)(R19)
	VST1   [V12.S4, V13.S4], (R17)
	ADD    $32, R12
	JMP    next4

	BLOCKS(next1, wide1, narrow1, done)

wide1:
	BIAS16(wideTaps1)

wideTaps1:
	WTAPS(wideRow1, wideTap1, ONE16)
	BOUNDS
	LIMIT4(0, 1, 2, 3)
	PUT16(next1)

narrow1:
	BIAS8(narrowTaps1)

narrowTaps1:
	WTAPS(narrowRow1, narrowTap1, ONE8)
	BOUNDS
	LIMIT2(0, 1)
	PUT8(next1)

done:
	RET

#define MAX16 \
	VLD1.P (R1)(R10), [V4.S4, V5.S4, V6.S4, V7.S4]; \
	EACH4(FMAX, 4, 0, 0)

#define MAX8 \
	VLD1.P (R1)(R10), [V4.S4, V5.S4]; \
	EACH2(FMAX, 4, 0, 0)

#define NOTHING

// func maxPoolAsm(t *strip)
TEXT ·maxPoolAsm(SB), NOSPLIT, $0-8
	CHANNELS
	BLOCKS(next, wide, narrow, done)

wide:
	BLOCK(strip_x(R0), R17)
	VLD1 (R17), [V0.S4, V1.S4, V2.S4, V3.S4]
	TAPS(wideRow, wideTap, MAX16, NOTHING)
	PUT16(next)

narrow:
	BLOCK(strip_x(R0), R17)
	VLD1 (R17), [V0.S4, V1.S4]
	TAPS(narrowRow, narrowTap, MAX8, NOTHING)
	PUT8(next)

done:
	RET

#define SUM16 \
	VLD1.P (R1)(R10), [V8.S4, V9.S4, V10.S4, V11.S4]; \
	EACH4(FADD, 8, 4, 4)

#define SUMROW16 \
	SUMROW8;              \
	EACH2(FADD, 6, 2, 2); \
	ZERO(6);              \
	ZERO(7)

#define SUM8 \
	VLD1.P (R1)(R10), [V8.S4, V9.S4]; \
	EACH2(FADD, 8, 4, 4)

#define SUMROW8 \
	EACH2(FADD, 4, 0, 0); \
	ZERO(4);              \
	ZERO(5)

// func sumPoolAsm(t *strip)
TEXT ·sumPoolAsm(SB), NOSPLIT, $0-8
	CHANNELS
	MOVWU strip_scale(R0), R17
	VDUP  R17, V31.S4
	ZERO4(4, 5, 6, 7)
	BLOCKS(next, wide, narrow, done)

wide:
	ZERO4(0, 1, 2, 3)
	TAPS(wideRow, wideTap, SUM16, SUMROW16)
	FMUL(31, 0, 0)
	FMUL(31, 1, 1)
	FMUL(31, 2, 2)
	FMUL(31, 3, 3)
	PUT16(next)

narrow:
	ZERO(0)
	ZERO(1)
	TAPS(narrowRow, narrowTap, SUM8, SUMROW8)
	FMUL(31, 0, 0)
	FMUL(31, 1, 1)
	PUT8(next)

done:
	RET
