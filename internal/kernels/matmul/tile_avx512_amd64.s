//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define SHIFT $2
#include "tile_avx512_amd64.h"

// Of a tile of 16 columns, or 8, only the even registers count.

#define ROW(p, x, y) \
	VBROADCASTSS (p)(R15*4), Z26; \
	VFMADD231PS  Z24, Z26, x;     \
	VFMADD231PS  Z25, Z26, y

#define ROWS1 ROW(AX, Z0, Z1)
#define ROWS2 ROWS1; ROW(BX, Z2, Z3)
#define ROWS3 ROWS2; ROW(CX, Z4, Z5)
#define ROWS4 ROWS3; ROW(DX, Z6, Z7)
#define ROWS5 ROWS4; ROW(SI, Z8, Z9)
#define ROWS6 ROWS5; ROW(DI, Z10, Z11)
#define ROWS7 ROWS6; ROW(R8, Z12, Z13)
#define ROWS8 ROWS7; ROW(R9, Z14, Z15)
#define ROWS9 ROWS8; ROW(R10, Z16, Z17)
#define ROWS10 ROWS9; ROW(R11, Z18, Z19)
#define ROWS11 ROWS10; ROW(R12, Z20, Z21)
#define ROWS12 ROWS11; ROW(R13, Z22, Z23)

#define HALF(p, x) \
	VFMADD231PS.BCST (p)(R15*4), Z24, x

#define HALF1 HALF(AX, Z0)
#define HALF2 HALF1; HALF(BX, Z2)
#define HALF3 HALF2; HALF(CX, Z4)
#define HALF4 HALF3; HALF(DX, Z6)
#define HALF5 HALF4; HALF(SI, Z8)
#define HALF6 HALF5; HALF(DI, Z10)
#define HALF7 HALF6; HALF(R8, Z12)
#define HALF8 HALF7; HALF(R9, Z14)
#define HALF9 HALF8; HALF(R10, Z16)
#define HALF10 HALF9; HALF(R11, Z18)
#define HALF11 HALF10; HALF(R12, Z20)
#define HALF12 HALF11; HALF(R13, Z22)

// A tile of 24 columns has the last 8 in the lower halves of the odd registers.
#define MIXED(p, x, y) \
	VBROADCASTSS (p)(R15*4), Z26; \
	VFMADD231PS  Z24, Z26, x;     \
	VFMADD231PS  Y25, Y26, y

#define MIXED1 MIXED(AX, Z0, Y1)
#define MIXED2 MIXED1; MIXED(BX, Z2, Y3)
#define MIXED3 MIXED2; MIXED(CX, Z4, Y5)
#define MIXED4 MIXED3; MIXED(DX, Z6, Y7)
#define MIXED5 MIXED4; MIXED(SI, Z8, Y9)
#define MIXED6 MIXED5; MIXED(DI, Z10, Y11)
#define MIXED7 MIXED6; MIXED(R8, Z12, Y13)
#define MIXED8 MIXED7; MIXED(R9, Z14, Y15)
#define MIXED9 MIXED8; MIXED(R10, Z16, Y17)
#define MIXED10 MIXED9; MIXED(R11, Z18, Y19)
#define MIXED11 MIXED10; MIXED(R12, Z20, Y21)
#define MIXED12 MIXED11; MIXED(R13, Z22, Y23)

#define QUARTER(p, x) \
	VFMADD231PS.BCST (p)(R15*4), Y24, x

#define QUARTER1 QUARTER(AX, Y0)
#define QUARTER2 QUARTER1; QUARTER(BX, Y2)
#define QUARTER3 QUARTER2; QUARTER(CX, Y4)
#define QUARTER4 QUARTER3; QUARTER(DX, Y6)
#define QUARTER5 QUARTER4; QUARTER(SI, Y8)
#define QUARTER6 QUARTER5; QUARTER(DI, Y10)
#define QUARTER7 QUARTER6; QUARTER(R8, Y12)
#define QUARTER8 QUARTER7; QUARTER(R9, Y14)
#define QUARTER9 QUARTER8; QUARTER(R10, Y16)
#define QUARTER10 QUARTER9; QUARTER(R11, Y18)
#define QUARTER11 QUARTER10; QUARTER(R12, Y20)
#define QUARTER12 QUARTER11; QUARTER(R13, Y22)

#define LOAD32 \
	VMOVUPS (R14), Z24; \
	VMOVUPS 64(R14), Z25

#define LOAD24 \
	VMOVUPS (R14), Z24; \
	VMOVUPS 64(R14), Y25

#define LOAD16 \
	VMOVUPS (R14), Z24

#define LOAD8 \
	VMOVUPS (R14), Y24

#define ADDROW(x, y) \
	VADDPS (AX), x, K1, x;   \
	VADDPS 64(AX), y, K2, y; \
	ADDQ   BX, AX;           \
	DECQ   CX;               \
	JZ     limit

#define PUTROW(x, y) \
	VMOVUPS x, K1, (AX);   \
	VMOVUPS y, K2, 64(AX); \
	ADDQ    BX, AX;        \
	DECQ    CX;            \
	JZ      done

#define PUTWHOLE(x, y) \
	VMOVUPS x, (AX);       \
	VMOVUPS y, 64(AX);     \
	ADDQ    BX, AX;        \
	DECQ    CX;            \
	JZ      done

// FETCH brings AX rows from CX on, BX floats apart, into the cache while the
// products are computed: what is to be added, and the lines to be stored to.
#define FETCH(row) \
	SHLQ       $2, BX; \
	MOVQ       AX, DX; \
row: \
	PREFETCHT0 (CX);   \
	PREFETCHT0 64(CX); \
	ADDQ       BX, CX; \
	DECQ       DX;     \
	JNZ        row

// func tileAVX512(t *tile)
// Any number of rows: the positions of the next 12 follow those of the ones
// before or, with a step, are that far behind them.
TEXT ·tileAVX512(SB), NOSPLIT, $72-8
	MOVQ t+0(FP), BP
	MOVQ tile_segLen(BP), AX
	MOVQ AX, BX
	NEGQ BX
	MOVQ BX, from-48(SP)
	MOVQ tile_a(BP), CX
	LEAQ (CX)(AX*4), CX
	MOVQ CX, end-8(SP)
	MOVQ tile_zero(BP), CX
	LEAQ (CX)(AX*4), CX
	MOVQ CX, zend-16(SP)
	MOVQ tile_off(BP), CX
	MOVQ CX, off-24(SP)
	MOVQ tile_ldb(BP), CX
	SHLQ $2, CX
	MOVQ CX, ldb-40(SP)
	MOVQ tile_c(BP), CX
	MOVQ CX, c-56(SP)
	MOVQ tile_d(BP), CX
	MOVQ CX, d-64(SP)
	MOVQ tile_rows(BP), CX
	MOVQ CX, rows-72(SP)

	// Masks of the columns to store.
	MOVQ  tile_cols(BP), CX
	MOVL  $1, AX
	SHLQ  CX, AX
	DECQ  AX
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

	// The next 12 rows. Sums start from the bias.
tile:
	MOVQ tile_b(BP), R14
	MOVQ tile_segs(BP), CX
	MOVQ CX, segs-32(SP)

	VPXORQ    Z0, Z0, Z0
	VPXORQ    Z1, Z1, Z1
	MOVQ      tile_bias(BP), AX
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
	CMPQ  tile_segLen(BP), $64
	JLT   sums // soon there
	MOVQ  c-56(SP), CX
	MOVQ  tile_ldc(BP), BX
	FETCH(rowC)
	MOVQ  d-64(SP), CX
	TESTQ CX, CX
	JZ    sums
	MOVQ  tile_ldd(BP), BX
	FETCH(rowD)

sums:
	CMPQ tile_width(BP), $16
	JEQ  half
	JLT  quarter
	CMPQ tile_width(BP), $24
	JEQ  mixed
	DISPATCH(whole1, whole2, whole3, whole4, whole5, whole6, whole7, whole8, whole9, whole10, whole11, whole12)
	TILE(whole1, wholeStep1, PTRS1, LOAD32, ROWS1)
	TILE(whole2, wholeStep2, PTRS2, LOAD32, ROWS2)
	TILE(whole3, wholeStep3, PTRS3, LOAD32, ROWS3)
	TILE(whole4, wholeStep4, PTRS4, LOAD32, ROWS4)
	TILE(whole5, wholeStep5, PTRS5, LOAD32, ROWS5)
	TILE(whole6, wholeStep6, PTRS6, LOAD32, ROWS6)
	TILE(whole7, wholeStep7, PTRS7, LOAD32, ROWS7)
	TILE(whole8, wholeStep8, PTRS8, LOAD32, ROWS8)
	TILE(whole9, wholeStep9, PTRS9, LOAD32, ROWS9)
	TILE(whole10, wholeStep10, PTRS10, LOAD32, ROWS10)
	TILE(whole11, wholeStep11, PTRS11, LOAD32, ROWS11)
	TILE(whole12, wholeStep12, PTRS12, LOAD32, ROWS12)

half:
	DISPATCH(half1, half2, half3, half4, half5, half6, half7, half8, half9, half10, half11, half12)
	TILE(half1, halfStep1, PTRS1, LOAD16, HALF1)
	TILE(half2, halfStep2, PTRS2, LOAD16, HALF2)
	TILE(half3, halfStep3, PTRS3, LOAD16, HALF3)
	TILE(half4, halfStep4, PTRS4, LOAD16, HALF4)
	TILE(half5, halfStep5, PTRS5, LOAD16, HALF5)
	TILE(half6, halfStep6, PTRS6, LOAD16, HALF6)
	TILE(half7, halfStep7, PTRS7, LOAD16, HALF7)
	TILE(half8, halfStep8, PTRS8, LOAD16, HALF8)
	TILE(half9, halfStep9, PTRS9, LOAD16, HALF9)
	TILE(half10, halfStep10, PTRS10, LOAD16, HALF10)
	TILE(half11, halfStep11, PTRS11, LOAD16, HALF11)
	TILE(half12, halfStep12, PTRS12, LOAD16, HALF12)

mixed:
	DISPATCH(mixed1, mixed2, mixed3, mixed4, mixed5, mixed6, mixed7, mixed8, mixed9, mixed10, mixed11, mixed12)
	TILE(mixed1, mixedStep1, PTRS1, LOAD24, MIXED1)
	TILE(mixed2, mixedStep2, PTRS2, LOAD24, MIXED2)
	TILE(mixed3, mixedStep3, PTRS3, LOAD24, MIXED3)
	TILE(mixed4, mixedStep4, PTRS4, LOAD24, MIXED4)
	TILE(mixed5, mixedStep5, PTRS5, LOAD24, MIXED5)
	TILE(mixed6, mixedStep6, PTRS6, LOAD24, MIXED6)
	TILE(mixed7, mixedStep7, PTRS7, LOAD24, MIXED7)
	TILE(mixed8, mixedStep8, PTRS8, LOAD24, MIXED8)
	TILE(mixed9, mixedStep9, PTRS9, LOAD24, MIXED9)
	TILE(mixed10, mixedStep10, PTRS10, LOAD24, MIXED10)
	TILE(mixed11, mixedStep11, PTRS11, LOAD24, MIXED11)
	TILE(mixed12, mixedStep12, PTRS12, LOAD24, MIXED12)

quarter:
	DISPATCH(quarter1, quarter2, quarter3, quarter4, quarter5, quarter6, quarter7, quarter8, quarter9, quarter10, quarter11, quarter12)
	TILE(quarter1, quarterStep1, PTRS1, LOAD8, QUARTER1)
	TILE(quarter2, quarterStep2, PTRS2, LOAD8, QUARTER2)
	TILE(quarter3, quarterStep3, PTRS3, LOAD8, QUARTER3)
	TILE(quarter4, quarterStep4, PTRS4, LOAD8, QUARTER4)
	TILE(quarter5, quarterStep5, PTRS5, LOAD8, QUARTER5)
	TILE(quarter6, quarterStep6, PTRS6, LOAD8, QUARTER6)
	TILE(quarter7, quarterStep7, PTRS7, LOAD8, QUARTER7)
	TILE(quarter8, quarterStep8, PTRS8, LOAD8, QUARTER8)
	TILE(quarter9, quarterStep9, PTRS9, LOAD8, QUARTER9)
	TILE(quarter10, quarterStep10, PTRS10, LOAD8, QUARTER10)
	TILE(quarter11, quarterStep11, PTRS11, LOAD8, QUARTER11)
	TILE(quarter12, quarterStep12, PTRS12, LOAD8, QUARTER12)

store:
	MOVQ  t+0(FP), BP
	MOVQ  d-64(SP), AX
	TESTQ AX, AX
	JZ    limit
	MOVQ  tile_ldd(BP), BX
	SHLQ  $2, BX
	MOVQ  rows-72(SP), CX
	ADDROW(Z0, Z1)
	ADDROW(Z2, Z3)
	ADDROW(Z4, Z5)
	ADDROW(Z6, Z7)
	ADDROW(Z8, Z9)
	ADDROW(Z10, Z11)
	ADDROW(Z12, Z13)
	ADDROW(Z14, Z15)
	ADDROW(Z16, Z17)
	ADDROW(Z18, Z19)
	ADDROW(Z20, Z21)
	ADDROW(Z22, Z23)
	MOVQ AX, d-64(SP) // of the rows that follow

limit:
	CMPB         tile_clamp(BP), $0
	JEQ          put
	VBROADCASTSS tile_lo(BP), Z24
	VBROADCASTSS tile_hi(BP), Z25
	LIMITALL

put:
	MOVQ c-56(SP), AX
	MOVQ tile_ldc(BP), BX
	SHLQ $2, BX
	MOVQ rows-72(SP), CX
	CMPQ tile_cols(BP), $32
	JEQ  putWhole
	PUTROW(Z0, Z1)
	PUTROW(Z2, Z3)
	PUTROW(Z4, Z5)
	PUTROW(Z6, Z7)
	PUTROW(Z8, Z9)
	PUTROW(Z10, Z11)
	PUTROW(Z12, Z13)
	PUTROW(Z14, Z15)
	PUTROW(Z16, Z17)
	PUTROW(Z18, Z19)
	PUTROW(Z20, Z21)
	PUTROW(Z22, Z23)
	JMP  next

putWhole:
	PUTWHOLE(Z0, Z1)
	PUTWHOLE(Z2, Z3)
	PUTWHOLE(Z4, Z5)
	PUTWHOLE(Z6, Z7)
	PUTWHOLE(Z8, Z9)
	PUTWHOLE(Z10, Z11)
	PUTWHOLE(Z12, Z13)
	PUTWHOLE(Z14, Z15)
	PUTWHOLE(Z16, Z17)
	PUTWHOLE(Z18, Z19)
	PUTWHOLE(Z20, Z21)
	PUTWHOLE(Z22, Z23)

next:
	MOVQ AX, c-56(SP)
	SUBQ $12, rows-72(SP)
	MOVQ tile_step(BP), CX
	TESTQ CX, CX
	JZ   tile
	SHLQ $2, CX
	ADDQ CX, end-8(SP)
	MOVQ tile_off(BP), CX
	MOVQ CX, off-24(SP)
	JMP  tile

done:
	VZEROUPPER
	RET
