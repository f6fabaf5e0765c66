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

// ROWS1 to ROWS6 apply OP to so many rows, each given by its number, its register,
// that of its values, twice, and the four of the tile.
#define ROWS1(OP) OP(0, R1, F24, 24, 0, 1, 2, 3)
#define ROWS2(OP) ROWS1(OP); OP(1, R2, F25, 25, 4, 5, 6, 7)
#define ROWS3(OP) ROWS2(OP); OP(2, R3, F26, 26, 8, 9, 10, 11)
#define ROWS4(OP) ROWS3(OP); OP(3, R4, F27, 27, 12, 13, 14, 15)
#define ROWS5(OP) ROWS4(OP); OP(4, R5, F28, 28, 16, 17, 18, 19)
#define ROWS6(OP) ROWS5(OP); OP(5, R6, F29, 29, 20, 21, 22, 23)

#define PTR(n, p, f, a, w, x, y, z) \
	MOVD (n*8)(R11), p;   \
	ADDS p<<2, R13, p;    \
	CSEL MI, R14, p, p

#define CLEAR(n, p, f, a, w, x, y, z) ZERO(w); ZERO(x); ZERO(y); ZERO(z)

// Four values of each row, or one.
#define FOUR(n, p, f, a, w, x, y, z) FMOVQ.P 16(p), f
#define ONE(n, p, f, a, w, x, y, z) FMOVS.P 4(p), f

// Value 0, 1, 2 or 3 of each row times the left and the right half of a step.
#define PAIR(a, l, x, y) \
	FMLAE(a, l, 30, x); \
	FMLAE(a, l, 31, y)

#define LEFT0(n, p, f, a, w, x, y, z) PAIR(a, 0, w, x)
#define LEFT1(n, p, f, a, w, x, y, z) PAIR(a, 1, w, x)
#define LEFT2(n, p, f, a, w, x, y, z) PAIR(a, 2, w, x)
#define LEFT3(n, p, f, a, w, x, y, z) PAIR(a, 3, w, x)
#define RIGHT0(n, p, f, a, w, x, y, z) PAIR(a, 0, y, z)
#define RIGHT1(n, p, f, a, w, x, y, z) PAIR(a, 1, y, z)
#define RIGHT2(n, p, f, a, w, x, y, z) PAIR(a, 2, y, z)
#define RIGHT3(n, p, f, a, w, x, y, z) PAIR(a, 3, y, z)

#define WHOLE(ROWS, LEFT, RIGHT) \
	FLDPQ (R7), (F30, F31);   \
	ROWS(LEFT);               \
	FLDPQ 32(R7), (F30, F31); \
	ROWS(RIGHT);              \
	ADD   R8, R7

#define HALF(ROWS, LEFT, RIGHT) \
	FLDPQ (R7), (F30, F31); \
	ROWS(LEFT);             \
	ADD   R8, R7

#define TILE(segment, four, rest, one, next, ROWS, STEP, store) \
segment: \
	ROWS(PTR);                 \
	ADD  $(6*8), R11;          \
	LSR  $2, R15, R10;         \
	CBZ  R10, rest;            \
four: \
	ROWS(FOUR);                \
	STEP(ROWS, LEFT0, RIGHT0); \
	STEP(ROWS, LEFT1, RIGHT1); \
	STEP(ROWS, LEFT2, RIGHT2); \
	STEP(ROWS, LEFT3, RIGHT3); \
	SUBS $1, R10;              \
	BNE  four;                 \
rest: \
	ANDS $3, R15, R10;         \
	BEQ  next;                 \
one: \
	ROWS(ONE);                 \
	STEP(ROWS, LEFT0, RIGHT0); \
	SUBS $1, R10;              \
	BNE  one;                  \
next: \
	SUBS $1, R12;              \
	BNE  segment;              \
	JMP  store

#define CASE(n, label) \
	CMP $n, R1; \
	BEQ label

#define DISPATCH(two, three, four, five, six) \
	CASE(6, six);   \
	CASE(5, five);  \
	CASE(4, four);  \
	CASE(3, three); \
	CASE(2, two)

// What follows the sums is for six rows whatever their number, since rows beyond it
// are never stored. Bias and bounds are in V24…V27.
#define EACH(OP, y, a, b, c, d, e, f) \
	OP(y, a, a); \
	OP(y, b, b); \
	OP(y, c, c); \
	OP(y, d, d); \
	OP(y, e, e); \
	OP(y, f, f)

#define ADDPAIR(x, y, done) \
	FLDPQ (R1), (F24, F25); \
	FADD(24, x, x);         \
	FADD(25, y, y);         \
	ADD   R2, R1;           \
	SUBS  $1, R3;           \
	BEQ   done

#define ADDROW(n, p, f, a, w, x, y, z) \
	FLDPQ 32(R1), (F26, F27); \
	FADD(26, y, y);           \
	FADD(27, z, z);           \
	ADDPAIR(w, x, limit)

#define ADDHALF(n, p, f, a, w, x, y, z) ADDPAIR(w, x, limitHalf)

#define PUTHALF(pair, done) \
	FSTPQ pair, (R1); \
	ADD   R2, R1;     \
	SUBS  $1, R3;     \
	BEQ   done

#define PUTROW(left, right, done) \
	FSTPQ right, 32(R1); \
	PUTHALF(left, done)

// The left and the right half of each row with two vectors.
#define LEFT(OP, y, z) \
	EACH(OP, y, 0, 4, 8, 12, 16, 20); \
	EACH(OP, z, 1, 5, 9, 13, 17, 21)

#define RIGHT(OP, y, z) \
	EACH(OP, y, 2, 6, 10, 14, 18, 22); \
	EACH(OP, z, 3, 7, 11, 15, 19, 23)

#define BIAS8 \
	FLDPQ (R1), (F24, F25); \
	LEFT(FADD, 24, 25)

#define BIAS16 \
	FLDPQ (R1), (F24, F25);   \
	FLDPQ 32(R1), (F26, F27); \
	LEFT(FADD, 24, 25);       \
	RIGHT(FADD, 26, 27)

#define LIMITS8 LEFT(FMAX, 24, 24); LEFT(FMIN, 25, 25)
#define LIMITS16 LEFT(FMAX, 24, 24); RIGHT(FMAX, 24, 24); LEFT(FMIN, 25, 25); RIGHT(FMIN, 25, 25)

// STORE does what follows the sums, up to where rows are put.
#define STORE(store, addend, limit, put, BIAS, ADDEND, LIMITS) \
store: \
	MOVD  tile_bias(R0), R1;  \
	CBZ   R1, addend;         \
	BIAS;                     \
addend: \
	MOVD  tile_d(R0), R1;     \
	CBZ   R1, limit;          \
	BYTES4(tile_ldd(R0), R2); \
	MOVD  tile_rows(R0), R3;  \
	ROWS6(ADDEND);            \
limit: \
	MOVBU tile_clamp(R0), R1; \
	CBZ   R1, put;            \
	ADD   $tile_lo, R0, R1;   \
	VLD1R (R1), [V24.S4];     \
	ADD   $tile_hi, R0, R1;   \
	VLD1R (R1), [V25.S4];     \
	LIMITS;                   \
put: \
	MOVD  tile_c(R0), R1;     \
	BYTES4(tile_ldc(R0), R2); \
	MOVD  tile_rows(R0), R3

// func tile6x16(t *tile)
// cols must equal width, which is 16 or 8.
TEXT ·tile6x16(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	MOVD tile_off(R0), R11
	MOVD tile_b(R0), R7
	BYTES4(tile_ldb(R0), R8)
	MOVD tile_a(R0), R13
	MOVD tile_zero(R0), R14
	MOVD tile_segLen(R0), R15
	MOVD tile_segs(R0), R12
	ROWS6(CLEAR)
	MOVD tile_rows(R0), R1
	MOVD tile_width(R0), R2
	CMP  $8, R2
	BEQ  half
	DISPATCH(whole2, whole3, whole4, whole5, whole6)
	TILE(whole1, four1, rest1, one1, next1, ROWS1, WHOLE, store)
	TILE(whole2, four2, rest2, one2, next2, ROWS2, WHOLE, store)
	TILE(whole3, four3, rest3, one3, next3, ROWS3, WHOLE, store)
	TILE(whole4, four4, rest4, one4, next4, ROWS4, WHOLE, store)
	TILE(whole5, four5, rest5, one5, next5, ROWS5, WHOLE, store)
	TILE(whole6, four6, rest6, one6, next6, ROWS6, WHOLE, store)

half:
	DISPATCH(half2, half3, half4, half5, half6)
	TILE(half1, fourHalf1, restHalf1, oneHalf1, nextHalf1, ROWS1, HALF, storeHalf)
	TILE(half2, fourHalf2, restHalf2, oneHalf2, nextHalf2, ROWS2, HALF, storeHalf)
	TILE(half3, fourHalf3, restHalf3, oneHalf3, nextHalf3, ROWS3, HALF, storeHalf)
	TILE(half4, fourHalf4, restHalf4, oneHalf4, nextHalf4, ROWS4, HALF, storeHalf)
	TILE(half5, fourHalf5, restHalf5, oneHalf5, nextHalf5, ROWS5, HALF, storeHalf)
	TILE(half6, fourHalf6, restHalf6, oneHalf6, nextHalf6, ROWS6, HALF, storeHalf)

	STORE(store, addend, limit, put, BIAS16, ADDROW, LIMITS16)
	PUTROW((F0, F1), (F2, F3), done)
	PUTROW((F4, F5), (F6, F7), done)
	PUTROW((F8, F9), (F10, F11), done)
	PUTROW((F12, F13), (F14, F15), done)
	PUTROW((F16, F17), (F18, F19), done)
	PUTROW((F20, F21), (F22, F23), done)

done:
	RET

	STORE(storeHalf, addendHalf, limitHalf, putHalf, BIAS8, ADDHALF, LIMITS8)
	PUTHALF((F0, F1), done)
	PUTHALF((F4, F5), done)
	PUTHALF((F8, F9), done)
	PUTHALF((F12, F13), done)
	PUTHALF((F16, F17), done)
	PUTHALF((F20, F21), done)
	RET
