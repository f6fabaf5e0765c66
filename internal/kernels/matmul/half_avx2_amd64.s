//go:build !purego

#include "textflag.h"
#include "../asm/avx_amd64.h"

// SUMS stores the sums of four vectors; x is the lower half of a.
#define SUMS(a, b, c, d, x, at) \
	VHADDPS      b, a, a;    \
	VHADDPS      d, c, c;    \
	VHADDPS      c, a, a;    \
	VEXTRACTF128 $1, a, X12; \
	VADDPS       X12, x, x;  \
	VMOVUPS      x, at(DI)

// COLUMN multiplies a column of B with the three rows, in Y12…Y14.
#define COLUMN(b, x, y, z) \
	VCVTPH2PS   b, Y15;      \
	VFMADD231PS Y15, Y12, x; \
	VFMADD231PS Y15, Y13, y; \
	VFMADD231PS Y15, Y14, z

// Columns are widened one after the other, each for all three rows. Twice as wide
// vectors are no faster where the processor computes them in halves.
//
// func halfDotsAVX2(s *[12]float32, a []float32, off1, off2 int, b []byte, ldb, k int)
TEXT ·halfDotsAVX2(SB), NOSPLIT, $0-88
	MOVQ   s+0(FP), DI
	MOVQ   a_base+8(FP), SI
	BYTES4(off1+32(FP), R10)
	BYTES4(off2+40(FP), R11)
	MOVQ   b_base+48(FP), DX
	MOVQ   ldb+72(FP), R8
	LEAQ   (R8)(R8*2), R9
	MOVQ   k+80(FP), CX
	ZERO4(Y0, Y1, Y2, Y3)
	ZERO4(Y4, Y5, Y6, Y7)
	ZERO4(Y8, Y9, Y10, Y11)

dots:
	VMOVUPS     (SI), Y12
	VMOVUPS     (SI)(R10*1), Y13
	VMOVUPS     (SI)(R11*1), Y14
	COLUMN((DX), Y0, Y4, Y8)
	COLUMN((DX)(R8*1), Y1, Y5, Y9)
	COLUMN((DX)(R8*2), Y2, Y6, Y10)
	COLUMN((DX)(R9*1), Y3, Y7, Y11)
	ADDQ        $32, SI
	ADDQ        $16, DX
	SUBQ        $8, CX
	JNZ         dots

	SUMS(Y0, Y1, Y2, Y3, X0, 0)
	SUMS(Y4, Y5, Y6, Y7, X4, 16)
	SUMS(Y8, Y9, Y10, Y11, X8, 32)
	VZEROUPPER
	RET
