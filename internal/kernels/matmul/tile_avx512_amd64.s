//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"

#define SHIFT $2
#include "tile_avx512_amd64.h"

// Of a tile of 16 columns, or 8, only the even registers count.

#define ROW(n, p, i, j, zi, zj, yi, yj) \
	VBROADCASTSS (p)(R15*4), Z26; \
	VFMADD231PS  Z24, Z26, zi;    \
	VFMADD231PS  Z25, Z26, zj

#define HALF(n, p, i, j, zi, zj, yi, yj) \
	VFMADD231PS.BCST (p)(R15*4), Z24, zi

// A tile of 24 columns has the last 8 in the lower halves of the odd registers.
#define MIXED(n, p, i, j, zi, zj, yi, yj) \
	VBROADCASTSS (p)(R15*4), Z26; \
	VFMADD231PS  Z24, Z26, zi;    \
	VFMADD231PS  Y25, Y26, yj

#define QUARTER(n, p, i, j, zi, zj, yi, yj) \
	VFMADD231PS.BCST (p)(R15*4), Y24, yi

#define LOAD24 \
	VMOVUPS (R14), Z24; \
	VMOVUPS 64(R14), Y25

#define LOAD8 \
	VMOVUPS (R14), Y24

#define ADDROW(n, p, i, j, zi, zj, yi, yj) \
	VADDPS (AX), zi, K1, zi;   \
	VADDPS 64(AX), zj, K2, zj; \
	NEXTROW(limit)

#define PUTWHOLE(n, p, i, j, zi, zj, yi, yj) \
	VMOVUPS zi, (AX);   \
	VMOVUPS zj, 64(AX); \
	NEXTROW(done)

#define LINES \
	PREFETCHT0 (CX); \
	PREFETCHT0 64(CX)

// func tileAVX512(t *tile)
// Any number of rows: the positions of the next 12 follow those of the ones
// before or, with a step, are that far behind them.
TEXT ·tileAVX512(SB), NOSPLIT, $72-8
	SEGMENTS(tile_segLen, tile_a, tile_zero, tile_off)
	BYTES4(tile_ldb(BP), CX)
	MOVQ CX, ldb-40(SP)
	MOVE(tile_c(BP), CX, c-56(SP))
	MOVE(tile_d(BP), CX, d-64(SP))
	MOVE(tile_rows(BP), CX, rows-72(SP))

	// Masks of the columns to store.
	MOVQ  tile_cols(BP), CX
	ONES
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

	SUMS(tile, start, fits, tile_b, tile_segs, tile_bias)
	CMPQ  tile_segLen(BP), $64
	JLT   sums // soon there
	MOVQ  c-56(SP), CX
	MOVQ  tile_ldc(BP), BX
	FETCH(rowC, LINES)
	NONZERO(d-64(SP), CX, sums)
	MOVQ  tile_ldd(BP), BX
	FETCH(rowD, LINES)

sums:
	CMPQ tile_width(BP), $16
	JEQ  half
	JLT  quarter
	CMPQ tile_width(BP), $24
	JEQ  mixed
	TILES(LOAD32, ROW, whole1, wholeStep1, whole2, wholeStep2, whole3, wholeStep3, whole4, wholeStep4, whole5, wholeStep5, whole6, wholeStep6, whole7, wholeStep7, whole8, wholeStep8, whole9, wholeStep9, whole10, wholeStep10, whole11, wholeStep11, whole12, wholeStep12)

half:
	TILES(LOAD16, HALF, half1, halfStep1, half2, halfStep2, half3, halfStep3, half4, halfStep4, half5, halfStep5, half6, halfStep6, half7, halfStep7, half8, halfStep8, half9, halfStep9, half10, halfStep10, half11, halfStep11, half12, halfStep12)

mixed:
	TILES(LOAD24, MIXED, mixed1, mixedStep1, mixed2, mixedStep2, mixed3, mixedStep3, mixed4, mixedStep4, mixed5, mixedStep5, mixed6, mixedStep6, mixed7, mixedStep7, mixed8, mixedStep8, mixed9, mixedStep9, mixed10, mixedStep10, mixed11, mixedStep11, mixed12, mixedStep12)

quarter:
	TILES(LOAD8, QUARTER, quarter1, quarterStep1, quarter2, quarterStep2, quarter3, quarterStep3, quarter4, quarterStep4, quarter5, quarterStep5, quarter6, quarterStep6, quarter7, quarterStep7, quarter8, quarterStep8, quarter9, quarterStep9, quarter10, quarterStep10, quarter11, quarterStep11, quarter12, quarterStep12)

	FINISH(store, limit, put, tile_ldd, tile_clamp, tile_lo, tile_hi)
	MOVQ c-56(SP), AX
	BYTES4(tile_ldc(BP), BX)
	MOVQ rows-72(SP), CX
	CMPQ tile_cols(BP), $32
	JEQ  putWhole
	ROWS12(PUTFLOATS)
	JMP  next

putWhole:
	ROWS12(PUTWHOLE)

next:
	MOVQ AX, c-56(SP)
	SUBQ $12, rows-72(SP)
	NONZERO(tile_step(BP), CX, tile)
	SHLQ $2, CX
	ADDQ CX, end-8(SP)
	MOVE(tile_off(BP), CX, off-24(SP))
	JMP  tile

done:
	VZEROUPPER
	RET
