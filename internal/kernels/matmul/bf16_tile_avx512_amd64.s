//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/bf16_amd64.h"

#define SHIFT $1
#include "tile_avx512_amd64.h"

// Segments count pairs. Of a tile of 16 columns only the even registers count.

#define ROW(p, i, j) \
	VPBROADCASTD (p)(R15*4), Z26; \
	VDPBF16PS(26, 24, i);         \
	VDPBF16PS(26, 25, j)

#define ROWS1 ROW(AX, 0, 1)
#define ROWS2 ROWS1; ROW(BX, 2, 3)
#define ROWS3 ROWS2; ROW(CX, 4, 5)
#define ROWS4 ROWS3; ROW(DX, 6, 7)
#define ROWS5 ROWS4; ROW(SI, 8, 9)
#define ROWS6 ROWS5; ROW(DI, 10, 11)
#define ROWS7 ROWS6; ROW(R8, 12, 13)
#define ROWS8 ROWS7; ROW(R9, 14, 15)
#define ROWS9 ROWS8; ROW(R10, 16, 17)
#define ROWS10 ROWS9; ROW(R11, 18, 19)
#define ROWS11 ROWS10; ROW(R12, 20, 21)
#define ROWS12 ROWS11; ROW(R13, 22, 23)

#define HALF(p, i) \
	VPBROADCASTD (p)(R15*4), Z26; \
	VDPBF16PS(26, 24, i)

#define HALF1 HALF(AX, 0)
#define HALF2 HALF1; HALF(BX, 2)
#define HALF3 HALF2; HALF(CX, 4)
#define HALF4 HALF3; HALF(DX, 6)
#define HALF5 HALF4; HALF(SI, 8)
#define HALF6 HALF5; HALF(DI, 10)
#define HALF7 HALF6; HALF(R8, 12)
#define HALF8 HALF7; HALF(R9, 14)
#define HALF9 HALF8; HALF(R10, 16)
#define HALF10 HALF9; HALF(R11, 18)
#define HALF11 HALF10; HALF(R12, 20)
#define HALF12 HALF11; HALF(R13, 22)

#define LOAD32 \
	VMOVUPS (R14), Z24; \
	VMOVUPS 64(R14), Z25

#define LOAD16 \
	VMOVUPS (R14), Z24

// A BF16 is the upper half of a float32.
#define ADDROW(x, y) \
	VPMOVZXWD.Z (AX), K1, Z24;   \
	VPMOVZXWD.Z 32(AX), K2, Z25; \
	VPSLLD $16, Z24, Z24;        \
	VPSLLD $16, Z25, Z25;        \
	VADDPS Z24, x, x;            \
	VADDPS Z25, y, y;            \
	ADDQ   BX, AX;               \
	DECQ   CX;                   \
	JZ     limit

#define PUTROW(i, j) \
	VCVTNE2PS2BF16(i, j, 26);  \
	VMOVDQU16 Z26, K3, (AX);   \
	ADDQ      BX, AX;          \
	DECQ      CX;              \
	JZ        done

// Stores with a mask are slow.
#define PUTWHOLE(i, j) \
	VCVTNE2PS2BF16(i, j, 26);  \
	VMOVDQU16 Z26, (AX);       \
	ADDQ      BX, AX;          \
	DECQ      CX;              \
	JZ        done

#define PUTHALF(i) \
	VCVTNEPS2BF16(i, 26);      \
	VMOVDQU16 Y26, (AX);       \
	ADDQ      BX, AX;          \
	DECQ      CX;              \
	JZ        done

#define PUTWIDE(x, y) \
	VMOVUPS x, K1, (AX);   \
	VMOVUPS y, K2, 64(AX); \
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
	JNE   addends // room that is in the cache, as a rule
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

store:
	MOVQ  t+0(FP), BP
	MOVQ  d-64(SP), AX
	TESTQ AX, AX
	JZ    limit
	MOVQ  tileBF16_ldd(BP), BX
	SHLQ  $1, BX
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
	CMPB         tileBF16_clamp(BP), $0
	JEQ          put
	VBROADCASTSS tileBF16_lo(BP), Z24
	VBROADCASTSS tileBF16_hi(BP), Z25
	LIMITALL

put:
	MOVQ c-56(SP), AX
	MOVQ tileBF16_ldc(BP), BX
	MOVQ rows-72(SP), CX
	CMPQ tileBF16_f(BP), $0
	JEQ  narrow
	SHLQ $2, BX
	PUTWIDE(Z0, Z1)
	PUTWIDE(Z2, Z3)
	PUTWIDE(Z4, Z5)
	PUTWIDE(Z6, Z7)
	PUTWIDE(Z8, Z9)
	PUTWIDE(Z10, Z11)
	PUTWIDE(Z12, Z13)
	PUTWIDE(Z14, Z15)
	PUTWIDE(Z16, Z17)
	PUTWIDE(Z18, Z19)
	PUTWIDE(Z20, Z21)
	PUTWIDE(Z22, Z23)
	JMP next

narrow:
	SHLQ $1, BX
	MOVQ tileBF16_cols(BP), DX
	CMPQ DX, $32
	JEQ  whole
	CMPQ DX, $16
	JNE  part
	PUTHALF(0)
	PUTHALF(2)
	PUTHALF(4)
	PUTHALF(6)
	PUTHALF(8)
	PUTHALF(10)
	PUTHALF(12)
	PUTHALF(14)
	PUTHALF(16)
	PUTHALF(18)
	PUTHALF(20)
	PUTHALF(22)
	JMP next

whole:
	PUTWHOLE(0, 1)
	PUTWHOLE(2, 3)
	PUTWHOLE(4, 5)
	PUTWHOLE(6, 7)
	PUTWHOLE(8, 9)
	PUTWHOLE(10, 11)
	PUTWHOLE(12, 13)
	PUTWHOLE(14, 15)
	PUTWHOLE(16, 17)
	PUTWHOLE(18, 19)
	PUTWHOLE(20, 21)
	PUTWHOLE(22, 23)
	JMP next

part:
	PUTROW(0, 1)
	PUTROW(2, 3)
	PUTROW(4, 5)
	PUTROW(6, 7)
	PUTROW(8, 9)
	PUTROW(10, 11)
	PUTROW(12, 13)
	PUTROW(14, 15)
	PUTROW(16, 17)
	PUTROW(18, 19)
	PUTROW(20, 21)
	PUTROW(22, 23)

next:
	MOVQ AX, c-56(SP)
	SUBQ $12, rows-72(SP)
	JMP  tile

done:
	VZEROUPPER
	RET
