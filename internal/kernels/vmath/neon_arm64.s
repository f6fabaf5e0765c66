//go:build !purego

#include "textflag.h"
#include "../asm/neon_arm64.h"
#include "functions_neon_arm64.h"

// Each function works on two vectors at a time, in V0…V3, V8, V10 and in
// V4…V7, V9, V11; constants are in the registers from V16 on. R0 is dst, R1 values
// left, R2 src or a, R3 b.

#define SLICES \
	MOVD dst_base+0(FP), R0; \
	MOVD dst_len+8(FP), R1;  \
	MOVD src_base+24(FP), R2

#define GET FLDPQ.P 32(R2), (F0, F4)

// UNARY begins a function of one slice, which CONSTANTS prepares, and its loop over two
// vectors, V0 and V4; NEXT, which stores them, ends both.
#define UNARY(CONSTANTS) \
	SLICES;    \
	CONSTANTS; \
loop: \
	GET

#define NEXT \
	FSTPQ.P (F0, F4), 32(R0); \
	SUBS    $8, R1;           \
	BNE     loop;             \
	RET

// BINARY is the same for functions of two slices.
#define BINARY \
	MOVD dst_base+0(FP), R0; \
	MOVD dst_len+8(FP), R1;  \
	MOVD a_base+24(FP), R2;  \
	MOVD b_base+48(FP), R3;  \
loop:

#define ARITHMETIC(OP) \
	BINARY                    \
	FLDPQ.P 32(R2), (F0, F4); \
	FLDPQ.P 32(R3), (F1, F5); \
	OP(1, 0, 0);              \
	OP(5, 4, 4);              \
	NEXT

// The arguments p and q in all lanes of V16 and V17.
#define ARG \
	MOVWU p+48(FP), R4; \
	VDUP  R4, V16.S4

#define ARGS \
	ARG;                  \
	MOVWU q+52(FP), R4; \
	VDUP  R4, V17.S4

// BOTH applies F to both vectors, with the registers that it uses; EACH does OP with c
// on each.
#define BOTH(F) \
	F(0, 1, 2, 3, 8); \
	F(4, 5, 6, 7, 9)

#define EACH(OP, c) \
	OP(c, 0, 0); \
	OP(c, 4, 4)

// VECTOR begins a function of one slice that gives eight sums.
#define VECTOR \
	MOVD s+0(FP), R0;      \
	MOVD x_base+8(FP), R2; \
	MOVD x_len+16(FP), R1

// func expAsm(dst, src []float32)
TEXT ·expAsm(SB), NOSPLIT, $0-48
	UNARY(EXPCONSTANTS)
	BOTH(EXP)
	NEXT

// func tanhAsm(dst, src []float32)
TEXT ·tanhAsm(SB), NOSPLIT, $0-48
	UNARY(TANHCONSTANTS)
	BOTH(TANH)
	NEXT

// func sigmoidAsm(dst, src []float32)
TEXT ·sigmoidAsm(SB), NOSPLIT, $0-48
	UNARY(EXPCONSTANTS)
	BOTH(SIGMOID)
	NEXT

// func siluAsm(dst, src []float32)
TEXT ·siluAsm(SB), NOSPLIT, $0-48
	UNARY(EXPCONSTANTS)
	COPY(0, 8)
	COPY(4, 9)
	BOTH(SILU)
	NEXT

// func erfAsm(dst, src []float32)
TEXT ·erfAsm(SB), NOSPLIT, $0-48
	UNARY(ERFCONSTANTS)
	BOTH(ERF)
	NEXT

// func geluAsm(dst, src []float32)
TEXT ·geluAsm(SB), NOSPLIT, $0-48
	UNARY(ERFCONSTANTS)
	FMUL(HALF, 0, 10)
	FMUL(HALF, 4, 11)
	EACH(FMUL, ROOTHALF)
	BOTH(ERF)
	FMLA(0, 10, 10)
	FMLA(4, 11, 11)
	COPY(10, 0)
	COPY(11, 4)
	NEXT

// func scaleAsm(dst, src []float32, p float32)
TEXT ·scaleAsm(SB), NOSPLIT, $0-52
	UNARY(ARG)
	EACH(FMUL, 16)
	NEXT

// func shiftAsm(dst, src []float32, p, q float32)
TEXT ·shiftAsm(SB), NOSPLIT, $0-56
	UNARY(ARGS)
	EACH(FSUB, 16)
	EACH(FSUB, 17)
	NEXT

// func clampAsm(dst, src []float32, p, q float32)
TEXT ·clampAsm(SB), NOSPLIT, $0-56
	UNARY(ARGS)
	EACH(FMAX, 16)
	EACH(FMIN, 17)
	NEXT

// func leakyAsm(dst, src []float32, p float32)
TEXT ·leakyAsm(SB), NOSPLIT, $0-52
	UNARY(ARG)
	FMUL(16, 0, 1)
	FMUL(16, 4, 5)
	FCMLT0(0, 2)
	FCMLT0(4, 6)
	BSL(0, 1, 2)
	BSL(4, 5, 6)
	COPY(2, 0)
	COPY(6, 4)
	NEXT

#define LINEAR(x, y) \
	COPY(17, y);     \
	FMLA(16, x, y);  \
	FMAX(18, y, y);  \
	FMIN(19, y, y)

#define LINEARCONSTANTS \
	ARGS;            \
	ZERO(18);        \
	FMOVS $1.0, F19; \
	VDUP  V19.S[0], V19.S4

// func hardSigmoidAsm(dst, src []float32, p, q float32)
TEXT ·hardSigmoidAsm(SB), NOSPLIT, $0-56
	UNARY(LINEARCONSTANTS)
	LINEAR(0, 1)
	LINEAR(4, 5)
	COPY(1, 0)
	COPY(5, 4)
	NEXT

// func hardSwishAsm(dst, src []float32, p, q float32)
TEXT ·hardSwishAsm(SB), NOSPLIT, $0-56
	UNARY(LINEARCONSTANTS)
	LINEAR(0, 1)
	LINEAR(4, 5)
	FMUL(1, 0, 0)
	FMUL(5, 4, 4)
	NEXT

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
	FLDPQ.P 32(R2), (F1, F5)
	FLDPQ.P 32(R3), (F2, F6)
	FLDPQ   (R0), (F0, F4)
	FMLA(1, 2, 0)
	FMLA(5, 6, 4)
	NEXT

// func axpyAsm(dst, src []float32, p float32)
TEXT ·axpyAsm(SB), NOSPLIT, $0-52
	SLICES
	ARG

loop:
	FLDPQ.P 32(R2), (F1, F5)
	FLDPQ   (R0), (F0, F4)
	FMLA(16, 1, 0)
	FMLA(16, 5, 4)
	NEXT

// PARTIALS adds up R1 values by 32 or by EIGHT, and returns eight sums.
#define PARTIALS(THIRTYTWO, EIGHT) \
	ZERO4(0, 1, 2, 3);    \
	ZERO4(4, 5, 6, 7);    \
	SUBS $32, R1;         \
	BLT  rest;            \
loop: \
	THIRTYTWO;            \
	SUBS $32, R1;         \
	BGE  loop;            \
rest: \
	ADDS $32, R1;         \
	BEQ  done;            \
loop1: \
	EIGHT;                \
	SUBS $8, R1;          \
	BNE  loop1;           \
done: \
	EACH2(FADD, 2, 0, 0); \
	EACH2(FADD, 6, 4, 4); \
	EACH2(FADD, 4, 0, 0); \
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
	EACH4(FMLA, 16, 24, 0);     \
	EACH4(FMLA, 20, 28, 4)

#define DOT8 \
	FLDPQ.P 32(R2), (F16, F17); \
	FLDPQ.P 32(R3), (F24, F25); \
	EACH2(FMLA, 16, 24, 0)

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
	EACH4(FADD, 16, 0, 0);      \
	EACH4(FADD, 20, 4, 4)

#define SUM8 \
	FLDPQ.P 32(R2), (F16, F17); \
	EACH2(FADD, 16, 0, 0)

// func sumAsm(s *[8]float32, x []float32)
TEXT ·sumAsm(SB), NOSPLIT, $0-32
	VECTOR
	PARTIALS(SUM32, SUM8)

// Sixteen values of a row of B times those of a, in V16…V19, added to Vd and the next.
#define ROW16(p, d) \
	FLDPQ.P 32(p), (F20, F21); \
	FLDPQ.P 32(p), (F22, F23); \
	EACH4(FMLA, 16, 20, d)

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
	ROW16(R3, 0)
	ROW16(R4, 4)
	ROW16(R5, 8)
	ROW16(R6, 12)
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
	VECTOR
	MOVWU m+32(FP), R4
	VDUP  R4, V30.S4
	EXPCONSTANTS
	ZERO(10)
	ZERO(11)

loop:
	GET
	EACH(FSUB, 30)
	BOTH(EXP)
	FADD(0, 10, 10)
	FADD(4, 11, 11)
	SUBS  $8, R1
	BNE   loop
	FSTPQ (F10, F11), (R0)
	RET

// func largestAsm(s *[8]float32, x []float32)
TEXT ·largestAsm(SB), NOSPLIT, $0-32
	VECTOR
	FLDPQ (R2), (F0, F1)

loop:
	FLDPQ.P 32(R2), (F2, F3)
	FMAX(2, 0, 0)
	FMAX(3, 1, 1)
	SUBS    $8, R1
	BNE     loop
	FSTPQ   (F0, F1), (R0)
	RET
