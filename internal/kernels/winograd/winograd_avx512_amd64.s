//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"
#include "winograd_amd64.h"

// MASK sets K1 to the channels of the vector at R12 that are before R15 (both
// bytes), with CX.
#define MASK(full) \
	KXNORW K1, K1, K1; \
	MOVQ   R15, CX;    \
	SUBQ   R12, CX;    \
	CMPQ   CX, $64;    \
	JGE    full;       \
	SHRQ   $2, CX;     \
	ONES;              \
	KMOVW  AX, K1;     \
full:

// Of the 6×6 values of a window, half of the rows of Bᵀ·d are in registers at a
// time: that keeps them there until they are multiplied by B.
//
//	R13 the job, BX its table of addresses
//	R12 position among the channels, R15 their end, in bytes
//	DI  where the next value goes, R11 from a matrix to the next
//	Z0…Z17 half of Bᵀ·d, Z18…Z23 temporary, Z24…Z31 constants

// SIX applies OP to all columns: each has a number, and registers for three rows.
#define SIX(OP) \
	OP(0, Z0, Z6, Z12); OP(1, Z1, Z7, Z13); OP(2, Z2, Z8, Z14); \
	OP(3, Z3, Z9, Z15); OP(4, Z4, Z10, Z16); OP(5, Z5, Z11, Z17)

// LOAD loads value i of the window.
#define LOAD(i, z) \
	MOVQ      (i*8)(BX), AX; \
	VMOVUPS.Z (AX)(R12*1), K1, z

// Column c of the rows 0 and ±a, from values 0…4 of it. FIRST(c, 0 row, a row, −a row)
#define FIRST(c, x, y, z) \
	LOAD((24+c), x);            \
	LOAD((12+c), Z18);          \
	LOAD((18+c), Z19);          \
	LOAD((6+c), Z20);           \
	LOAD(c, Z21);               \
	VMOVAPS      x, y;          \
	VFNMADD231PS Z18, Z27, x;   \
	VFNMADD231PS Z18, Z31, y;   \
	VFNMADD231PS Z20, Z31, Z19; \
	VFMADD231PS  Z21, Z26, x;   \
	VMOVAPS      y, z;          \
	VFMADD231PS  Z19, Z28, y;   \
	VFNMADD231PS Z19, Z28, z

// The same of the rows ±b and ∞, from values 1…5.
#define SECOND(c, x, y, z) \
	LOAD((24+c), x);            \
	LOAD((12+c), Z18);          \
	LOAD((18+c), Z19);          \
	LOAD((6+c), Z20);           \
	LOAD((30+c), z);            \
	VFNMADD231PS Z18, Z30, x;   \
	VFNMADD231PS Z19, Z27, z;   \
	VFNMADD231PS Z20, Z30, Z19; \
	VFMADD231PS  Z20, Z26, z;   \
	VMOVAPS      x, y;          \
	VFMADD231PS  Z19, Z29, x;   \
	VFNMADD231PS Z19, Z29, y

// The same of a short tile: rows 0 and ±a, from values 0…2, then ∞, from 1 and 3.
#define SHORT(c, x, y, z) \
	LOAD((12+c), Z18);          \
	LOAD(c, Z19);               \
	LOAD((6+c), Z20);           \
	VMULPS       Z19, Z26, x;   \
	VMULPS       Z18, Z24, z;   \
	VMULPS       Z20, Z25, Z20; \
	VFNMADD231PS Z18, Z31, x;   \
	VADDPS       Z20, z, y;     \
	VSUBPS       Z20, z, z

#define LAST(c, x, y, z) \
	LOAD((18+c), x);  \
	LOAD((6+c), Z18); \
	VFNMADD231PS Z18, Z30, x

// A row of Bᵀ·d times B, stored in six matrices.
#define ACROSS(a, b, c, d, e, f) \
	VMOVAPS      e, Z18;        \
	VMOVAPS      e, Z19;        \
	VMOVAPS      d, Z20;        \
	VMOVAPS      d, Z21;        \
	VFNMADD231PS c, Z27, Z18;   \
	VFNMADD231PS c, Z31, Z19;   \
	VFNMADD231PS b, Z31, Z20;   \
	VFNMADD231PS c, Z30, e;     \
	VFNMADD231PS b, Z30, Z21;   \
	VFNMADD231PS d, Z27, f;     \
	VFMADD231PS  a, Z26, Z18;   \
	VMOVAPS      Z19, Z22;      \
	VMOVAPS      e, Z23;        \
	VFMADD231PS  Z20, Z28, Z19; \
	VFNMADD231PS Z20, Z28, Z22; \
	VFMADD231PS  Z21, Z29, e;   \
	VFNMADD231PS Z21, Z29, Z23; \
	VFMADD231PS  b, Z26, f;     \
	PUT(Z18);                   \
	PUT(Z19);                   \
	PUT(Z22);                   \
	PUT(e);                     \
	PUT(Z23);                   \
	PUT(f)

#define THREE(OP) \
	OP(Z0, Z1, Z2, Z3, Z4, Z5); OP(Z6, Z7, Z8, Z9, Z10, Z11); OP(Z12, Z13, Z14, Z15, Z16, Z17)

// func inputAVX512(t *input)
TEXT ·inputAVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), R13

	// Addresses of the pixels.
	MOVQ input_x(R13), SI
	MOVQ input_zero(R13), DX
	MOVQ input_off(R13), DI
	LEAQ input_ptr(R13), BX
	ADDRESSES(address, (BX)(CX*8))

	VBROADCASTSS ·constants+CD(SB), Z24
	VBROADCASTSS ·constants+CDA(SB), Z25
	CONSTANTS(CP, CS, Z26, Z27, Z28, Z29, Z30, Z31)
	INPUT

channels:
	MASK(full)
	LEAQ (R10)(R12*1), DI
	CMPQ input_rows(R13), $4
	JEQ  short
	SIX(FIRST)
	THREE(ACROSS)
	SIX(SECOND)
	THREE(ACROSS)

next:
	NEXTCHANNELS(64)

short:
	SIX(SHORT)
	THREE(ACROSS)
	SIX(LAST)
	ACROSS(Z0, Z1, Z2, Z3, Z4, Z5)
	JMP next

// The output takes its rows in two halves too: 0 and 2, which are made of sums of
// pairs, then 1 and 3, made of differences.
//
//	R13 the job; R12, R15 as above; R11 from a matrix to the next
//	AX BX DX SI DI a column of M, R10 six matrices
//	R8 a row of pixels
//	Z0…Z11 half of Aᵀ·M, Z12…Z20 temporary, Z21 bias
//	Z22, Z23 limits, Z26…Z31 constants (Z24 a³, Z25 b³)

#define COLUMN(from) \
	LEAQ (from)(R12*1), AX;  \
	LEAQ (AX)(R10*1), BX;    \
	LEAQ (BX)(R10*1), DX;    \
	LEAQ (DX)(R10*1), SI;    \
	LEAQ (SI)(R10*1), DI

#define NEXTCOLUMN \
	ADDQ R11, AX; \
	ADDQ R11, BX; \
	ADDQ R11, DX; \
	ADDQ R11, SI; \
	ADDQ R11, DI

#define EVEN(c, x, y, z) \
	VMOVUPS     (BX), Z12;     \
	VMOVUPS     (SI), Z13;     \
	VADDPS      (DX), Z12, Z12; \
	VADDPS      (DI), Z13, Z13; \
	VADDPS      (AX), Z12, x;  \
	VMULPS      Z12, Z30, y;   \
	VADDPS      Z13, x, x;     \
	VFMADD231PS Z13, Z31, y;   \
	NEXTCOLUMN

// Here AX is the second of the rows.
#define ODD(c, x, y, z) \
	VMOVUPS     (AX), Z12;     \
	VMOVUPS     (DX), Z13;     \
	VMOVUPS     (DI), y;       \
	VSUBPS      (BX), Z12, Z12; \
	VSUBPS      (SI), Z13, Z13; \
	VMULPS      Z12, Z28, x;   \
	VFMADD231PS Z12, Z24, y;   \
	VFMADD231PS Z13, Z29, x;   \
	VFMADD231PS Z13, Z25, y;   \
	NEXTCOLUMN

// Both rows of a short tile.
#define BOTH(c, x, y, z) \
	VMOVUPS     (BX), Z12;      \
	VMOVUPS     (SI), y;        \
	VADDPS      (DX), Z12, x;   \
	VSUBPS      (DX), Z12, Z12; \
	VADDPS      (AX), x, x;     \
	VFMADD231PS Z12, Z28, y;    \
	NEXTCOLUMN

#define PIXEL(z) \
	VADDPS  Z21, z, z;             \
	TESTQ   R9, R9;                \
	JZ      2(PC);                 \
	VADDPS  (R9)(R12*1), z, K1, z; \
	CLAMP(z, Z22, Z23);            \
	VMOVUPS z, K1, (R8)(R12*1)

// The row of pixels number r, from a row of Aᵀ·M.
#define PIXELS(r, a, b, c, d, e, f, skip) \
	CMPQ        output_rows(R13), $r;      \
	JLE         skip;                      \
	MOVQ        output_yRow(R13), R8;      \
	IMULQ       $(4*r), R8;                \
	ADDQ        output_y(R13), R8;         \
	MOVQ        output_d(R13), R9;         \
	TESTQ       R9, R9;                    \
	JZ          4(PC);                     \
	MOVQ        output_dRow(R13), CX;      \
	IMULQ       $(4*r), CX;                \
	ADDQ        CX, R9;                    \
	VADDPS      b, c, Z12;                 \
	VADDPS      d, e, Z13;                 \
	VSUBPS      c, b, Z14;                 \
	VSUBPS      e, d, Z15;                 \
	VADDPS      a, Z12, Z16;               \
	VMULPS      Z14, Z28, Z17;             \
	VMULPS      Z12, Z30, Z18;             \
	VFMADD231PS Z14, Z24, f;               \
	VADDPS      Z13, Z16, Z16;             \
	VFMADD231PS Z15, Z29, Z17;             \
	VFMADD231PS Z13, Z31, Z18;             \
	VFMADD231PS Z15, Z25, f;               \
	PIXEL(Z16);                            \
	MOVQ        output_cols(R13), CX;      \
	THREEPIXELS(PIXEL, Z17, Z18, f, skip); \
skip:

// func outputAVX512(t *output)
TEXT ·outputAVX512(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), R13
	VBROADCASTSS output_lo(R13), Z22
	VBROADCASTSS output_hi(R13), Z23
	CONSTANTS(CA3, CB3, Z24, Z25, Z28, Z29, Z30, Z31)
	VPXORQ Z21, Z21, Z21
	OUTPUT

channels:
	MASK(full)
	MOVQ      output_bias(R13), AX
	TESTQ     AX, AX
	JZ        2(PC)
	VMOVUPS.Z (AX)(R12*1), K1, Z21
	MOVQ      output_m(R13), CX
	COLUMN(CX)
	CMPB      output_short(R13), $0
	JNE       short
	SIX(EVEN)
	PIXELS(0, Z0, Z1, Z2, Z3, Z4, Z5, skip0)
	PIXELS(2, Z6, Z7, Z8, Z9, Z10, Z11, skip2)
	CMPQ output_rows(R13), $1
	JLE  next
	PLACE(output_m(R13), R10, CX)
	COLUMN(CX)
	SIX(ODD)
	PIXELS(1, Z0, Z1, Z2, Z3, Z4, Z5, skip1)
	PIXELS(3, Z6, Z7, Z8, Z9, Z10, Z11, skip3)

next:
	NEXTCHANNELS(64)

short:
	SIX(BOTH)
	PIXELS(0, Z0, Z1, Z2, Z3, Z4, Z5, skipShort0)
	PIXELS(1, Z6, Z7, Z8, Z9, Z10, Z11, skipShort1)
	JMP next
