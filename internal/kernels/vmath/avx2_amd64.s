//go:build !purego

#include "textflag.h"
#include "../asm/avx_amd64.h"

// Constants, from AX.
#define EXPLOW  0(AX)
#define EXPHIGH 32(AX)
#define LOG2E   64(AX)
#define LN2HIGH 96(AX)
#define LN2LOW  128(AX)
#define EXP7    160(AX)
#define EXP6    192(AX)
#define EXP5    224(AX)
#define EXP4    256(AX)
#define EXP3    288(AX)
#define EXP2    320(AX)
#define ONE     352(AX)
#define TWO     384(AX)
#define TANHHIGH 416(AX)
#define ERFHIGH 448(AX)
#define ERFP6   480(AX)
#define ERFP5   512(AX)
#define ERFP4   544(AX)
#define ERFP3   576(AX)
#define ERFP2   608(AX)
#define ERFP1   640(AX)
#define ERFP0   672(AX)
#define ERFQ4   704(AX)
#define ERFQ3   736(AX)
#define ERFQ2   768(AX)
#define ERFQ1   800(AX)
#define ERFQ0   832(AX)

// REDUCE splits x = Y0 into n = Y1 and eʳ − 1 = Y2. It uses Y0 and Y3.
#define REDUCE \
	VMULPS       LOG2E, Y0, Y1;   \
	VROUNDPS     $0, Y1, Y1;      \
	VFNMADD231PS LN2HIGH, Y1, Y0; \
	VFNMADD231PS LN2LOW, Y1, Y0;  \
	VMOVUPS      EXP7, Y2;        \
	VFMADD213PS  EXP6, Y0, Y2;    \
	VFMADD213PS  EXP5, Y0, Y2;    \
	VFMADD213PS  EXP4, Y0, Y2;    \
	VFMADD213PS  EXP3, Y0, Y2;    \
	VFMADD213PS  EXP2, Y0, Y2;    \
	VMULPS       Y0, Y0, Y3;      \
	VFMADD213PS  Y0, Y3, Y2

// EXP sets Y0 to its exponential. It uses Y1, Y2, Y3; the bounds must be in Y12
// and Y13, and 1 in Y14: 2ⁿ is 1 with n added to the exponent.
#define EXP \
	CLAMP(Y0, Y12, Y13);     \
	REDUCE;                  \
	VCVTPS2DQ   Y1, Y1;      \
	VPSRAD      $1, Y1, Y3;  \
	VPSUBD      Y3, Y1, Y1;  \
	VPSLLD      $23, Y3, Y3; \
	VPSLLD      $23, Y1, Y1; \
	VPADDD      Y14, Y3, Y3; \
	VPADDD      Y14, Y1, Y1; \
	VFMADD213PS Y3, Y3, Y2;  \
	VMULPS      Y1, Y2, Y0

// ERF sets Y0 to its error function. It uses Y1, Y2, Y3; the bounds must be in
// Y12 and Y13.
#define ERF \
	CLAMP(Y0, Y12, Y13);       \
	VMULPS      Y0, Y0, Y1;    \
	VMOVUPS     ERFP6, Y2;     \
	VFMADD213PS ERFP5, Y1, Y2; \
	VFMADD213PS ERFP4, Y1, Y2; \
	VFMADD213PS ERFP3, Y1, Y2; \
	VFMADD213PS ERFP2, Y1, Y2; \
	VFMADD213PS ERFP1, Y1, Y2; \
	VFMADD213PS ERFP0, Y1, Y2; \
	VMOVUPS     ERFQ4, Y3;     \
	VFMADD213PS ERFQ3, Y1, Y3; \
	VFMADD213PS ERFQ2, Y1, Y3; \
	VFMADD213PS ERFQ1, Y1, Y3; \
	VFMADD213PS ERFQ0, Y1, Y3; \
	VDIVPS      Y3, Y2, Y2;    \
	VMULPS      Y2, Y0, Y0

// Registers of all functions: SI src or a, DX b, DI dst, CX values left.

#define SLICES \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX;  \
	MOVQ src_base+24(FP), SI

// UNARY begins a function of one slice, which CONSTANTS prepares, and its loop over
// vectors; NEXT, which stores Y0, ends both.
#define UNARY(CONSTANTS) \
	SLICES;                  \
	LEAQ ·constants(SB), AX; \
	CONSTANTS;               \
loop:

#define NEXT \
	VMOVUPS Y0, (DI); \
	ADDQ    $32, SI;  \
	ADDQ    $32, DI;  \
	SUBQ    $8, CX;   \
	JNZ     loop;     \
	VZEROUPPER;       \
	RET

// The arguments p and q.
#define ARG VBROADCASTSS p+48(FP), Y12
#define ARGS \
	ARG; \
	VBROADCASTSS q+52(FP), Y13

// BINARY and NEXT2 are the same for functions of two slices.
#define BINARY \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX;  \
	MOVQ a_base+24(FP), SI;  \
	MOVQ b_base+48(FP), DX;  \
loop:

#define NEXT2 \
	ADDQ $32, DX; \
	NEXT

// VECTOR begins a function of one slice that gives eight sums.
#define VECTOR \
	MOVQ s+0(FP), DI;      \
	MOVQ x_base+8(FP), SI; \
	MOVQ x_len+16(FP), CX

#define EXPBOUNDS \
	VMOVUPS EXPLOW, Y12;  \
	VMOVUPS EXPHIGH, Y13; \
	VMOVUPS ONE, Y14

// BOUNDS are ±high, in Y12 and Y13.
#define BOUNDS(high) \
	VXORPS  Y12, Y12, Y12; \
	VMOVUPS high, Y13;     \
	VSUBPS  Y13, Y12, Y12

// func expAsm(dst, src []float32)
TEXT ·expAsm(SB), NOSPLIT, $0-48
	UNARY(EXPBOUNDS)
	VMOVUPS (SI), Y0
	EXP
	NEXT

#define TANHBOUNDS \
	BOUNDS(TANHHIGH); \
	VMOVUPS ONE, Y14; \
	VMOVUPS TWO, Y15

// func tanhAsm(dst, src []float32)
TEXT ·tanhAsm(SB), NOSPLIT, $0-48
	UNARY(TANHBOUNDS)
	VMOVUPS     (SI), Y0
	CLAMP(Y0, Y12, Y13)
	VADDPS      Y0, Y0, Y0
	REDUCE
	VCVTPS2DQ   Y1, Y1
	VPSLLD      $23, Y1, Y1
	VPADDD      Y14, Y1, Y1
	VSUBPS      Y14, Y1, Y3
	VFMADD213PS Y3, Y1, Y2
	VADDPS      Y15, Y2, Y3
	VDIVPS      Y3, Y2, Y0
	NEXT

// func sigmoidAsm(dst, src []float32)
TEXT ·sigmoidAsm(SB), NOSPLIT, $0-48
	UNARY(EXPBOUNDS)
	VXORPS Y0, Y0, Y0
	VSUBPS (SI), Y0, Y0
	EXP
	VADDPS Y14, Y0, Y0
	VDIVPS Y0, Y14, Y0
	NEXT

// func siluAsm(dst, src []float32)
TEXT ·siluAsm(SB), NOSPLIT, $0-48
	UNARY(EXPBOUNDS)
	VMOVUPS (SI), Y4
	VXORPS  Y0, Y0, Y0
	VSUBPS  Y4, Y0, Y0
	EXP
	VADDPS  Y14, Y0, Y0
	VDIVPS  Y0, Y4, Y0
	NEXT

// func erfAsm(dst, src []float32)
TEXT ·erfAsm(SB), NOSPLIT, $0-48
	UNARY(BOUNDS(ERFHIGH))
	VMOVUPS (SI), Y0
	ERF
	NEXT

// GELUCONSTANTS sets Y14 to 1/√2 and Y15 to 1/2 besides.
#define GELUCONSTANTS \
	BOUNDS(ERFHIGH);                 \
	FILL($0x3f3504f3, BX, X14, Y14); \
	FILL($0x3f000000, BX, X15, Y15)

// func geluAsm(dst, src []float32)
TEXT ·geluAsm(SB), NOSPLIT, $0-48
	UNARY(GELUCONSTANTS)
	VMOVUPS     (SI), Y4
	VMULPS      Y14, Y4, Y0
	VMULPS      Y15, Y4, Y4
	ERF
	VFMADD213PS Y4, Y4, Y0
	NEXT

// func scaleAsm(dst, src []float32, p float32)
TEXT ·scaleAsm(SB), NOSPLIT, $0-52
	UNARY(ARG)
	VMULPS (SI), Y12, Y0
	NEXT

// func shiftAsm(dst, src []float32, p, q float32)
TEXT ·shiftAsm(SB), NOSPLIT, $0-56
	UNARY(ARGS)
	VMOVUPS (SI), Y0
	VSUBPS  Y12, Y0, Y0
	VSUBPS  Y13, Y0, Y0
	NEXT

// func clampAsm(dst, src []float32, p, q float32)
TEXT ·clampAsm(SB), NOSPLIT, $0-56
	UNARY(ARGS)
	VMAXPS (SI), Y12, Y0
	VMINPS Y0, Y13, Y0
	NEXT

#define LEAKYCONSTANTS \
	ARG; \
	VXORPS Y13, Y13, Y13

// func leakyAsm(dst, src []float32, p float32)
TEXT ·leakyAsm(SB), NOSPLIT, $0-52
	UNARY(LEAKYCONSTANTS)
	VMOVUPS   (SI), Y0
	VMULPS    Y12, Y0, Y1
	VCMPPS    $1, Y13, Y0, Y2 // x < 0
	VBLENDVPS Y2, Y1, Y0, Y0
	NEXT

#define LINEAR \
	ARGS;                  \
	VXORPS  Y15, Y15, Y15; \
	VMOVUPS ONE, Y14

// func hardSigmoidAsm(dst, src []float32, p, q float32)
TEXT ·hardSigmoidAsm(SB), NOSPLIT, $0-56
	UNARY(LINEAR)
	VMOVUPS     (SI), Y0
	VFMADD213PS Y13, Y12, Y0
	CLAMP(Y0, Y15, Y14)
	NEXT

// func hardSwishAsm(dst, src []float32, p, q float32)
TEXT ·hardSwishAsm(SB), NOSPLIT, $0-56
	UNARY(LINEAR)
	VMOVUPS     (SI), Y1
	VMOVUPS     Y1, Y0
	VFMADD213PS Y13, Y12, Y0
	CLAMP(Y0, Y15, Y14)
	VMULPS      Y1, Y0, Y0
	NEXT

#define ARITHMETIC(OP) \
	BINARY                \
	VMOVUPS (SI), Y0;     \
	OP      (DX), Y0, Y0; \
	NEXT2

// func addAsm(dst, a, b []float32)
TEXT ·addAsm(SB), NOSPLIT, $0-72
	ARITHMETIC(VADDPS)

// func subAsm(dst, a, b []float32)
TEXT ·subAsm(SB), NOSPLIT, $0-72
	ARITHMETIC(VSUBPS)

// func mulAsm(dst, a, b []float32)
TEXT ·mulAsm(SB), NOSPLIT, $0-72
	ARITHMETIC(VMULPS)

// func mulAddAsm(dst, a, b []float32)
TEXT ·mulAddAsm(SB), NOSPLIT, $0-72
	BINARY
	VMOVUPS     (SI), Y0
	VMOVUPS     (DX), Y1
	VFMADD213PS (DI), Y1, Y0
	NEXT2

// func axpyAsm(dst, src []float32, p float32)
TEXT ·axpyAsm(SB), NOSPLIT, $0-52
	SLICES
	ARG

loop:
	VMOVUPS     (SI), Y0
	VFMADD213PS (DI), Y12, Y0
	NEXT

// PARTIALS adds up CX values by FOUR vectors or ONE, and returns eight sums.
#define PARTIALS(FOUR, ONE) \
	ZERO4(Y0, Y1, Y2, Y3); \
	SUBQ    $32, CX;       \
	JLT     rest;          \
loop: \
	FOUR;                  \
	SUBQ    $32, CX;       \
	JGE     loop;          \
rest: \
	ADDQ    $32, CX;       \
	JZ      done;          \
loop1: \
	ONE;                   \
	SUBQ    $8, CX;        \
	JNZ     loop1;         \
done: \
	VADDPS  Y1, Y0, Y0;    \
	VADDPS  Y3, Y2, Y2;    \
	VADDPS  Y2, Y0, Y0;    \
	VMOVUPS Y0, (DI);      \
	VZEROUPPER;            \
	RET

#define DOT4 \
	LOAD4((SI), Y4, Y5, Y6, Y7); \
	VFMADD231PS (DX), Y4, Y0;    \
	VFMADD231PS 32(DX), Y5, Y1;  \
	VFMADD231PS 64(DX), Y6, Y2;  \
	VFMADD231PS 96(DX), Y7, Y3;  \
	ADDQ        $128, SI;        \
	ADDQ        $128, DX

#define DOT1 \
	VMOVUPS     (SI), Y4;     \
	VFMADD231PS (DX), Y4, Y0; \
	ADDQ        $32, SI;      \
	ADDQ        $32, DX

// func dotAsm(s *[8]float32, a, b []float32)
TEXT ·dotAsm(SB), NOSPLIT, $0-56
	MOVQ s+0(FP), DI
	MOVQ a_base+8(FP), SI
	MOVQ a_len+16(FP), CX
	MOVQ b_base+32(FP), DX
	PARTIALS(DOT4, DOT1)

#define SUM4 \
	VADDPS (SI), Y0, Y0;   \
	VADDPS 32(SI), Y1, Y1; \
	VADDPS 64(SI), Y2, Y2; \
	VADDPS 96(SI), Y3, Y3; \
	ADDQ   $128, SI

#define SUM1 \
	VADDPS (SI), Y0, Y0; \
	ADDQ   $32, SI

// func sumAsm(s *[8]float32, x []float32)
TEXT ·sumAsm(SB), NOSPLIT, $0-32
	VECTOR
	PARTIALS(SUM4, SUM1)

// func dot4Asm(s *[4]float32, a, b []float32, ldb int)
TEXT ·dot4Asm(SB), NOSPLIT, $0-64
	MOVQ   s+0(FP), DI
	MOVQ   a_base+8(FP), SI
	MOVQ   a_len+16(FP), CX
	MOVQ   b_base+32(FP), DX
	BYTES4(ldb+56(FP), R8)
	LEAQ   (R8)(R8*2), R9
	ZERO4(Y0, Y1, Y2, Y3)
	ZERO4(Y4, Y5, Y6, Y7)

loop:
	VMOVUPS     (SI), Y8
	VMOVUPS     32(SI), Y9
	VFMADD231PS (DX), Y8, Y0
	VFMADD231PS 32(DX), Y9, Y4
	VFMADD231PS (DX)(R8*1), Y8, Y1
	VFMADD231PS 32(DX)(R8*1), Y9, Y5
	VFMADD231PS (DX)(R8*2), Y8, Y2
	VFMADD231PS 32(DX)(R8*2), Y9, Y6
	VFMADD231PS (DX)(R9*1), Y8, Y3
	VFMADD231PS 32(DX)(R9*1), Y9, Y7
	ADDQ        $64, SI
	ADDQ        $64, DX
	SUBQ        $16, CX
	JNZ         loop

	VADDPS       Y4, Y0, Y0
	VADDPS       Y5, Y1, Y1
	VADDPS       Y6, Y2, Y2
	VADDPS       Y7, Y3, Y3
	VHADDPS      Y1, Y0, Y0
	VHADDPS      Y3, Y2, Y2
	VHADDPS      Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VMOVUPS      X0, (DI)
	VZEROUPPER
	RET

// func sumExpAsm(s *[8]float32, x []float32, m float32)
TEXT ·sumExpAsm(SB), NOSPLIT, $0-36
	VECTOR
	VBROADCASTSS m+32(FP), Y5
	LEAQ         ·constants(SB), AX
	EXPBOUNDS
	VXORPS       Y4, Y4, Y4

loop:
	VMOVUPS (SI), Y0
	VSUBPS  Y5, Y0, Y0
	EXP
	VADDPS  Y0, Y4, Y4
	ADDQ    $32, SI
	SUBQ    $8, CX
	JNZ     loop
	VMOVUPS Y4, (DI)
	VZEROUPPER
	RET

// func largestAsm(s *[8]float32, x []float32)
// Y1 marks the lanes that have seen a NaN.
TEXT ·largestAsm(SB), NOSPLIT, $0-32
	VECTOR
	VMOVUPS (SI), Y0
	VXORPS  Y1, Y1, Y1

loop:
	VMOVUPS (SI), Y2
	VCMPPS  $3, Y2, Y2, Y3 // unordered
	VORPS   Y3, Y1, Y1
	VMAXPS  Y2, Y0, Y0
	ADDQ    $32, SI
	SUBQ    $8, CX
	JNZ     loop
	VORPS   Y1, Y0, Y0     // all bits set is a NaN
	VMOVUPS Y0, (DI)
	VZEROUPPER
	RET
