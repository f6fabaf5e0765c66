//go:build !purego

#include "textflag.h"

// SUMS stores the sums of four vectors; x is the lower half of a.
#define SUMS(a, b, c, d, x, at) \
	VHADDPS      b, a, a;    \
	VHADDPS      d, c, c;    \
	VHADDPS      c, a, a;    \
	VEXTRACTF128 $1, a, X12; \
	VADDPS       X12, x, x;  \
	VMOVUPS      x, at(DI)

// Columns are widened one after the other, each for all three rows. Twice as wide
// vectors are no faster where the processor computes them in halves.
//
// func halfDotsAVX2(s *[12]float32, a []float32, off1, off2 int, b []byte, ldb, k int)
TEXT ·halfDotsAVX2(SB), NOSPLIT, $0-88
	MOVQ   s+0(FP), DI
	MOVQ   a_base+8(FP), SI
	MOVQ   off1+32(FP), R10
	SHLQ   $2, R10
	MOVQ   off2+40(FP), R11
	SHLQ   $2, R11
	MOVQ   b_base+48(FP), DX
	MOVQ   ldb+72(FP), R8
	LEAQ   (R8)(R8*2), R9
	MOVQ   k+80(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11

dots:
	VMOVUPS     (SI), Y12
	VMOVUPS     (SI)(R10*1), Y13
	VMOVUPS     (SI)(R11*1), Y14
	VCVTPH2PS   (DX), Y15
	VFMADD231PS Y15, Y12, Y0
	VFMADD231PS Y15, Y13, Y4
	VFMADD231PS Y15, Y14, Y8
	VCVTPH2PS   (DX)(R8*1), Y15
	VFMADD231PS Y15, Y12, Y1
	VFMADD231PS Y15, Y13, Y5
	VFMADD231PS Y15, Y14, Y9
	VCVTPH2PS   (DX)(R8*2), Y15
	VFMADD231PS Y15, Y12, Y2
	VFMADD231PS Y15, Y13, Y6
	VFMADD231PS Y15, Y14, Y10
	VCVTPH2PS   (DX)(R9*1), Y15
	VFMADD231PS Y15, Y12, Y3
	VFMADD231PS Y15, Y13, Y7
	VFMADD231PS Y15, Y14, Y11
	ADDQ        $32, SI
	ADDQ        $16, DX
	SUBQ        $8, CX
	JNZ         dots

	SUMS(Y0, Y1, Y2, Y3, X0, 0)
	SUMS(Y4, Y5, Y6, Y7, X4, 16)
	SUMS(Y8, Y9, Y10, Y11, X8, 32)
	VZEROUPPER
	RET
