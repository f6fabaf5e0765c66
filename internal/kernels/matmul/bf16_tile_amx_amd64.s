//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"
#include "../asm/bf16_amd64.h"
#include "bf16_amx_amd64.h"

// Registers:
//	R13 the tile, R12 rows left
//	SI  the next 32 rows of A, R8 bytes between them
//	DI  B, R9 bytes between its steps, and between rows of the sums; R11 16·R9
//	R10 the sums of 32 rows
//	R14, R15 the next row of C and of D
// AMX tiles: 0…3 sums of 2×2 squares, 4 and 5 rows of A, 6 and 7 columns of B.

#define ROWS_AX 0
#define B_DX 2
#define ROWS_BX 3
#define LDA_R8 8
#define LDB_R9 9
#define SUM_R10 10
#define SUM_CX 1

#define START \
	MOVQ SI, AX;                 \
	MOVQ R8, BX;                 \
	SHLQ $4, BX;                 \
	ADDQ SI, BX;                 \
	MOVQ DI, DX;                 \
	MOVQ tileBF16_pairs(R13), CX; \
	SHRQ $4, CX

// STEP goes on by 32 terms.
#define STEP(loop) \
	ADDQ $64, AX; \
	ADDQ $64, BX; \
	ADDQ R11, DX; \
	DECQ CX;      \
	JNZ  loop

// func tileBF16AMX(t *tileBF16)
// Any number of rows; they are lda apart, and pairs is a multiple of 16. The
// tiles are set up and released in here, where no goroutine is preempted.
TEXT ·tileBF16AMX(SB), NOSPLIT, $64-8
	MOVQ t+0(FP), R13
	MOVQ tileBF16_rows(R13), R12
	MOVQ tileBF16_off(R13), AX
	MOVQ (AX), AX
	MOVQ tileBF16_a(R13), SI
	LEAQ (SI)(AX*2), SI
	BYTES2(tileBF16_lda(R13), R8)
	MOVQ tileBF16_b(R13), DI
	BYTES4(tileBF16_width(R13), R9)
	MOVQ R9, R11
	SHLQ $4, R11
	MOVQ tileBF16_sum(R13), R10
	MOVQ tileBF16_d(R13), R15

	// Palette 1, no row to start at; 64 bytes in each row of 8 tiles.
	VPXORQ    Z0, Z0, Z0
	VMOVDQU64 Z0, cfg-64(SP)
	MOVB      $1, cfg-64(SP)
	MOVQ      $0x0040004000400040, AX
	MOVQ      AX, cfg-48(SP)
	MOVQ      AX, cfg-40(SP)

	// Columns to store.
	MOVQ  tileBF16_cols(R13), CX
	ONES
	KMOVD AX, K3
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

	VPXORQ    Z24, Z24, Z24
	VPXORQ    Z25, Z25, Z25
	NONZERO(tileBF16_bias(R13), AX, limits)
	VMOVUPS.Z (AX), K1, Z24
	VMOVUPS.Z 64(AX), K2, Z25

limits:
	INFINITE(Z28, Z29)
	LOADLIMITS(tileBF16_clamp(R13), tileBF16_lo(R13), tileBF16_hi(R13), Z28, Z29, result)

result:
	MOVQ    tileBF16_f(R13), R14
	TESTQ   R14, R14
	CMOVQEQ tileBF16_c(R13), R14

	MOVQ $0x1010101010101010, AX // 16 rows in each
	MOVQ AX, cfg-16(SP)
	CMPQ R12, $32
	JGE  configure

few:
	// Tiles 0, 1 and 4 have up to 16 of the rows, 2, 3 and 5 the others: as
	// they must have some, one where there are none.
	MOVQ    R12, AX
	MOVQ    $16, CX
	CMPQ    AX, CX
	CMOVQGT CX, AX
	MOVQ    R12, BX
	SUBQ    CX, BX
	MOVQ    $1, CX
	CMPQ    BX, CX
	CMOVQLT CX, BX
	MOVB    AX, cfg-16(SP)
	MOVB    AX, cfg-15(SP)
	MOVB    AX, cfg-12(SP)
	MOVB    BX, cfg-14(SP)
	MOVB    BX, cfg-13(SP)
	MOVB    BX, cfg-11(SP)

configure:
	LEAQ cfg-64(SP), AX
	LDTILECFG_AX

tile:
	START
	CMPQ R12, $16
	JLE  low
	CMPQ R9, $64
	JEQ  thin

	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)

whole:
	TILELOADD(0, ROWS_AX, LDA_R8, 4)
	TILELOADD(0, B_DX, LDB_R9, 6)
	TILELOADD(64, B_DX, LDB_R9, 7)
	TDPBF16PS(6, 4, 0)
	TDPBF16PS(7, 4, 1)
	TILELOADD(0, ROWS_BX, LDA_R8, 5)
	TDPBF16PS(6, 5, 2)
	TDPBF16PS(7, 5, 3)
	STEP(whole)
	MOVQ R10, CX
	ADDQ R11, CX
	TILESTORED(0, 0, SUM_R10, LDB_R9)
	TILESTORED(1, 64, SUM_R10, LDB_R9)
	TILESTORED(2, 0, SUM_CX, LDB_R9)
	TILESTORED(3, 64, SUM_CX, LDB_R9)
	JMP  epilogue

thin:
	TILEZERO(0)
	TILEZERO(2)

thinStep:
	TILELOADD(0, ROWS_AX, LDA_R8, 4)
	TILELOADD(0, B_DX, LDB_R9, 6)
	TDPBF16PS(6, 4, 0)
	TILELOADD(0, ROWS_BX, LDA_R8, 5)
	TDPBF16PS(6, 5, 2)
	STEP(thinStep)
	MOVQ R10, CX
	ADDQ R11, CX
	TILESTORED(0, 0, SUM_R10, LDB_R9)
	TILESTORED(2, 0, SUM_CX, LDB_R9)
	JMP  epilogue

low:
	CMPQ R9, $64
	JEQ  lowThin
	TILEZERO(0)
	TILEZERO(1)

lowStep:
	TILELOADD(0, ROWS_AX, LDA_R8, 4)
	TILELOADD(0, B_DX, LDB_R9, 6)
	TILELOADD(64, B_DX, LDB_R9, 7)
	TDPBF16PS(6, 4, 0)
	TDPBF16PS(7, 4, 1)
	STEP(lowStep)
	TILESTORED(0, 0, SUM_R10, LDB_R9)
	TILESTORED(1, 64, SUM_R10, LDB_R9)
	JMP  epilogue

lowThin:
	TILEZERO(0)

lowThinStep:
	TILELOADD(0, ROWS_AX, LDA_R8, 4)
	TILELOADD(0, B_DX, LDB_R9, 6)
	TDPBF16PS(6, 4, 0)
	STEP(lowThinStep)
	TILESTORED(0, 0, SUM_R10, LDB_R9)

epilogue:
	MOVQ    R12, CX
	MOVQ    $32, AX
	CMPQ    CX, AX
	CMOVQGT AX, CX
	MOVQ    R10, BX

row:
	VADDPS (BX), Z24, Z0
	VADDPS 64(BX), Z25, Z1
	ADDQ   R9, BX
	TESTQ  R15, R15
	JZ     limit
	WIDE(R15, K1, K2, Z2, Z3)
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	MOVQ   tileBF16_ldd(R13), AX
	LEAQ   (R15)(AX*2), R15

limit:
	// A NaN stays one, as with CLAMP.
	VMAXPS  Z0, Z28, Z0
	VMAXPS  Z1, Z28, Z1
	VMINPS  Z0, Z29, Z0
	VMINPS  Z1, Z29, Z1
	MOVQ    tileBF16_ldc(R13), DX
	CMPQ    tileBF16_f(R13), $0
	JEQ     narrow
	VMOVUPS Z0, K1, (R14)
	VMOVUPS Z1, K2, 64(R14)
	LEAQ    (R14)(DX*4), R14
	DECQ    CX
	JNZ     row
	JMP     next

narrow:
	VCVTNE2PS2BF16(0, 1, 2)
	CMPQ      tileBF16_cols(R13), $32
	JNE       part
	VMOVDQU16 Z2, (R14)
	LEAQ      (R14)(DX*2), R14
	DECQ      CX
	JNZ       row
	JMP       next

part:
	VMOVDQU16 Z2, K3, (R14)
	LEAQ      (R14)(DX*2), R14
	DECQ      CX
	JNZ       row

next:
	MOVQ R8, AX
	SHLQ $5, AX
	ADDQ AX, SI
	SUBQ $32, R12
	JLE  done
	CMPQ R12, $32
	JGE  tile
	JMP  few

done:
	TILERELEASE
	VZEROUPPER
	RET
