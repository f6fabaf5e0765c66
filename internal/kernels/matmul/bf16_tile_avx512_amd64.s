//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/bf16_amd64.h"
#include "../asm/avx_amd64.h"

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

#define ADDROW(n, p, i, j, zi, zj, yi, yj) \
	WIDE(AX, K1, K2, Z24, Z25); \
	VADDPS Z24, zi, zi;         \
	VADDPS Z25, zj, zj;         \
	NEXTROW(limit)

#define PUTROW(n, p, i, j, zi, zj, yi, yj) \
	VCVTNE2PS2BF16(i, j, 26); \
	VMOVDQU16 Z26, K3, (AX);  \
	NEXTROW(done)

// Stores with a mask are slow.
#define PUTWHOLE(n, p, i, j, zi, zj, yi, yj) \
	VCVTNE2PS2BF16(i, j, 26); \
	VMOVDQU16 Z26, (AX);      \
	NEXTROW(done)

#define PUTHALF(n, p, i, j, zi, zj, yi, yj) \
	VCVTNEPS2BF16(i, 26); \
	VMOVDQU16 Y26, (AX);  \
	NEXTROW(done)

// func tileBF16AVX512(t *tileBF16)
// Any number of rows: the positions of the next 12 follow those of the ones
// before.
TEXT ·tileBF16AVX512(SB), NOSPLIT, $72-8
	SEGMENTS(tileBF16_pairs, tileBF16_a, tileBF16_zero, tileBF16_off)
	BYTES4(tileBF16_width(BP), CX)
	MOVQ    CX, ldb-40(SP)
	MOVQ    tileBF16_f(BP), CX
	TESTQ   CX, CX
	CMOVQEQ tileBF16_c(BP), CX
	MOVQ    CX, c-56(SP)
	MOVE(tileBF16_d(BP), CX, d-64(SP))
	MOVE(tileBF16_rows(BP), CX, rows-72(SP))

	// Masks of the columns to store.
	MOVQ  tileBF16_cols(BP), CX
	ONES
	KMOVD AX, K3
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

	SUMS(tile, start, fits, tileBF16_b, tileBF16_segs, tileBF16_bias)
	CMPQ  tileBF16_pairs(BP), $32
	JLT   sums // soon there
	CMPQ  tileBF16_f(BP), $0
	JNE   addends // scratch, mostly in the cache
	MOVQ  c-56(SP), CX
	MOVQ  tileBF16_ldc(BP), BX
	FETCH(rowC, PREFETCHT0 (CX))

addends:
	NONZERO(d-64(SP), CX, sums)
	MOVQ  tileBF16_ldd(BP), BX
	FETCH(rowD, PREFETCHT0 (CX))

sums:
	CMPQ tileBF16_width(BP), $16
	JEQ  half
	TILES(LOAD32, ROW, whole1, wholeStep1, whole2, wholeStep2, whole3, wholeStep3, whole4, wholeStep4, whole5, wholeStep5, whole6, wholeStep6, whole7, wholeStep7, whole8, wholeStep8, whole9, wholeStep9, whole10, wholeStep10, whole11, wholeStep11, whole12, wholeStep12)

half:
	TILES(LOAD16, HALF, half1, halfStep1, half2, halfStep2, half3, halfStep3, half4, halfStep4, half5, halfStep5, half6, halfStep6, half7, halfStep7, half8, halfStep8, half9, halfStep9, half10, halfStep10, half11, halfStep11, half12, halfStep12)

	FINISH(store, limit, put, tileBF16_ldd, tileBF16_clamp, tileBF16_lo, tileBF16_hi)
	MOVQ c-56(SP), AX
	MOVQ tileBF16_ldc(BP), BX
	MOVQ rows-72(SP), CX
	CMPQ tileBF16_f(BP), $0
	JEQ  narrow
	SHLQ $2, BX
	ROWS12(PUTFLOATS)
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
