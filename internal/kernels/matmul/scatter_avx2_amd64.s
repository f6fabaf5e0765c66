//go:build !purego

#include "textflag.h"

// func scatterSquares(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int)
//
// As transposeSquares, a square is loaded as eight halves of rows i and i+4. The
// factors of such pairs of rows, as they lie in a vector, are v0…v3.
TEXT ·scatterSquares(SB), NOSPLIT, $128-120
	MOVQ dst_base+0(FP), DI
	MOVQ src_base+48(FP), SI
	MOVQ lds+72(FP), R10
	SHLQ $2, R10
	LEAQ (R10)(R10*2), R11
	MOVQ scale_base+80(FP), CX
	MOVQ rows+104(FP), R12

rows:
	VBROADCASTSS (CX), Y0
	VBROADCASTSS 16(CX), Y1
	VBLENDPS     $0xf0, Y1, Y0, Y0
	VMOVUPS      Y0, v0-128(SP)
	VBROADCASTSS 4(CX), Y0
	VBROADCASTSS 20(CX), Y1
	VBLENDPS     $0xf0, Y1, Y0, Y0
	VMOVUPS      Y0, v1-96(SP)
	VBROADCASTSS 8(CX), Y0
	VBROADCASTSS 24(CX), Y1
	VBLENDPS     $0xf0, Y1, Y0, Y0
	VMOVUPS      Y0, v2-64(SP)
	VBROADCASTSS 12(CX), Y0
	VBROADCASTSS 28(CX), Y1
	VBLENDPS     $0xf0, Y1, Y0, Y0
	VMOVUPS      Y0, v3-32(SP)

	MOVQ SI, AX               // src, rows 0…3
	LEAQ (SI)(R10*4), BX      // rows 4…7
	MOVQ off_base+24(FP), DX
	MOVQ cols+112(FP), R13

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
	VMULPS      v0-128(SP), Y0, Y0
	VMULPS      v1-96(SP), Y1, Y1
	VMULPS      v2-64(SP), Y2, Y2
	VMULPS      v3-32(SP), Y3, Y3
	VMULPS      v0-128(SP), Y4, Y4
	VMULPS      v1-96(SP), Y5, Y5
	VMULPS      v2-64(SP), Y6, Y6
	VMULPS      v3-32(SP), Y7, Y7
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
	MOVQ        (DX), R8
	VMOVUPS     Y0, (DI)(R8*4)
	MOVQ        8(DX), R8
	VMOVUPS     Y1, (DI)(R8*4)
	MOVQ        16(DX), R8
	VMOVUPS     Y2, (DI)(R8*4)
	MOVQ        24(DX), R8
	VMOVUPS     Y3, (DI)(R8*4)
	MOVQ        32(DX), R8
	VMOVUPS     Y4, (DI)(R8*4)
	MOVQ        40(DX), R8
	VMOVUPS     Y5, (DI)(R8*4)
	MOVQ        48(DX), R8
	VMOVUPS     Y6, (DI)(R8*4)
	MOVQ        56(DX), R8
	VMOVUPS     Y7, (DI)(R8*4)
	ADDQ        $64, DX
	ADDQ        $32, AX
	ADDQ        $32, BX
	SUBQ        $8, R13
	JNZ         square
	LEAQ        (SI)(R10*8), SI
	ADDQ        $32, DI
	ADDQ        $32, CX
	SUBQ        $8, R12
	JNZ         rows
	VZEROUPPER
	RET
