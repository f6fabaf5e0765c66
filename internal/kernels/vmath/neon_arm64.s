//go:build !purego

#include "textflag.h"
#include "../asm/neon_arm64.h"
#include "functions_neon_arm64.h"

// Each function works on two vectors at a time, in V0…V3, V8, V10 and in
// V4…V7, V9, V11; constants are in the registers from V16 on.

#define UNARY \
	MOVD dst_base+0(FP), R0; \
	MOVD dst_len+8(FP), R1;  \
	MOVD src_base+24(FP), R2

#define GET FLDPQ.P 32(R2), (F0, F4)

#define NEXT(loop) \
	FSTPQ.P (F0, F4), 32(R0); \
	SUBS    $8, R1;           \
	BNE     loop;             \
	RET

#define BINARY \
	MOVD dst_base+0(FP), R0; \
	MOVD dst_len+8(FP), R1;  \
	MOVD a_base+24(FP), R2;  \
	MOVD b_base+48(FP), R3

#define ARITHMETIC(OP) \
	BINARY;                   \
loop: \
	FLDPQ.P 32(R2), (F0, F4); \
	FLDPQ.P 32(R3), (F1, F5); \
	OP(1, 0, 0);              \
	OP(5, 4, 4);              \
	NEXT(loop)

// Arguments in all lanes of V16 and V17.
#define ARG \
	MOVWU p+48(FP), R4; \
	VDUP  R4, V16.S4

#define ARGS \
	ARG;                  \
	MOVWU q+52(FP), R4; \
	VDUP  R4, V17.S4

// func expAsm(dst, src []float32)
TEXT ·expAsm(SB), NOSPLIT, $0-48
	UNARY
	EXPCONSTANTS

loop:
	GET
	EXP(0, 1, 2, 3)
	EXP(4, 5, 6, 7)
	NEXT(loop)

// func tanhAsm(dst, src []float32)
TEXT ·tanhAsm(SB), NOSPLIT, $0-48
	UNARY
	EXPCONSTANTS
	FNEG(TANHHIGH, 30)

loop:
	GET
	TANH(0, 1, 2, 3)
	TANH(4, 5, 6, 7)
	NEXT(loop)

// func sigmoidAsm(dst, src []float32)
TEXT ·sigmoidAsm(SB), NOSPLIT, $0-48
	UNARY
	EXPCONSTANTS

loop:
	GET
	SIGMOIDS(ONE, 0, 1, 2, 3)
	SIGMOIDS(ONE, 4, 5, 6, 7)
	NEXT(loop)

// func siluAsm(dst, src []float32)
TEXT ·siluAsm(SB), NOSPLIT, $0-48
	UNARY
	EXPCONSTANTS

loop:
	GET
	COPY(0, 8)
	COPY(4, 9)
	SIGMOIDS(8, 0, 1, 2, 3)
	SIGMOIDS(9, 4, 5, 6, 7)
	NEXT(loop)

// func erfAsm(dst, src []float32)
TEXT ·erfAsm(SB), NOSPLIT, $0-48
	UNARY
	ERFCONSTANTS

loop:
	GET
	ERF(0, 1, 2, 3, 8)
	ERF(4, 5, 6, 7, 9)
	NEXT(loop)

// func geluAsm(dst, src []float32)
TEXT ·geluAsm(SB), NOSPLIT, $0-48
	UNARY
	ERFCONSTANTS

loop:
	GET
	FMUL(HALF, 0, 10)
	FMUL(HALF, 4, 11)
	FMUL(ROOTHALF, 0, 0)
	FMUL(ROOTHALF, 4, 4)
	ERF(0, 1, 2, 3, 8)
	ERF(4, 5, 6, 7, 9)
	FMLA(0, 10, 10)
	FMLA(4, 11, 11)
	COPY(10, 0)
	COPY(11, 4)
	NEXT(loop)

// func scaleAsm(dst, src []float32, p float32)
TEXT ·scaleAsm(SB), NOSPLIT, $0-52
	UNARY
	ARG

loop:
	GET
	FMUL(16, 0, 0)
	FMUL(16, 4, 4)
	NEXT(loop)

// func shiftAsm(dst, src []float32, p, q float32)
TEXT ·shiftAsm(SB), NOSPLIT, $0-56
	UNARY
	ARGS

loop:
	GET
	FSUB(16, 0, 0)
	FSUB(16, 4, 4)
	FSUB(17, 0, 0)
	FSUB(17, 4, 4)
	NEXT(loop)

// func clampAsm(dst, src []float32, p, q float32)
TEXT ·clampAsm(SB), NOSPLIT, $0-56
	UNARY
	ARGS

loop:
	GET
	FMAX(16, 0, 0)
	FMAX(16, 4, 4)
	FMIN(17, 0, 0)
	FMIN(17, 4, 4)
	NEXT(loop)

// func leakyAsm(dst, src []float32, p float32)
TEXT ·leakyAsm(SB), NOSPLIT, $0-52
	UNARY
	ARG

loop:
	GET
	FMUL(16, 0, 1)
	FMUL(16, 4, 5)
	FCMLT0(0, 2)
	FCMLT0(4, 6)
	BSL(0, 1, 2)
	BSL(4, 5, 6)
	COPY(2, 0)
	COPY(6, 4)
	NEXT(loop)

#define LINEAR(x, y) \
	COPY(17, y);     \
	FMLA(16, x, y);  \
	FMAX(18, y, y);  \
	FMIN(19, y, y)

#define LINEARBOUNDS \
	ZERO(18); \
	FMOVS $1.0, F19;                 \
	VDUP  V19.S[0], V19.S4

// func hardSigmoidAsm(dst, src []float32, p, q float32)
TEXT ·hardSigmoidAsm(SB), NOSPLIT, $0-56
	UNARY
	ARGS
	LINEARBOUNDS

loop:
	GET
	LINEAR(0, 1)
	LINEAR(4, 5)
	COPY(1, 0)
	COPY(5, 4)
	NEXT(loop)

// func hardSwishAsm(dst, src []float32, p, q float32)
TEXT ·hardSwishAsm(SB), NOSPLIT, $0-56
	UNARY
	ARGS
	LINEARBOUNDS

loop:
	GET
	LINEAR(0, 1)
	LINEAR(4, 5)
	FMUL(1, 0, 0)
	FMUL(5, 4, 4)
	NEXT(loop)

// func addAsm(dst, a, b []float32)
TEXT ·addAsm(SB), NOSPLIT, $0-72
	ARITHMETIC(FADD)

// func subAsm(dst, a, b []float32)
TEXT ·subAsm(SB), NOSPLIT, $0-72
	ARITHMETIC(FSUB)

// func mulAsm(dst, a, b []float32)
TEXT ·mulAsm(SB), NOSPLIT, $0-72
	ARITHMETIC(FMUL)

// func mulAddAsm(dst, a, b []float32)
TEXT ·mulAddAsm(SB), NOSPLIT, $0-72
	BINARY

loop:
	FLDPQ.P 32(R2), (F1, F5)
	FLDPQ.P 32(R3), (F2, F6)
	FLDPQ   (R0), (F0, F4)
	FMLA(1, 2, 0)
	FMLA(5, 6, 4)
	NEXT(loop)

// func axpyAsm(dst, src []float32, p float32)
TEXT ·axpyAsm(SB), NOSPLIT, $0-52
	MOVD  dst_base+0(FP), R0
	MOVD  dst_len+8(FP), R1
	MOVD  src_base+24(FP), R2
	MOVWU p+48(FP), R4
	VDUP  R4, V16.S4

loop:
	FLDPQ.P 32(R2), (F1, F5)
	FLDPQ   (R0), (F0, F4)
	FMLA(16, 1, 0)
	FMLA(16, 5, 4)
	NEXT(loop)

#define ZERO4(w, x, y, z) ZERO(w); ZERO(x); ZERO(y); ZERO(z)

// PARTIALS adds up R1 values by 32 or by EIGHT, and returns eight sums.
#define PARTIALS(THIRTYTWO, EIGHT) \
	ZERO4(0, 1, 2, 3); \
	ZERO4(4, 5, 6, 7); \
	SUBS $32, R1;      \
	BLT  rest;         \
loop: \
	THIRTYTWO;         \
	SUBS $32, R1;      \
	BGE  loop;         \
rest: \
	ADDS $32, R1;      \
	BEQ  done;         \
loop1: \
	EIGHT;             \
	SUBS $8, R1;       \
	BNE  loop1;        \
done: \
	FADD(2, 0, 0);     \
	FADD(3, 1, 1);     \
	FADD(6, 4, 4);     \
	FADD(7, 5, 5);     \
	FADD(4, 0, 0);     \
	FADD(5, 1, 1);     \
	FSTPQ (F0, F1), (R0); \
	RET

#define DOT32 \
	FLDPQ.P 32(R2), (F16, F17); \
	FLDPQ.P 32(R3), (F24, F25); \
	FLDPQ.P 32(R2), (F18, F19); \
	FLDPQ.P 32(R3), (F26, F27); \
	FLDPQ.P 32(R2), (F20, F21); \
	FLDPQ.P 32(R3), (F28, F29); \
	FLDPQ.P 32(R2), (F22, F23); \
	FLDPQ.P 32(R3), (F30, F31); \
	FMLA(16, 24, 0); FMLA(17, 25, 1); FMLA(18, 26, 2); FMLA(19, 27, 3); \
	FMLA(20, 28, 4); FMLA(21, 29, 5); FMLA(22, 30, 6); FMLA(23, 31, 7)

#define DOT8 \
	FLDPQ.P 32(R2), (F16, F17); \
	FLDPQ.P 32(R3), (F24, F25); \
	FMLA(16, 24, 0);            \
	FMLA(17, 25, 1)

// func dotAsm(s *[8]float32, a, b []float32)
TEXT ·dotAsm(SB), NOSPLIT, $0-56
	MOVD s+0(FP), R0
	MOVD a_base+8(FP), R2
	MOVD a_len+16(FP), R1
	MOVD b_base+32(FP), R3
	PARTIALS(DOT32, DOT8)

#define SUM32 \
	FLDPQ.P 32(R2), (F16, F17); \
	FLDPQ.P 32(R2), (F18, F19); \
	FLDPQ.P 32(R2), (F20, F21); \
	FLDPQ.P 32(R2), (F22, F23); \
	FADD(16, 0, 0); FADD(17, 1, 1); FADD(18, 2, 2); FADD(19, 3, 3); \
	FADD(20, 4, 4); FADD(21, 5, 5); FADD(22, 6, 6); FADD(23, 7, 7)

#define SUM8 \
	FLDPQ.P 32(R2), (F16, F17); \
	FADD(16, 0, 0);             \
	FADD(17, 1, 1)

// func sumAsm(s *[8]float32, x []float32)
TEXT ·sumAsm(SB), NOSPLIT, $0-32
	MOVD s+0(FP), R0
	MOVD x_base+8(FP), R2
	MOVD x_len+16(FP), R1
	PARTIALS(SUM32, SUM8)

// Sixteen values of a row of B times those of a, in V16…V19.
#define ROW16(p, w, x, y, z) \
	FLDPQ.P 32(p), (F20, F21); \
	FLDPQ.P 32(p), (F22, F23); \
	FMLA(16, 20, w);           \
	FMLA(17, 21, x);           \
	FMLA(18, 22, y);           \
	FMLA(19, 23, z)

#define ADD4(w, x, y, z) \
	FADD(x, w, w); \
	FADD(z, y, y); \
	FADD(y, w, w)

// func dot4Asm(s *[4]float32, a, b []float32, ldb int)
TEXT ·dot4Asm(SB), NOSPLIT, $0-64
	MOVD s+0(FP), R0
	MOVD a_base+8(FP), R2
	MOVD a_len+16(FP), R1
	MOVD b_base+32(FP), R3
	MOVD ldb+56(FP), R7
	ADD  R7<<2, R3, R4
	ADD  R7<<2, R4, R5
	ADD  R7<<2, R5, R6
	ZERO4(0, 1, 2, 3)
	ZERO4(4, 5, 6, 7)
	ZERO4(8, 9, 10, 11)
	ZERO4(12, 13, 14, 15)

loop:
	FLDPQ.P 32(R2), (F16, F17)
	FLDPQ.P 32(R2), (F18, F19)
	ROW16(R3, 0, 1, 2, 3)
	ROW16(R4, 4, 5, 6, 7)
	ROW16(R5, 8, 9, 10, 11)
	ROW16(R6, 12, 13, 14, 15)
	SUBS    $16, R1
	BNE     loop
	ADD4(0, 1, 2, 3)
	ADD4(4, 5, 6, 7)
	ADD4(8, 9, 10, 11)
	ADD4(12, 13, 14, 15)
	FADDP(4, 0, 0)
	FADDP(12, 8, 8)
	FADDP(8, 0, 0)
	FMOVQ   F0, (R0)
	RET

// func sumExpAsm(s *[8]float32, x []float32, m float32)
TEXT ·sumExpAsm(SB), NOSPLIT, $0-36
	MOVD  s+0(FP), R0
	MOVD  x_base+8(FP), R2
	MOVD  x_len+16(FP), R1
	MOVWU m+32(FP), R4
	VDUP  R4, V30.S4
	EXPCONSTANTS
	ZERO(10)
	ZERO(11)

loop:
	GET
	FSUB(30, 0, 0)
	FSUB(30, 4, 4)
	EXP(0, 1, 2, 3)
	EXP(4, 5, 6, 7)
	FADD(0, 10, 10)
	FADD(4, 11, 11)
	SUBS  $8, R1
	BNE   loop
	FSTPQ (F10, F11), (R0)
	RET

// func largestAsm(s *[8]float32, x []float32)
TEXT ·largestAsm(SB), NOSPLIT, $0-32
	MOVD  s+0(FP), R0
	MOVD  x_base+8(FP), R2
	MOVD  x_len+16(FP), R1
	FLDPQ (R2), (F0, F1)

loop:
	FLDPQ.P 32(R2), (F2, F3)
	FMAX(2, 0, 0)
	FMAX(3, 1, 1)
	SUBS    $8, R1
	BNE     loop
	FSTPQ   (F0, F1), (R0)
	RET
