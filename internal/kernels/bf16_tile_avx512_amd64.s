//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "bf16_amd64.h"

// Registers of the 12×32 kernel:
//	AX BX CX DX SI DI R8…R13  where the segment of each row ends
//	R14 B, BP bytes between its steps
//	R15 position in the segment in pairs, from minus their number to 0
//	Z0…Z23 tile of C, a row is Z(2i), Z(2i+1); Z24, Z25 a step of B; Z26 of A
// Of a tile half as wide only the even registers count.

#define PTR(i, p) \
	MOVQ    (i*8)(R15), p; \
	SHLQ    $1, p;         \
	ADDQ    end-8(SP), p;  \
	CMOVQMI zend-16(SP), p

#define PTRS1 PTR(0, AX)
#define PTRS2 PTRS1; PTR(1, BX)
#define PTRS3 PTRS2; PTR(2, CX)
#define PTRS4 PTRS3; PTR(3, DX)
#define PTRS5 PTRS4; PTR(4, SI)
#define PTRS6 PTRS5; PTR(5, DI)
#define PTRS7 PTRS6; PTR(6, R8)
#define PTRS8 PTRS7; PTR(7, R9)
#define PTRS9 PTRS8; PTR(8, R10)
#define PTRS10 PTRS9; PTR(9, R11)
#define PTRS11 PTRS10; PTR(10, R12)
#define PTRS12 PTRS11; PTR(11, R13)

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

#define SEGMENT(segment, POINTERS) \
segment: \
	MOVQ off-24(SP), R15;  \
	POINTERS;              \
	ADDQ $(12*8), R15;     \
	MOVQ R15, off-24(SP);  \
	MOVQ from-48(SP), R15; \
	MOVQ ldb-40(SP), BP

#define WHOLE(segment, step, POINTERS, PRODUCTS) \
	SEGMENT(segment, POINTERS); \
step: \
	VMOVUPS (R14), Z24;    \
	VMOVUPS 64(R14), Z25;  \
	PRODUCTS;              \
	ADDQ    BP, R14;       \
	INCQ    R15;           \
	JNZ     step;          \
	DECQ    segs-32(SP);   \
	JNZ     segment;       \
	JMP     store

#define NARROW(segment, step, POINTERS, PRODUCTS) \
	SEGMENT(segment, POINTERS); \
step: \
	VMOVUPS (R14), Z24;    \
	PRODUCTS;              \
	ADDQ    BP, R14;       \
	INCQ    R15;           \
	JNZ     step;          \
	DECQ    segs-32(SP);   \
	JNZ     segment;       \
	JMP     store

// Of two values one of which is a NaN, VMAXPS and VMINPS give the one that
// comes first here.
#define LIMIT(z) \
	VMAXPS z, Z24, z; \
	VMINPS z, Z25, z

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

// func tileBF16AVX512(t *tileBF16)
TEXT ·tileBF16AVX512(SB), NOSPLIT, $48-8
	MOVQ t+0(FP), BP
	MOVQ tileBF16_pairs(BP), AX
	MOVQ AX, BX
	NEGQ BX
	MOVQ BX, from-48(SP)
	MOVQ tileBF16_a(BP), CX
	LEAQ (CX)(AX*4), CX
	MOVQ CX, end-8(SP)
	MOVQ tileBF16_zero(BP), CX
	LEAQ (CX)(AX*4), CX
	MOVQ CX, zend-16(SP)
	MOVQ tileBF16_off(BP), CX
	MOVQ CX, off-24(SP)
	MOVQ tileBF16_segs(BP), CX
	MOVQ CX, segs-32(SP)
	MOVQ tileBF16_width(BP), CX
	SHLQ $2, CX
	MOVQ CX, ldb-40(SP)
	MOVQ tileBF16_b(BP), R14
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4
	VPXORQ Z5, Z5, Z5
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15
	VPXORQ Z16, Z16, Z16
	VPXORQ Z17, Z17, Z17
	VPXORQ Z18, Z18, Z18
	VPXORQ Z19, Z19, Z19
	VPXORQ Z20, Z20, Z20
	VPXORQ Z21, Z21, Z21
	VPXORQ Z22, Z22, Z22
	VPXORQ Z23, Z23, Z23
	MOVQ tileBF16_rows(BP), AX
	CMPQ tileBF16_width(BP), $16
	JEQ  half
	CMPQ AX, $12
	JEQ  whole12
	CMPQ AX, $11
	JEQ  whole11
	CMPQ AX, $10
	JEQ  whole10
	CMPQ AX, $9
	JEQ  whole9
	CMPQ AX, $8
	JEQ  whole8
	CMPQ AX, $7
	JEQ  whole7
	CMPQ AX, $6
	JEQ  whole6
	CMPQ AX, $5
	JEQ  whole5
	CMPQ AX, $4
	JEQ  whole4
	CMPQ AX, $3
	JEQ  whole3
	CMPQ AX, $2
	JEQ  whole2
	WHOLE(whole1, step1, PTRS1, ROWS1)
	WHOLE(whole2, step2, PTRS2, ROWS2)
	WHOLE(whole3, step3, PTRS3, ROWS3)
	WHOLE(whole4, step4, PTRS4, ROWS4)
	WHOLE(whole5, step5, PTRS5, ROWS5)
	WHOLE(whole6, step6, PTRS6, ROWS6)
	WHOLE(whole7, step7, PTRS7, ROWS7)
	WHOLE(whole8, step8, PTRS8, ROWS8)
	WHOLE(whole9, step9, PTRS9, ROWS9)
	WHOLE(whole10, step10, PTRS10, ROWS10)
	WHOLE(whole11, step11, PTRS11, ROWS11)
	WHOLE(whole12, step12, PTRS12, ROWS12)

half:
	CMPQ AX, $12
	JEQ  half12
	CMPQ AX, $11
	JEQ  half11
	CMPQ AX, $10
	JEQ  half10
	CMPQ AX, $9
	JEQ  half9
	CMPQ AX, $8
	JEQ  half8
	CMPQ AX, $7
	JEQ  half7
	CMPQ AX, $6
	JEQ  half6
	CMPQ AX, $5
	JEQ  half5
	CMPQ AX, $4
	JEQ  half4
	CMPQ AX, $3
	JEQ  half3
	CMPQ AX, $2
	JEQ  half2
	NARROW(half1, stepHalf1, PTRS1, HALF1)
	NARROW(half2, stepHalf2, PTRS2, HALF2)
	NARROW(half3, stepHalf3, PTRS3, HALF3)
	NARROW(half4, stepHalf4, PTRS4, HALF4)
	NARROW(half5, stepHalf5, PTRS5, HALF5)
	NARROW(half6, stepHalf6, PTRS6, HALF6)
	NARROW(half7, stepHalf7, PTRS7, HALF7)
	NARROW(half8, stepHalf8, PTRS8, HALF8)
	NARROW(half9, stepHalf9, PTRS9, HALF9)
	NARROW(half10, stepHalf10, PTRS10, HALF10)
	NARROW(half11, stepHalf11, PTRS11, HALF11)
	NARROW(half12, stepHalf12, PTRS12, HALF12)

store:
	// Masks of the columns to store.
	MOVQ  t+0(FP), BP
	MOVQ  tileBF16_cols(BP), CX
	MOVL  $1, AX
	SHLQ  CX, AX
	DECQ  AX
	KMOVD AX, K3
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

	MOVQ      tileBF16_bias(BP), AX
	TESTQ     AX, AX
	JZ        addend
	VMOVUPS.Z (AX), K1, Z24
	VMOVUPS.Z 64(AX), K2, Z25
	VADDPS Z24, Z0, Z0
	VADDPS Z25, Z1, Z1
	VADDPS Z24, Z2, Z2
	VADDPS Z25, Z3, Z3
	VADDPS Z24, Z4, Z4
	VADDPS Z25, Z5, Z5
	VADDPS Z24, Z6, Z6
	VADDPS Z25, Z7, Z7
	VADDPS Z24, Z8, Z8
	VADDPS Z25, Z9, Z9
	VADDPS Z24, Z10, Z10
	VADDPS Z25, Z11, Z11
	VADDPS Z24, Z12, Z12
	VADDPS Z25, Z13, Z13
	VADDPS Z24, Z14, Z14
	VADDPS Z25, Z15, Z15
	VADDPS Z24, Z16, Z16
	VADDPS Z25, Z17, Z17
	VADDPS Z24, Z18, Z18
	VADDPS Z25, Z19, Z19
	VADDPS Z24, Z20, Z20
	VADDPS Z25, Z21, Z21
	VADDPS Z24, Z22, Z22
	VADDPS Z25, Z23, Z23

addend:
	MOVQ  tileBF16_d(BP), AX
	TESTQ AX, AX
	JZ    limit
	MOVQ  tileBF16_ldd(BP), BX
	SHLQ  $1, BX
	MOVQ  tileBF16_rows(BP), CX
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

limit:
	CMPB         tileBF16_clamp(BP), $0
	JEQ          put
	VBROADCASTSS tileBF16_lo(BP), Z24
	VBROADCASTSS tileBF16_hi(BP), Z25
	LIMIT(Z0)
	LIMIT(Z1)
	LIMIT(Z2)
	LIMIT(Z3)
	LIMIT(Z4)
	LIMIT(Z5)
	LIMIT(Z6)
	LIMIT(Z7)
	LIMIT(Z8)
	LIMIT(Z9)
	LIMIT(Z10)
	LIMIT(Z11)
	LIMIT(Z12)
	LIMIT(Z13)
	LIMIT(Z14)
	LIMIT(Z15)
	LIMIT(Z16)
	LIMIT(Z17)
	LIMIT(Z18)
	LIMIT(Z19)
	LIMIT(Z20)
	LIMIT(Z21)
	LIMIT(Z22)
	LIMIT(Z23)

put:
	MOVQ tileBF16_f(BP), AX
	MOVQ tileBF16_ldc(BP), BX
	MOVQ tileBF16_rows(BP), CX
	TESTQ AX, AX
	JZ   narrow
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

narrow:
	MOVQ tileBF16_c(BP), AX
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

done:
	VZEROUPPER
	RET
