//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/bf16_amd64.h"

#define SHIFT $1
#include "tile_avx512_amd64.h"

// Segments count pairs. Of a tile of 16 columns only the even registers count.

#define ROW(n, p, i, j, zi, zj, yi, yj) \
	VPBROADCASTD (p)(R15*4), Z26; \
	VDPBF16PS(26, 24, i);         \
	VDPBF16PS(26, 25, j)

#define HALF(n, p, i, j, zi, zj, yi, yj) \
	VPBROADCASTD (p)(R15*4), Z26; \
	VDPBF16PS(26, 24, i)

#define LOAD32 \
	VMOVUPS (R14), Z24; \
	VMOVUPS 64(R14), Z25

#define LOAD16 \
	VMOVUPS (R14), Z24

// A BF16 is the upper half of a float32.
#define ADDROW(n, p, i, j, zi, zj, yi, yj) \
	VPMOVZXWD.Z (AX), K1, Z24;   \
	VPMOVZXWD.Z 32(AX), K2, Z25; \
	VPSLLD $16, Z24, Z24;        \
	VPSLLD $16, Z25, Z25;        \
	VADDPS Z24, zi, zi;            \
	VADDPS Z25, zj, zj;            \
	ADDQ   BX, AX;               \
	DECQ   CX;                   \
	JZ     limit

#define PUTROW(n, p, i, j, zi, zj, yi, yj) \
	VCVTNE2PS2BF16(i, j, 26);  \
	VMOVDQU16 Z26, K3, (AX);   \
	ADDQ      BX, AX;          \
	DECQ      CX;              \
	JZ        done

// Stores with a mask are slow.
#define PUTWHOLE(n, p, i, j, zi, zj, yi, yj) \
	VCVTNE2PS2BF16(i, j, 26);  \
	VMOVDQU16 Z26, (AX);       \
	ADDQ      BX, AX;          \
	DECQ      CX;              \
	JZ        done

#define PUTHALF(n, p, i, j, zi, zj, yi, yj) \
	VCVTNEPS2BF16(i, 26);      \
	VMOVDQU16 Y26, (AX);       \
	ADDQ      BX, AX;          \
	DECQ      CX;              \
	JZ        done

#define PUTWIDE(n, p, i, j, zi, zj, yi, yj) \
	VMOVUPS zi, K1, (AX);   \
	VMOVUPS zj, K2, 64(AX); \
	ADDQ    BX, AX;        \
	DECQ    CX;            \
	JZ      done

// FETCH brings AX rows from CX on, BX values apart, into the cache while the
// products are computed: what is to be added, and the lines to be stored to.
#define FETCH(row) \
	SHLQ       $1, BX; \
	MOVQ       AX, DX; \
row: \
	PREFETCHT0 (CX);   \
	ADDQ       BX, CX; \
	DECQ       DX;     \
	JNZ        row

// func tileBF16AVX512(t *tileBF16)
// Any number of rows: the positions of the next 12 follow those of the ones
// before.
TEXT ·tileBF16AVX512(SB), NOSPLIT, $72-8
	MOVQ    t+0(FP), BP
	MOVQ    tileBF16_pairs(BP), AX
	MOVQ    AX, BX
	NEGQ    BX
	MOVQ    BX, from-48(SP)
	MOVQ    tileBF16_a(BP), CX
	LEAQ    (CX)(AX*4), CX
	MOVQ    CX, end-8(SP)
	MOVQ    tileBF16_zero(BP), CX
	LEAQ    (CX)(AX*4), CX
	MOVQ    CX, zend-16(SP)
	MOVQ    tileBF16_off(BP), CX
	MOVQ    CX, off-24(SP)
	MOVQ    tileBF16_width(BP), CX
	SHLQ    $2, CX
	MOVQ    CX, ldb-40(SP)
	MOVQ    tileBF16_f(BP), CX
	TESTQ   CX, CX
	CMOVQEQ tileBF16_c(BP), CX
	MOVQ    CX, c-56(SP)
	MOVQ    tileBF16_d(BP), CX
	MOVQ    CX, d-64(SP)
	MOVQ    tileBF16_rows(BP), CX
	MOVQ    CX, rows-72(SP)

	// Masks of the columns to store.
	MOVQ  tileBF16_cols(BP), CX
	MOVL  $1, AX
	SHLQ  CX, AX
	DECQ  AX
	KMOVD AX, K3
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

	// The next 12 rows. Sums start from the bias.
tile:
	MOVQ      tileBF16_b(BP), R14
	MOVQ      tileBF16_segs(BP), CX
	MOVQ      CX, segs-32(SP)
	VPXORQ    Z0, Z0, Z0
	VPXORQ    Z1, Z1, Z1
	MOVQ      tileBF16_bias(BP), AX
	TESTQ     AX, AX
	JZ        start
	VMOVUPS.Z (AX), K1, Z0
	VMOVUPS.Z 64(AX), K2, Z1

start:
	EVERYROW
	MOVQ rows-72(SP), AX
	CMPQ AX, $12
	JLE  fits
	MOVL $12, AX

fits:
	CMPQ  tileBF16_pairs(BP), $32
	JLT   sums // soon there
	CMPQ  tileBF16_f(BP), $0
	JNE   addends // scratch, mostly in the cache
	MOVQ  c-56(SP), CX
	MOVQ  tileBF16_ldc(BP), BX
	FETCH(rowC)

addends:
	MOVQ  d-64(SP), CX
	TESTQ CX, CX
	JZ    sums
	MOVQ  tileBF16_ldd(BP), BX
	FETCH(rowD)

sums:
	CMPQ tileBF16_width(BP), $16
	JEQ  half
	TILES(LOAD32, ROW, whole1, wholeStep1, whole2, wholeStep2, whole3, wholeStep3, whole4, wholeStep4, whole5, wholeStep5, whole6, wholeStep6, whole7, wholeStep7, whole8, wholeStep8, whole9, wholeStep9, whole10, wholeStep10, whole11, wholeStep11, whole12, wholeStep12)

half:
	TILES(LOAD16, HALF, half1, halfStep1, half2, halfStep2, half3, halfStep3, half4, halfStep4, half5, halfStep5, half6, halfStep6, half7, halfStep7, half8, halfStep8, half9, halfStep9, half10, halfStep10, half11, halfStep11, half12, halfStep12)

store:
	MOVQ  t+0(FP), BP
	MOVQ  d-64(SP), AX
	TESTQ AX, AX
	JZ    limit
	MOVQ  tileBF16_ldd(BP), BX
	SHLQ  $1, BX
	MOVQ  rows-72(SP), CX
	ROWS12(ADDROW)
	MOVQ AX, d-64(SP) // of the rows that follow

limit:
	CMPB         tileBF16_clamp(BP), $0
	JEQ          put
	VBROADCASTSS tileBF16_lo(BP), Z24
	VBROADCASTSS tileBF16_hi(BP), Z25
	ROWS12(LIMIT)

put:
	MOVQ c-56(SP), AX
	MOVQ tileBF16_ldc(BP), BX
	MOVQ rows-72(SP), CX
	CMPQ tileBF16_f(BP), $0
	JEQ  narrow
	SHLQ $2, BX
	ROWS12(PUTWIDE)
	JMP next

narrow:
	SHLQ $1, BX
	MOVQ tileBF16_cols(BP), DX
	CMPQ DX, $32
	JEQ  whole
	CMPQ DX, $16
	JNE  part
	ROWS12(PUTHALF)
	JMP next

whole:
	ROWS12(PUTWHOLE)
	JMP next

part:
	ROWS12(PUTROW)

next:
	MOVQ AX, c-56(SP)
	SUBQ $12, rows-72(SP)
	JMP  tile

done:
	VZEROUPPER
	RET
