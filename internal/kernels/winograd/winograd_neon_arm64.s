//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/neon_arm64.h"
#include "transforms.h"

// Registers of both kernels:
//	R0  the job, R1 its memory for what is half done
//	R2  position among the channels, R3 their end, in bytes
//	R4  from a matrix to the next
//	V16…V23 the constants: p = a²b², s = a²+b², a, b and their powers
#define CP 16
#define CS 17
#define CA 18
#define CB 19
#define CA2 20
#define CB2 21
#define CA3 22
#define CB3 23

#define CONSTANTS \
	MOVD  $·constants(SB), R5; \
	FILL4(5, 16, 17, 18, 19);  \
	FILL(5, 20);               \
	FILL(5, 21);               \
	FILL(5, 22);               \
	VLD1R (R5), [V23.S4]

#define SIX(OP) OP(0); OP(1); OP(2); OP(3); OP(4); OP(5)

// Value i of the window to register d.
#define PIXEL(i, d) \
	MOVD (input_ptr+i*8)(R0), R5; \
	LOADQ(2, 5, d)

#define ACROSS BT(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, CP, CS, CA, CB, CA2, CB2)

#define DOWN(c) \
	PIXEL(c, 0);                  \
	PIXEL((6+c), 1);              \
	PIXEL((12+c), 2);             \
	PIXEL((18+c), 3);             \
	PIXEL((24+c), 4);             \
	PIXEL((30+c), 5);             \
	ACROSS;                       \
	FMOVQ F6, (16*c)(R1);         \
	FMOVQ F7, (16*(6+c))(R1);     \
	FMOVQ F8, (16*(12+c))(R1);    \
	FMOVQ F0, (16*(18+c))(R1);    \
	FMOVQ F9, (16*(24+c))(R1);    \
	FMOVQ F5, (16*(30+c))(R1)

#define LOADROW(i) \
	FLDPQ (16*6*i)(R1), (F0, F1);    \
	FLDPQ (16*6*i+32)(R1), (F2, F3); \
	FLDPQ (16*6*i+64)(R1), (F4, F5)

#define ROW(i) \
	LOADROW(i);                         \
	ACROSS;                         \
	VST1.P [V6.S4], (R6)(R4);       \
	VST1.P [V7.S4], (R6)(R4);       \
	VST1.P [V8.S4], (R6)(R4);       \
	VST1.P [V0.S4], (R6)(R4);       \
	VST1.P [V9.S4], (R6)(R4);       \
	VST1.P [V5.S4], (R6)(R4)

// func inputAsm(t *input)
// channels is a multiple of 4, and not 0.
TEXT ·inputAsm(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0

	// Addresses of the pixels.
	MOVD input_x(R0), R1
	MOVD input_zero(R0), R2
	MOVD input_off(R0), R3
	ADD  $input_ptr, R0, R4
	MOVD $36, R5

address:
	MOVD.P 8(R3), R6
	ADDS   R6<<2, R1, R6
	CSEL   MI, R2, R6, R6
	MOVD.P R6, 8(R4)
	SUBS   $1, R5
	BNE    address

	CONSTANTS
	ADD  $input_tmp, R0, R1
	BYTES4(input_next(R0), R4)
	MOVD input_v(R0), R7
	BYTES4(input_channels(R0), R3)
	MOVD $0, R2

channels:
	SIX(DOWN)
	ADD R2, R7, R6
	SIX(ROW)
	ADD $16, R2
	CMP R3, R2
	BLT channels
	RET

#define RESULTS AT(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, CA3, CB3, CA, CB, CA2, CB2)

// Column c of M, whose six rows are R10 apart.
#define COLUMN(c) \
	MOVD   R5, R6;             \
	ADD    R4, R5;             \
	VLD1.P (R6)(R10), [V0.S4]; \
	VLD1.P (R6)(R10), [V1.S4]; \
	VLD1.P (R6)(R10), [V2.S4]; \
	VLD1.P (R6)(R10), [V3.S4]; \
	VLD1.P (R6)(R10), [V4.S4]; \
	VLD1.P (R6)(R10), [V5.S4]; \
	RESULTS;                   \
	FMOVQ F0, (16*c)(R1);      \
	FMOVQ F6, (16*(6+c))(R1);  \
	FMOVQ F7, (16*(12+c))(R1); \
	FMOVQ F5, (16*(18+c))(R1)

// Adds to a pixel, limits it and stores it: bias in V24, limits in V25 and V26.
#define STORE(n, v, limit) \
	FADD(24, n, n);              \
	CBZ    R14, limit;           \
	VLD1.P (R14)(R15), [V27.S4]; \
	FADD(27, n, n);              \
limit: \
	FMAX(25, n, n);              \
	FMIN(26, n, n);              \
	VST1.P [v], (R13)(R16);      \
	SUBS   $1, R17;              \
	BEQ    next

// func outputAsm(t *output)
// channels is a multiple of 4, and not 0.
//	R8, R13  row and pixel of y, R12 and R16 bytes to the next of them
//	R9, R14  row and pixel of d, R19 and R15 bytes to the next of them
//	R7, R17  rows and pixels left
TEXT ·outputAsm(SB), NOSPLIT, $0-8
	MOVD  t+0(FP), R0
	CONSTANTS
	BYTES4(output_next(R0), R4)
	ADD   R4<<1, R4, R10
	LSL   $1, R10
	BYTES4(output_channels(R0), R3)
	BYTES4(output_yRow(R0), R12)
	BYTES4(output_dRow(R0), R19)
	BYTES4(output_yCol(R0), R16)
	BYTES4(output_dCol(R0), R15)
	MOVWU output_lo(R0), R5
	VDUP  R5, V25.S4
	MOVWU output_hi(R0), R5
	VDUP  R5, V26.S4
	ZERO(24)
	MOVD  $0, R2

channels:
	ADD  $output_tmp, R0, R1
	MOVD output_m(R0), R5
	ADD  R2, R5
	SIX(COLUMN)
	MOVD output_bias(R0), R5
	CBZ  R5, rows
	LOADQ(2, 5, 24)

rows:
	MOVD output_rows(R0), R7
	MOVD output_y(R0), R8
	ADD  R2, R8
	MOVD output_d(R0), R9
	CBZ  R9, row
	ADD  R2, R9

row:
	MOVD R8, R13
	MOVD R9, R14
	MOVD output_cols(R0), R17
	LOADROW(0)
	RESULTS
	STORE(0, V0.S4, limit0)
	STORE(6, V6.S4, limit1)
	STORE(7, V7.S4, limit2)
	STORE(5, V5.S4, limit3)

next:
	ADD  $(6*16), R1
	ADD  R12, R8
	CBZ  R9, last
	ADD  R19, R9

last:
	SUBS $1, R7
	BNE  row
	ADD  $16, R2
	CMP  R3, R2
	BLT  channels
	RET
