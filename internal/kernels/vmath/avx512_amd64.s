//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"

// Registers of all functions:
//	BX the job, R11 rows left
//	R8 row of dst, R9 of src; R13 and R14 bytes to the next
//	DI place in dst, SI in src; R12 columns, R10 columns left after this block
//	K1 the columns of this block, K2 those of the last one
//	Z0 the argument, the result

#define ROWS \
	MOVQ  t+0(FP), BX;            \
	MOVQ  rowsJob_dst(BX), R8;    \
	MOVQ  rowsJob_src(BX), R9;    \
	MOVQ  rowsJob_rows(BX), R11;  \
	MOVQ  rowsJob_cols(BX), R12;  \
	BYTES4(rowsJob_ldd(BX), R13); \
	BYTES4(rowsJob_lds(BX), R14); \
	MOVQ  R12, CX;                \
	ANDL  $15, CX;                \
	MOVL  $1, DX;                 \
	SHLL  CX, DX;                 \
	DECL  DX;                     \
	KMOVW DX, K2

// EACH is a whole function: after CONSTANTS it runs FUNCTION over all values.
#define EACH(CONSTANTS, FUNCTION) \
	ROWS;                   \
	CONSTANTS;              \
row: \
	KXNORW    K1, K1, K1;   \
	MOVQ      R8, DI;       \
	MOVQ      R9, SI;       \
	MOVQ      R12, R10;     \
	SUBQ      $16, R10;     \
	JLT       last;         \
block: \
	VMOVUPS.Z (SI), K1, Z0; \
	FUNCTION;               \
	VMOVUPS   Z0, K1, (DI); \
	ADDQ      $64, SI;      \
	ADDQ      $64, DI;      \
	SUBQ      $16, R10;     \
	JGE       block;        \
last: \
	ADDQ      $16, R10;     \
	JZ        next;         \
	KMOVW     K2, K1;       \
	XORL      R10, R10;     \
	JMP       block;        \
next: \
	ADDQ      R13, R8;      \
	ADDQ      R14, R9;      \
	DECQ      R11;          \
	JNZ       row;          \
	VZEROUPPER;             \
	RET

#define CONSTANT(i, z) VBROADCASTSS ·scalars+(i*4)(SB), z
#define CONSTANTS4(i, w, x, y, z) CONSTANT(i, w); CONSTANT((i+1), x); CONSTANT((i+2), y); CONSTANT((i+3), z)

// EXPCONSTANTS loads what EXP needs, of which the first four, of the sign given by
// their place, are scalars from i on: bounds in Z16, Z17, log₂e in two parts in Z18, Z19,
// 1.5·2¹⁸ in Z20, the polynomial in Z21…Z23 and 2^(j/32) in Z24, Z25; and 1 in Z26.
#define EXPCONSTANTS(i) \
	CONSTANTS4(i, Z16, Z17, Z18, Z19); \
	CONSTANTS4(8, Z20, Z21, Z22, Z23); \
	VMOVUPS ·powers(SB), Z24;          \
	VMOVUPS ·powers+64(SB), Z25;       \
	CONSTANT(12, Z26)

// EXP sets Z1 to e^±Z0 = 2ⁿ·2^(j/32)·2ʳ, |r| ≤ 1/64. The sum with 1.5·2¹⁸ has
// j in its last bits. It uses Z2…Z4. A NaN stays one, as with CLAMP.
#define EXP \
	VMAXPS       Z0, Z16, Z1;   \
	VMINPS       Z1, Z17, Z1;   \
	VMOVAPS      Z1, Z2;        \
	VFMADD213PS  Z20, Z18, Z2;  \
	VSUBPS       Z20, Z2, Z3;   \
	VMOVAPS      Z1, Z4;        \
	VFMSUB213PS  Z3, Z18, Z4;   \
	VFMADD231PS  Z19, Z1, Z4;   \
	VPERMI2PS    Z25, Z24, Z2;  \
	VMOVAPS      Z21, Z1;       \
	VFMADD213PS  Z22, Z4, Z1;   \
	VFMADD213PS  Z23, Z4, Z1;   \
	VMULPS       Z4, Z1, Z1;    \
	VFMADD213PS  Z2, Z2, Z1;    \
	VSCALEFPS    Z3, Z1, Z1

#define EXPZ0 \
	EXP;         \
	VMOVAPS Z1, Z0

// func expAVX512(t *rowsJob)
TEXT ·expAVX512(SB), NOSPLIT, $0-8
	EACH(EXPCONSTANTS(0), EXPZ0)

#define SIGMOID \
	EXP;                \
	VADDPS Z26, Z1, Z1; \
	VDIVPS Z1, Z26, Z0

// func sigmoidAVX512(t *rowsJob)
TEXT ·sigmoidAVX512(SB), NOSPLIT, $0-8
	EACH(EXPCONSTANTS(4), SIGMOID)

#define SILU \
	EXP;                \
	VADDPS Z26, Z1, Z1; \
	VDIVPS Z1, Z0, Z0

// func siluAVX512(t *rowsJob)
TEXT ·siluAVX512(SB), NOSPLIT, $0-8
	EACH(EXPCONSTANTS(4), SILU)

#define GELUCONSTANTS \
	CONSTANTS4(13, Z16, Z17, Z18, Z19); \
	CONSTANTS4(17, Z20, Z21, Z22, Z23); \
	CONSTANTS4(21, Z24, Z25, Z26, Z27); \
	CONSTANTS4(25, Z28, Z29, Z30, Z31)

#define GELU \
	VMULPS      Z18, Z0, Z1; \
	VMULPS      Z19, Z0, Z0; \
	CLAMP(Z1, Z16, Z17);     \
	VMULPS      Z1, Z1, Z2;  \
	VMOVAPS     Z20, Z3;     \
	VFMADD213PS Z21, Z2, Z3; \
	VFMADD213PS Z22, Z2, Z3; \
	VFMADD213PS Z23, Z2, Z3; \
	VFMADD213PS Z24, Z2, Z3; \
	VFMADD213PS Z25, Z2, Z3; \
	VFMADD213PS Z26, Z2, Z3; \
	VMOVAPS     Z27, Z4;     \
	VFMADD213PS Z28, Z2, Z4; \
	VFMADD213PS Z29, Z2, Z4; \
	VFMADD213PS Z30, Z2, Z4; \
	VFMADD213PS Z31, Z2, Z4; \
	VDIVPS      Z4, Z3, Z3;  \
	VMULPS      Z3, Z1, Z1;  \
	VFMADD213PS Z0, Z1, Z0

// func geluAVX512(t *rowsJob)
TEXT ·geluAVX512(SB), NOSPLIT, $0-8
	EACH(GELUCONSTANTS, GELU)

#define LEAKYCONSTANTS \
	VBROADCASTSS rowsJob_p(BX), Z16; \
	VPXORQ       Z17, Z17, Z17

#define LEAKY \
	VCMPPS $1, Z17, Z0, K3; \
	VMULPS Z16, Z0, K3, Z0

// func leakyAVX512(t *rowsJob)
TEXT ·leakyAVX512(SB), NOSPLIT, $0-8
	EACH(LEAKYCONSTANTS, LEAKY)

#define HARDCONSTANTS \
	VBROADCASTSS rowsJob_p(BX), Z16; \
	VBROADCASTSS rowsJob_q(BX), Z17; \
	VPXORQ       Z18, Z18, Z18;    \
	CONSTANT(12, Z19)

#define HARDSIGMOID \
	VFMADD213PS Z17, Z16, Z0; \
	CLAMP(Z0, Z18, Z19)

// func hardSigmoidAVX512(t *rowsJob)
TEXT ·hardSigmoidAVX512(SB), NOSPLIT, $0-8
	EACH(HARDCONSTANTS, HARDSIGMOID)

#define HARDSWISH \
	VMOVAPS     Z0, Z1;       \
	VFMADD213PS Z17, Z16, Z0; \
	CLAMP(Z0, Z18, Z19);      \
	VMULPS      Z1, Z0, Z0

// func hardSwishAVX512(t *rowsJob)
TEXT ·hardSwishAVX512(SB), NOSPLIT, $0-8
	EACH(HARDCONSTANTS, HARDSWISH)

#define FACTORS MOVQ rowsJob_scale(BX), AX

#define MUL \
	MOVQ      DI, DX;             \
	SUBQ      R8, DX;             \
	VMOVUPS.Z (AX)(DX*1), K1, Z1; \
	VMULPS    Z1, Z0, Z0

// func mulAVX512(t *rowsJob)
TEXT ·mulAVX512(SB), NOSPLIT, $0-8
	EACH(FACTORS, MUL)

#define AFFINECONSTANTS \
	FACTORS;                            \
	MOVQ         rowsJob_shift(BX), CX; \
	VBROADCASTSS rowsJob_p(BX), Z16;    \
	VBROADCASTSS rowsJob_q(BX), Z17

#define AFFINE \
	MOVQ        DI, DX;             \
	SUBQ        R8, DX;             \
	VMOVUPS.Z   (AX)(DX*1), K1, Z1; \
	VMOVUPS.Z   (CX)(DX*1), K1, Z2; \
	VFMADD213PS Z2, Z1, Z0;         \
	CLAMP(Z0, Z16, Z17)

// func affineAVX512(t *rowsJob)
TEXT ·affineAVX512(SB), NOSPLIT, $0-8
	EACH(AFFINECONSTANTS, AFFINE)
