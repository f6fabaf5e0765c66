//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/neon_arm64.h"

// Registers of the 6×16 kernel:
//	R0     the tile
//	R1…R6  where each row goes on in its segment
//	R7     B, R8 bytes between its steps
//	R10    rounds left in the segment
//	R11    table of positions, R12 segments left, R15 length of one
//	R13 a, R14 zero
//	V0…V23 tile of C, a row is V(4i)…V(4i+3)
//	V24…V29 four values of each row of A, V30, V31 half a step of B
//
// Four steps of six rows are 96 FMLA, 8 loads of pairs from B, 6 loads from A
// and 6 more to move on: 116 instructions for 384 multiply-adds, 1.21 for each
// FMLA. That many accumulators keep four units with a latency of 4 busy.

#define PTR(i, p) \
	MOVD (i*8)(R11), p;   \
	ADDS p<<2, R13, p;    \
	CSEL MI, R14, p, p

#define PTRS1 PTR(0, R1)
#define PTRS2 PTRS1; PTR(1, R2)
#define PTRS3 PTRS2; PTR(2, R3)
#define PTRS4 PTRS3; PTR(3, R4)
#define PTRS5 PTRS4; PTR(4, R5)
#define PTRS6 PTRS5; PTR(5, R6)

// Four values of each row, or one.
#define FOUR(p, a) FMOVQ.P 16(p), a
#define ONE(p, a) FMOVS.P 4(p), a

#define LOADS1(VALUES) VALUES(R1, F24)
#define LOADS2(VALUES) LOADS1(VALUES); VALUES(R2, F25)
#define LOADS3(VALUES) LOADS2(VALUES); VALUES(R3, F26)
#define LOADS4(VALUES) LOADS3(VALUES); VALUES(R4, F27)
#define LOADS5(VALUES) LOADS4(VALUES); VALUES(R5, F28)
#define LOADS6(VALUES) LOADS5(VALUES); VALUES(R6, F29)

// Value l of each row times the left and the right half of a step.
#define PAIR(a, l, x, y) \
	FMLAE(a, l, 30, x); \
	FMLAE(a, l, 31, y)

#define LEFT1(l) PAIR(24, l, 0, 1)
#define LEFT2(l) LEFT1(l); PAIR(25, l, 4, 5)
#define LEFT3(l) LEFT2(l); PAIR(26, l, 8, 9)
#define LEFT4(l) LEFT3(l); PAIR(27, l, 12, 13)
#define LEFT5(l) LEFT4(l); PAIR(28, l, 16, 17)
#define LEFT6(l) LEFT5(l); PAIR(29, l, 20, 21)

#define RIGHT1(l) PAIR(24, l, 2, 3)
#define RIGHT2(l) RIGHT1(l); PAIR(25, l, 6, 7)
#define RIGHT3(l) RIGHT2(l); PAIR(26, l, 10, 11)
#define RIGHT4(l) RIGHT3(l); PAIR(27, l, 14, 15)
#define RIGHT5(l) RIGHT4(l); PAIR(28, l, 18, 19)
#define RIGHT6(l) RIGHT5(l); PAIR(29, l, 22, 23)

#define STEP(l, LEFT, RIGHT) \
	FLDPQ (R7), (F30, F31);   \
	LEFT(l);                  \
	FLDPQ 32(R7), (F30, F31); \
	RIGHT(l);                 \
	ADD   R8, R7

#define STEPHALF(l, LEFT) \
	FLDPQ (R7), (F30, F31); \
	LEFT(l);                \
	ADD   R8, R7

#define SEGMENT(segment, four, rest, POINTERS) \
segment: \
	POINTERS;             \
	ADD  $(6*8), R11;   \
	LSR  $2, R15, R10;  \
	CBZ  R10, rest;     \
four:

#define ENDFOUR(four, rest, next) \
	SUBS $1, R10;      \
	BNE  four;         \
rest: \
	ANDS $3, R15, R10; \
	BEQ  next

#define ENDONE(one, next, segment, store) \
	SUBS $1, R10;  \
	BNE  one;      \
next: \
	SUBS $1, R12;  \
	BNE  segment;  \
	JMP  store

#define WHOLE(segment, four, rest, one, next, POINTERS, LOADS, LEFT, RIGHT) \
	SEGMENT(segment, four, rest, POINTERS) \
	LOADS(FOUR);            \
	STEP(0, LEFT, RIGHT);   \
	STEP(1, LEFT, RIGHT);   \
	STEP(2, LEFT, RIGHT);   \
	STEP(3, LEFT, RIGHT);   \
	ENDFOUR(four, rest, next); \
one: \
	LOADS(ONE);             \
	STEP(0, LEFT, RIGHT);   \
	ENDONE(one, next, segment, store)

#define NARROW(segment, four, rest, one, next, POINTERS, LOADS, LEFT) \
	SEGMENT(segment, four, rest, POINTERS) \
	LOADS(FOUR);            \
	STEPHALF(0, LEFT);      \
	STEPHALF(1, LEFT);      \
	STEPHALF(2, LEFT);      \
	STEPHALF(3, LEFT);      \
	ENDFOUR(four, rest, next); \
one: \
	LOADS(ONE);             \
	STEPHALF(0, LEFT);      \
	ENDONE(one, next, segment, storeHalf)

// All six rows whatever their number, since rows beyond it are never stored.
#define EACH(OP, y, a, b, c, d, e, f) \
	OP(y, a, a); \
	OP(y, b, b); \
	OP(y, c, c); \
	OP(y, d, d); \
	OP(y, e, e); \
	OP(y, f, f)

#define ADDHALF(x, y, done) \
	FLDPQ (R1), (F24, F25); \
	FADD(24, x, x);         \
	FADD(25, y, y);         \
	ADD   R2, R1;           \
	SUBS  $1, R3;           \
	BEQ   done

#define ADDROW(w, x, y, z, done) \
	FLDPQ 32(R1), (F26, F27); \
	FADD(26, y, y);           \
	FADD(27, z, z);           \
	ADDHALF(w, x, done)

#define PUTHALF(pair, done) \
	FSTPQ pair, (R1); \
	ADD   R2, R1;     \
	SUBS  $1, R3;     \
	BEQ   done

#define PUTROW(left, right, done) \
	FSTPQ right, 32(R1); \
	PUTHALF(left, done)

#define BOUNDS \
	ADD   $tile_lo, R0, R1; \
	VLD1R (R1), [V24.S4];   \
	ADD   $tile_hi, R0, R1; \
	VLD1R (R1), [V25.S4]

// func tile6x16(t *tile)
// cols must equal width, which is 16 or 8.
TEXT ·tile6x16(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	MOVD tile_off(R0), R11
	MOVD tile_b(R0), R7
	MOVD tile_ldb(R0), R8
	LSL  $2, R8
	MOVD tile_a(R0), R13
	MOVD tile_zero(R0), R14
	MOVD tile_segLen(R0), R15
	MOVD tile_segs(R0), R12
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16
	VEOR V16.B16, V16.B16, V16.B16
	VEOR V17.B16, V17.B16, V17.B16
	VEOR V18.B16, V18.B16, V18.B16
	VEOR V19.B16, V19.B16, V19.B16
	VEOR V20.B16, V20.B16, V20.B16
	VEOR V21.B16, V21.B16, V21.B16
	VEOR V22.B16, V22.B16, V22.B16
	VEOR V23.B16, V23.B16, V23.B16
	MOVD tile_rows(R0), R1
	MOVD tile_width(R0), R2
	CMP  $8, R2
	BEQ  half
	CMP  $6, R1
	BEQ  whole6
	CMP  $5, R1
	BEQ  whole5
	CMP  $4, R1
	BEQ  whole4
	CMP  $3, R1
	BEQ  whole3
	CMP  $2, R1
	BEQ  whole2
	WHOLE(whole1, four1, rest1, one1, next1, PTRS1, LOADS1, LEFT1, RIGHT1)
	WHOLE(whole2, four2, rest2, one2, next2, PTRS2, LOADS2, LEFT2, RIGHT2)
	WHOLE(whole3, four3, rest3, one3, next3, PTRS3, LOADS3, LEFT3, RIGHT3)
	WHOLE(whole4, four4, rest4, one4, next4, PTRS4, LOADS4, LEFT4, RIGHT4)
	WHOLE(whole5, four5, rest5, one5, next5, PTRS5, LOADS5, LEFT5, RIGHT5)
	WHOLE(whole6, four6, rest6, one6, next6, PTRS6, LOADS6, LEFT6, RIGHT6)

half:
	CMP $6, R1
	BEQ half6
	CMP $5, R1
	BEQ half5
	CMP $4, R1
	BEQ half4
	CMP $3, R1
	BEQ half3
	CMP $2, R1
	BEQ half2
	NARROW(half1, fourHalf1, restHalf1, oneHalf1, nextHalf1, PTRS1, LOADS1, LEFT1)
	NARROW(half2, fourHalf2, restHalf2, oneHalf2, nextHalf2, PTRS2, LOADS2, LEFT2)
	NARROW(half3, fourHalf3, restHalf3, oneHalf3, nextHalf3, PTRS3, LOADS3, LEFT3)
	NARROW(half4, fourHalf4, restHalf4, oneHalf4, nextHalf4, PTRS4, LOADS4, LEFT4)
	NARROW(half5, fourHalf5, restHalf5, oneHalf5, nextHalf5, PTRS5, LOADS5, LEFT5)
	NARROW(half6, fourHalf6, restHalf6, oneHalf6, nextHalf6, PTRS6, LOADS6, LEFT6)

store:
	MOVD  tile_bias(R0), R1
	CBZ   R1, addend
	FLDPQ (R1), (F24, F25)
	FLDPQ 32(R1), (F26, F27)
	EACH(FADD, 24, 0, 4, 8, 12, 16, 20)
	EACH(FADD, 25, 1, 5, 9, 13, 17, 21)
	EACH(FADD, 26, 2, 6, 10, 14, 18, 22)
	EACH(FADD, 27, 3, 7, 11, 15, 19, 23)

addend:
	MOVD tile_d(R0), R1
	CBZ  R1, limit
	MOVD tile_ldd(R0), R2
	LSL  $2, R2
	MOVD tile_rows(R0), R3
	ADDROW(0, 1, 2, 3, limit)
	ADDROW(4, 5, 6, 7, limit)
	ADDROW(8, 9, 10, 11, limit)
	ADDROW(12, 13, 14, 15, limit)
	ADDROW(16, 17, 18, 19, limit)
	ADDROW(20, 21, 22, 23, limit)

limit:
	MOVBU tile_clamp(R0), R1
	CBZ   R1, put
	BOUNDS
	EACH(FMAX, 24, 0, 4, 8, 12, 16, 20)
	EACH(FMAX, 24, 1, 5, 9, 13, 17, 21)
	EACH(FMAX, 24, 2, 6, 10, 14, 18, 22)
	EACH(FMAX, 24, 3, 7, 11, 15, 19, 23)
	EACH(FMIN, 25, 0, 4, 8, 12, 16, 20)
	EACH(FMIN, 25, 1, 5, 9, 13, 17, 21)
	EACH(FMIN, 25, 2, 6, 10, 14, 18, 22)
	EACH(FMIN, 25, 3, 7, 11, 15, 19, 23)

put:
	MOVD tile_c(R0), R1
	MOVD tile_ldc(R0), R2
	LSL  $2, R2
	MOVD tile_rows(R0), R3
	PUTROW((F0, F1), (F2, F3), done)
	PUTROW((F4, F5), (F6, F7), done)
	PUTROW((F8, F9), (F10, F11), done)
	PUTROW((F12, F13), (F14, F15), done)
	PUTROW((F16, F17), (F18, F19), done)
	PUTROW((F20, F21), (F22, F23), done)

done:
	RET

storeHalf:
	MOVD  tile_bias(R0), R1
	CBZ   R1, addendHalf
	FLDPQ (R1), (F24, F25)
	EACH(FADD, 24, 0, 4, 8, 12, 16, 20)
	EACH(FADD, 25, 1, 5, 9, 13, 17, 21)

addendHalf:
	MOVD tile_d(R0), R1
	CBZ  R1, limitHalf
	MOVD tile_ldd(R0), R2
	LSL  $2, R2
	MOVD tile_rows(R0), R3
	ADDHALF(0, 1, limitHalf)
	ADDHALF(4, 5, limitHalf)
	ADDHALF(8, 9, limitHalf)
	ADDHALF(12, 13, limitHalf)
	ADDHALF(16, 17, limitHalf)
	ADDHALF(20, 21, limitHalf)

limitHalf:
	MOVBU tile_clamp(R0), R1
	CBZ   R1, putHalf
	BOUNDS
	EACH(FMAX, 24, 0, 4, 8, 12, 16, 20)
	EACH(FMAX, 24, 1, 5, 9, 13, 17, 21)
	EACH(FMIN, 25, 0, 4, 8, 12, 16, 20)
	EACH(FMIN, 25, 1, 5, 9, 13, 17, 21)

putHalf:
	MOVD tile_c(R0), R1
	MOVD tile_ldc(R0), R2
	LSL  $2, R2
	MOVD tile_rows(R0), R3
	PUTHALF((F0, F1), done)
	PUTHALF((F4, F5), done)
	PUTHALF((F8, F9), done)
	PUTHALF((F12, F13), done)
	PUTHALF((F16, F17), done)
	PUTHALF((F20, F21), done)
	RET
