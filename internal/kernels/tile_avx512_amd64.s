//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of the 12×32 kernel:
//	AX BX CX DX SI DI R8…R13  where the segment of each row ends
//	R14 B, BP bytes between its steps
//	R15 position in the segment, from minus its length to 0
//	Z0…Z23 tile of C, a row is Z(2i), Z(2i+1); Z24, Z25 a step of B; Z26 of A
// Of a tile half as wide only the even registers count.

#define PTR(i, p) \
	MOVQ    (i*8)(R15), p; \
	SHLQ    $2, p;         \
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

// func tileAVX512(t *tile)
TEXT ·tileAVX512(SB), NOSPLIT, $48-8
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
	MOVQ tile_segs(BP), CX
	MOVQ CX, segs-32(SP)
	MOVQ tile_ldb(BP), CX
	SHLQ $2, CX
	MOVQ CX, ldb-40(SP)
	MOVQ tile_b(BP), R14
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
	MOVQ tile_rows(BP), AX
	CMPQ tile_width(BP), $16
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
	MOVQ  tile_cols(BP), CX
	MOVL  $1, AX
	SHLQ  CX, AX
	DECQ  AX
	KMOVW AX, K1
	SHRQ  $16, AX
	KMOVW AX, K2

	MOVQ      tile_bias(BP), AX
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
	MOVQ  tile_d(BP), AX
	TESTQ AX, AX
	JZ    limit
	MOVQ  tile_ldd(BP), BX
	SHLQ  $2, BX
	MOVQ  tile_rows(BP), CX
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
	CMPB         tile_clamp(BP), $0
	JEQ          put
	VBROADCASTSS tile_lo(BP), Z24
	VBROADCASTSS tile_hi(BP), Z25
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
	MOVQ tile_c(BP), AX
	MOVQ tile_ldc(BP), BX
	SHLQ $2, BX
	MOVQ tile_rows(BP), CX
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

done:
	VZEROUPPER
	RET
