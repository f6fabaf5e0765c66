//go:build !purego

#include "textflag.h"
#include "../asm/avx_amd64.h"

// LOADSQUARE loads a square as eight halves of rows i and i+4, so that what is left to
// do stays within the halves of the vectors: AX and BX are rows 0 and 4, R10 bytes
// apart, R11 is three times that.
#define LOADSQUARE \
	VMOVUPS     (AX), X0; \
	VMOVUPS     (AX)(R10*1), X1; \
	VMOVUPS     (AX)(R10*2), X2; \
	VMOVUPS     (AX)(R11*1), X3; \
	VMOVUPS     16(AX), X4; \
	VMOVUPS     16(AX)(R10*1), X5; \
	VMOVUPS     16(AX)(R10*2), X6; \
	VMOVUPS     16(AX)(R11*1), X7; \
	VINSERTF128 $1, (BX), Y0, Y0; \
	VINSERTF128 $1, (BX)(R10*1), Y1, Y1; \
	VINSERTF128 $1, (BX)(R10*2), Y2, Y2; \
	VINSERTF128 $1, (BX)(R11*1), Y3, Y3; \
	VINSERTF128 $1, 16(BX), Y4, Y4; \
	VINSERTF128 $1, 16(BX)(R10*1), Y5, Y5; \
	VINSERTF128 $1, 16(BX)(R10*2), Y6, Y6; \
	VINSERTF128 $1, 16(BX)(R11*1), Y7, Y7

// TRANSPOSESQUARE leaves the columns in Y0…Y7: from a0 b0 a1 b1 in Y8, a2 b2 a3 b3 in
// Y9, c0 d0 c1 d1 in Y10 and so on, it makes a0 b0 c0 d0 first.
#define TRANSPOSESQUARE \
	VUNPCKLPS   Y1, Y0, Y8; \
	VUNPCKHPS   Y1, Y0, Y9; \
	VUNPCKLPS   Y3, Y2, Y10; \
	VUNPCKHPS   Y3, Y2, Y11; \
	VUNPCKLPS   Y5, Y4, Y12; \
	VUNPCKHPS   Y5, Y4, Y13; \
	VUNPCKLPS   Y7, Y6, Y14; \
	VUNPCKHPS   Y7, Y6, Y15; \
	VUNPCKLPD   Y10, Y8, Y0; \
	VUNPCKHPD   Y10, Y8, Y1; \
	VUNPCKLPD   Y11, Y9, Y2; \
	VUNPCKHPD   Y11, Y9, Y3; \
	VUNPCKLPD   Y14, Y12, Y4; \
	VUNPCKHPD   Y14, Y12, Y5; \
	VUNPCKLPD   Y15, Y13, Y6; \
	VUNPCKHPD   Y15, Y13, Y7

// NEXTSQUARE goes on to the next square of the rows or, after the last, to the next rows.
#define NEXTSQUARE \
	ADDQ $32, AX;         \
	ADDQ $32, BX;         \
	SUBQ $8, R13;         \
	JNZ  square;          \
	LEAQ (SI)(R10*8), SI; \
	ADDQ $32, DI

// func transposeSquares(dst []float32, ldd int, src []float32, lds int, rows, cols int)
TEXT ·transposeSquares(SB), NOSPLIT, $0-80
	MOVQ dst_base+0(FP), DI
	BYTES4(ldd+24(FP), R8)
	LEAQ (R8)(R8*2), R9
	MOVQ src_base+32(FP), SI
	BYTES4(lds+56(FP), R10)
	LEAQ (R10)(R10*2), R11
	MOVQ rows+64(FP), R12

rows:
	MOVQ SI, AX               // src, rows 0…3
	LEAQ (SI)(R10*4), BX      // rows 4…7
	MOVQ DI, CX
	MOVQ cols+72(FP), R13

square:
	LOADSQUARE
	TRANSPOSESQUARE
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
	NEXTSQUARE
	SUBQ        $8, R12
	JNZ         rows
	VZEROUPPER
	RET

#define FACTORS(at, v) \
	VBROADCASTSS at(CX), Y0;       \
	VBROADCASTSS (at+16)(CX), Y1;  \
	VBLENDPS     $0xf0, Y1, Y0, Y0; \
	VMOVUPS      Y0, v

// PUT stores a column where off says.
#define PUT(at, y) \
	MOVQ    at(DX), R8; \
	VMOVUPS y, (DI)(R8*4)

// func scatterSquares(dst []float32, off []int, src []float32, lds int, scale []float32, rows, cols int)
//
// The factors of rows i and i+4, as they lie in a vector, are v0…v3.
TEXT ·scatterSquares(SB), NOSPLIT, $128-120
	MOVQ dst_base+0(FP), DI
	MOVQ src_base+48(FP), SI
	BYTES4(lds+72(FP), R10)
	LEAQ (R10)(R10*2), R11
	MOVQ scale_base+80(FP), CX
	MOVQ rows+104(FP), R12

rows:
	FACTORS(0, v0-128(SP))
	FACTORS(4, v1-96(SP))
	FACTORS(8, v2-64(SP))
	FACTORS(12, v3-32(SP))

	MOVQ SI, AX               // src, rows 0…3
	LEAQ (SI)(R10*4), BX      // rows 4…7
	MOVQ off_base+24(FP), DX
	MOVQ cols+112(FP), R13

square:
	LOADSQUARE
	VMULPS      v0-128(SP), Y0, Y0
	VMULPS      v1-96(SP), Y1, Y1
	VMULPS      v2-64(SP), Y2, Y2
	VMULPS      v3-32(SP), Y3, Y3
	VMULPS      v0-128(SP), Y4, Y4
	VMULPS      v1-96(SP), Y5, Y5
	VMULPS      v2-64(SP), Y6, Y6
	VMULPS      v3-32(SP), Y7, Y7
	TRANSPOSESQUARE
	PUT(0, Y0)
	PUT(8, Y1)
	PUT(16, Y2)
	PUT(24, Y3)
	PUT(32, Y4)
	PUT(40, Y5)
	PUT(48, Y6)
	PUT(56, Y7)
	ADDQ        $64, DX
	NEXTSQUARE
	ADDQ        $32, CX
	SUBQ        $8, R12
	JNZ         rows
	VZEROUPPER
	RET
