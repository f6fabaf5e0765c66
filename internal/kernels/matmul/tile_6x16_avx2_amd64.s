//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of the 6×16 kernel:
//	AX BX CX DX SI DI   where the segment of each row starts
//	R8  B, R9 bytes between its steps
//	R10 position in the segment, R11 its length
//	R12 table of positions, R13 the tile, R15 segments left
//	Y0…Y11 tile of C, a row is Y(2i), Y(2i+1); Y12, Y13 a step of B; Y14 of A

#define PTR(i, p) \
	MOVQ    (i*8)(R12), p;    \
	SHLQ    $2, p;            \
	ADDQ    tile_a(R13), p;   \
	CMOVQMI tile_zero(R13), p

#define PTRS1 PTR(0, AX)
#define PTRS2 PTRS1; PTR(1, BX)
#define PTRS3 PTRS2; PTR(2, CX)
#define PTRS4 PTRS3; PTR(3, DX)
#define PTRS5 PTRS4; PTR(4, SI)
#define PTRS6 PTRS5; PTR(5, DI)

#define ROW(p, x, y) \
	VBROADCASTSS (p)(R10*4), Y14; \
	VFMADD231PS  Y12, Y14, x;     \
	VFMADD231PS  Y13, Y14, y

#define ROWS1 ROW(AX, Y0, Y1)
#define ROWS2 ROWS1; ROW(BX, Y2, Y3)
#define ROWS3 ROWS2; ROW(CX, Y4, Y5)
#define ROWS4 ROWS3; ROW(DX, Y6, Y7)
#define ROWS5 ROWS4; ROW(SI, Y8, Y9)
#define ROWS6 ROWS5; ROW(DI, Y10, Y11)

#define HALF(p, x) \
	VBROADCASTSS (p)(R10*4), Y14; \
	VFMADD231PS  Y12, Y14, x

#define HALF1 HALF(AX, Y0)
#define HALF2 HALF1; HALF(BX, Y2)
#define HALF3 HALF2; HALF(CX, Y4)
#define HALF4 HALF3; HALF(DX, Y6)
#define HALF5 HALF4; HALF(SI, Y8)
#define HALF6 HALF5; HALF(DI, Y10)

#define WHOLE(segment, step, POINTERS, PRODUCTS) \
segment: \
	POINTERS;             \
	XORL    R10, R10;     \
step: \
	VMOVUPS (R8), Y12;    \
	VMOVUPS 32(R8), Y13;  \
	PRODUCTS;             \
	ADDQ    R9, R8;       \
	INCQ    R10;          \
	CMPQ    R10, R11;     \
	JLT     step;         \
	ADDQ    $(6*8), R12;  \
	DECQ    R15;          \
	JNZ     segment;      \
	JMP     store

#define NARROW(segment, step, POINTERS, PRODUCTS) \
segment: \
	POINTERS;             \
	XORL    R10, R10;     \
step: \
	VMOVUPS (R8), Y12;    \
	PRODUCTS;             \
	ADDQ    R9, R8;       \
	INCQ    R10;          \
	CMPQ    R10, R11;     \
	JLT     step;         \
	ADDQ    $(6*8), R12;  \
	DECQ    R15;          \
	JNZ     segment;      \
	JMP     storeHalf

// Add to every row, or limit every row: six rows whatever their number, since
// rows beyond it are never stored.
#define EACH(OP, y, a, b, c, d, e, f) \
	OP y, a, a; \
	OP y, b, b; \
	OP y, c, c; \
	OP y, d, d; \
	OP y, e, e; \
	OP y, f, f

// Of two values one of which is a NaN, VMAXPS and VMINPS give the one that
// comes first here.
#define LIMIT(OP, y, a, b, c, d, e, f) \
	OP a, y, a; \
	OP b, y, b; \
	OP c, y, c; \
	OP d, y, d; \
	OP e, y, e; \
	OP f, y, f

#define ADDROW(x, y, done) \
	VADDPS (AX), x, x;   \
	VADDPS 32(AX), y, y; \
	ADDQ   R9, AX;       \
	DECQ   CX;           \
	JZ     done

#define PUTROW(x, y, done) \
	VMOVUPS x, (AX);   \
	VMOVUPS y, 32(AX); \
	ADDQ    R9, AX;    \
	DECQ    CX;        \
	JZ      done

#define ADDHALF(x, done) \
	VADDPS (AX), x, x; \
	ADDQ   R9, AX;     \
	DECQ   CX;         \
	JZ     done

#define PUTHALF(x, done) \
	VMOVUPS x, (AX); \
	ADDQ    R9, AX;  \
	DECQ    CX;      \
	JZ      done

// func tile6x16(t *tile)
// cols must equal width, which is 16 or 8.
TEXT ·tile6x16(SB), NOSPLIT, $0-8
	MOVQ   t+0(FP), R13
	MOVQ   tile_off(R13), R12
	MOVQ   tile_b(R13), R8
	MOVQ   tile_ldb(R13), R9
	SHLQ   $2, R9
	MOVQ   tile_segLen(R13), R11
	MOVQ   tile_segs(R13), R15
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11
	MOVQ   tile_rows(R13), AX
	CMPQ   tile_width(R13), $8
	JEQ    half
	CMPQ   AX, $6
	JEQ    whole6
	CMPQ   AX, $5
	JEQ    whole5
	CMPQ   AX, $4
	JEQ    whole4
	CMPQ   AX, $3
	JEQ    whole3
	CMPQ   AX, $2
	JEQ    whole2
	WHOLE(whole1, step1, PTRS1, ROWS1)
	WHOLE(whole2, step2, PTRS2, ROWS2)
	WHOLE(whole3, step3, PTRS3, ROWS3)
	WHOLE(whole4, step4, PTRS4, ROWS4)
	WHOLE(whole5, step5, PTRS5, ROWS5)
	WHOLE(whole6, step6, PTRS6, ROWS6)

half:
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

store:
	MOVQ    tile_bias(R13), AX
	TESTQ   AX, AX
	JZ      addend
	VMOVUPS (AX), Y12
	VMOVUPS 32(AX), Y13
	EACH(VADDPS, Y12, Y0, Y2, Y4, Y6, Y8, Y10)
	EACH(VADDPS, Y13, Y1, Y3, Y5, Y7, Y9, Y11)

addend:
	MOVQ  tile_d(R13), AX
	TESTQ AX, AX
	JZ    limit
	MOVQ  tile_ldd(R13), R9
	SHLQ  $2, R9
	MOVQ  tile_rows(R13), CX
	ADDROW(Y0, Y1, limit)
	ADDROW(Y2, Y3, limit)
	ADDROW(Y4, Y5, limit)
	ADDROW(Y6, Y7, limit)
	ADDROW(Y8, Y9, limit)
	ADDROW(Y10, Y11, limit)

limit:
	CMPB         tile_clamp(R13), $0
	JEQ          put
	VBROADCASTSS tile_lo(R13), Y12
	VBROADCASTSS tile_hi(R13), Y13
	LIMIT(VMAXPS, Y12, Y0, Y2, Y4, Y6, Y8, Y10)
	LIMIT(VMAXPS, Y12, Y1, Y3, Y5, Y7, Y9, Y11)
	LIMIT(VMINPS, Y13, Y0, Y2, Y4, Y6, Y8, Y10)
	LIMIT(VMINPS, Y13, Y1, Y3, Y5, Y7, Y9, Y11)

put:
	MOVQ tile_c(R13), AX
	MOVQ tile_ldc(R13), R9
	SHLQ $2, R9
	MOVQ tile_rows(R13), CX
	PUTROW(Y0, Y1, done)
	PUTROW(Y2, Y3, done)
	PUTROW(Y4, Y5, done)
	PUTROW(Y6, Y7, done)
	PUTROW(Y8, Y9, done)
	PUTROW(Y10, Y11, done)

done:
	VZEROUPPER
	RET

storeHalf:
	MOVQ    tile_bias(R13), AX
	TESTQ   AX, AX
	JZ      addendHalf
	VMOVUPS (AX), Y12
	EACH(VADDPS, Y12, Y0, Y2, Y4, Y6, Y8, Y10)

addendHalf:
	MOVQ  tile_d(R13), AX
	TESTQ AX, AX
	JZ    limitHalf
	MOVQ  tile_ldd(R13), R9
	SHLQ  $2, R9
	MOVQ  tile_rows(R13), CX
	ADDHALF(Y0, limitHalf)
	ADDHALF(Y2, limitHalf)
	ADDHALF(Y4, limitHalf)
	ADDHALF(Y6, limitHalf)
	ADDHALF(Y8, limitHalf)
	ADDHALF(Y10, limitHalf)

limitHalf:
	CMPB         tile_clamp(R13), $0
	JEQ          putHalf
	VBROADCASTSS tile_lo(R13), Y12
	VBROADCASTSS tile_hi(R13), Y13
	LIMIT(VMAXPS, Y12, Y0, Y2, Y4, Y6, Y8, Y10)
	LIMIT(VMINPS, Y13, Y0, Y2, Y4, Y6, Y8, Y10)

putHalf:
	MOVQ tile_c(R13), AX
	MOVQ tile_ldc(R13), R9
	SHLQ $2, R9
	MOVQ tile_rows(R13), CX
	PUTHALF(Y0, done)
	PUTHALF(Y2, done)
	PUTHALF(Y4, done)
	PUTHALF(Y6, done)
	PUTHALF(Y8, done)
	PUTHALF(Y10, done)
	VZEROUPPER
	RET
