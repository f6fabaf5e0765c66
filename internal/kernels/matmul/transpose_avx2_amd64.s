//go:build !purego

#include "textflag.h"

// func transposeSquares(dst []float32, ldd int, src []float32, lds int, rows, cols int)
//
// A square is loaded as eight halves of rows i and i+4, so that what is left to
// do stays within the halves of the vectors.
TEXT ·transposeSquares(SB), NOSPLIT, $0-80
	MOVQ dst_base+0(FP), DI
	MOVQ ldd+24(FP), R8
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	MOVQ src_base+32(FP), SI
	MOVQ lds+56(FP), R10
	SHLQ $2, R10
	LEAQ (R10)(R10*2), R11
	MOVQ rows+64(FP), R12

rows:
	MOVQ SI, AX               // src, rows 0…3
	LEAQ (SI)(R10*4), BX      // rows 4…7
	MOVQ DI, CX
	MOVQ cols+72(FP), R13

square:
	VMOVUPS     (AX), X0
	VMOVUPS     (AX)(R10*1), X1
	VMOVUPS     (AX)(R10*2), X2
	VMOVUPS     (AX)(R11*1), X3
	VMOVUPS     16(AX), X4
	VMOVUPS     16(AX)(R10*1), X5
	VMOVUPS     16(AX)(R10*2), X6
	VMOVUPS     16(AX)(R11*1), X7
	VINSERTF128 $1, (BX), Y0, Y0
	VINSERTF128 $1, (BX)(R10*1), Y1, Y1
	VINSERTF128 $1, (BX)(R10*2), Y2, Y2
	VINSERTF128 $1, (BX)(R11*1), Y3, Y3
	VINSERTF128 $1, 16(BX), Y4, Y4
	VINSERTF128 $1, 16(BX)(R10*1), Y5, Y5
	VINSERTF128 $1, 16(BX)(R10*2), Y6, Y6
	VINSERTF128 $1, 16(BX)(R11*1), Y7, Y7
	VUNPCKLPS   Y1, Y0, Y8            // a0 b0 a1 b1
	VUNPCKHPS   Y1, Y0, Y9            // a2 b2 a3 b3
	VUNPCKLPS   Y3, Y2, Y10           // c0 d0 c1 d1
	VUNPCKHPS   Y3, Y2, Y11
	VUNPCKLPS   Y5, Y4, Y12
	VUNPCKHPS   Y5, Y4, Y13
	VUNPCKLPS   Y7, Y6, Y14
	VUNPCKHPS   Y7, Y6, Y15
	VUNPCKLPD   Y10, Y8, Y0           // a0 b0 c0 d0
	VUNPCKHPD   Y10, Y8, Y1
	VUNPCKLPD   Y11, Y9, Y2
	VUNPCKHPD   Y11, Y9, Y3
	VUNPCKLPD   Y14, Y12, Y4
	VUNPCKHPD   Y14, Y12, Y5
	VUNPCKLPD   Y15, Y13, Y6
	VUNPCKHPD   Y15, Y13, Y7
	VMOVUPS     Y0, (CX)
	VMOVUPS     Y1, (CX)(R8*1)
	VMOVUPS     Y2, (CX)(R8*2)
	VMOVUPS     Y3, (CX)(R9*1)
	LEAQ        (CX)(R8*4), CX
	VMOVUPS     Y4, (CX)
	VMOVUPS     Y5, (CX)(R8*1)
	VMOVUPS     Y6, (CX)(R8*2)
	VMOVUPS     Y7, (CX)(R9*1)
	LEAQ        (CX)(R8*4), CX
	ADDQ        $32, AX
	ADDQ        $32, BX
	SUBQ        $8, R13
	JNZ         square
	LEAQ        (SI)(R10*8), SI
	ADDQ        $32, DI
	SUBQ        $8, R12
	JNZ         rows
	VZEROUPPER
	RET
