//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"

// Registers of the 6×16 kernel:
//	AX BX CX DX SI DI   where the segment of each row starts
//	R8  B, R9 bytes between its steps
//	R10 position in the segment, R11 its length
//	R12 table of positions, R13 the tile, R15 segments left
//	Y0…Y11 tile of C, a row is Y(2i), Y(2i+1); Y12, Y13 a step of B; Y14 of A

// ROWS1 to ROWS6 apply OP to so many rows, each given by its number, its register
// and its two registers of the tile.
#define ROWS1(OP) OP(0, AX, Y0, Y1)
#define ROWS2(OP) ROWS1(OP); OP(1, BX, Y2, Y3)
#define ROWS3(OP) ROWS2(OP); OP(2, CX, Y4, Y5)
#define ROWS4(OP) ROWS3(OP); OP(3, DX, Y6, Y7)
#define ROWS5(OP) ROWS4(OP); OP(4, SI, Y8, Y9)
#define ROWS6(OP) ROWS5(OP); OP(5, DI, Y10, Y11)

#define CLEAR(n, p, x, y) \
	VXORPS x, x, x; \
	VXORPS y, y, y

#define PTR(n, p, x, y) \
	MOVQ    (n*8)(R12), p;    \
	SHLQ    $2, p;            \
	ADDQ    tile_a(R13), p;   \
	CMOVQMI tile_zero(R13), p

#define ROW(n, p, x, y) \
	VBROADCASTSS (p)(R10*4), Y14; \
	VFMADD231PS  Y12, Y14, x;     \
	VFMADD231PS  Y13, Y14, y

#define HALF(n, p, x, y) \
	VBROADCASTSS (p)(R10*4), Y14; \
	VFMADD231PS  Y12, Y14, x

#define LOAD16 \
	VMOVUPS (R8), Y12; \
	VMOVUPS 32(R8), Y13

#define LOAD8 \
	VMOVUPS (R8), Y12

#define TILE(segment, step, ROWS, LOAD, ROW, store) \
segment: \
	ROWS(PTR);            \
	XORL    R10, R10;     \
step: \
	LOAD;                 \
	ROWS(ROW);            \
	ADDQ    R9, R8;       \
	INCQ    R10;          \
	CMPQ    R10, R11;     \
	JLT     step;         \
	ADDQ    $(6*8), R12;  \
	DECQ    R15;          \
	JNZ     segment;      \
	JMP     store

// TILES computes AX rows: each number has a label, and one for its steps.
#define TILES(LOAD, ROW, store, t1, s1, t2, s2, t3, s3, t4, s4, t5, s5, t6, s6) \
	CASE(6, t6);                           \
	CASE(5, t5);                           \
	CASE(4, t4);                           \
	CASE(3, t3);                           \
	CASE(2, t2);                           \
	TILE(t1, s1, ROWS1, LOAD, ROW, store); \
	TILE(t2, s2, ROWS2, LOAD, ROW, store); \
	TILE(t3, s3, ROWS3, LOAD, ROW, store); \
	TILE(t4, s4, ROWS4, LOAD, ROW, store); \
	TILE(t5, s5, ROWS5, LOAD, ROW, store); \
	TILE(t6, s6, ROWS6, LOAD, ROW, store)

// What follows the sums is for six rows whatever their number, since rows beyond it
// are never stored. Of two values one of which is a NaN, VMAXPS and VMINPS give the
// one that comes first here.
#define BIASX(n, p, x, y) VADDPS Y12, x, x
#define BIASY(n, p, x, y) VADDPS Y13, y, y
#define MAXX(n, p, x, y) VMAXPS x, Y12, x
#define MAXY(n, p, x, y) VMAXPS y, Y12, y
#define MINX(n, p, x, y) VMINPS x, Y13, x
#define MINY(n, p, x, y) VMINPS y, Y13, y

#define NEXTROW(done) \
	ADDQ R9, AX; \
	DECQ CX;     \
	JZ   done

#define ADDROW(n, p, x, y) \
	VADDPS (AX), x, x;   \
	VADDPS 32(AX), y, y; \
	NEXTROW(limit)

#define PUTROW(n, p, x, y) \
	VMOVUPS x, (AX);   \
	VMOVUPS y, 32(AX); \
	NEXTROW(done)

#define ADDHALF(n, p, x, y) \
	VADDPS (AX), x, x; \
	NEXTROW(limitHalf)

#define PUTHALF(n, p, x, y) \
	VMOVUPS x, (AX); \
	NEXTROW(done)

#define LOADBIAS16 VMOVUPS (AX), Y12; VMOVUPS 32(AX), Y13
#define LOADBIAS8 VMOVUPS (AX), Y12
#define BIASES16 ROWS6(BIASX); ROWS6(BIASY)
#define BIASES8 ROWS6(BIASX)
#define LIMITS16 ROWS6(MAXX); ROWS6(MAXY); ROWS6(MINX); ROWS6(MINY)
#define LIMITS8 ROWS6(MAXX); ROWS6(MINX)

#define STORE(store, addend, limit, put, LOADBIAS, BIASES, ADD, LIMITS, PUT) \
store: \
	NONZERO(tile_bias(R13), AX, addend);                                    \
	LOADBIAS;                                                               \
	BIASES;                                                                 \
addend: \
	NONZERO(tile_d(R13), AX, limit);                                        \
	BYTES4(tile_ldd(R13), R9);                                              \
	MOVQ  tile_rows(R13), CX;                                               \
	ROWS6(ADD);                                                             \
limit: \
	LOADLIMITS(tile_clamp(R13), tile_lo(R13), tile_hi(R13), Y12, Y13, put); \
	LIMITS;                                                                 \
put: \
	MOVQ tile_c(R13), AX;                                                   \
	BYTES4(tile_ldc(R13), R9);                                              \
	MOVQ tile_rows(R13), CX;                                                \
	ROWS6(PUT)

// func tile6x16(t *tile)
// cols must equal width, which is 16 or 8.
TEXT ·tile6x16(SB), NOSPLIT, $0-8
	MOVQ   t+0(FP), R13
	MOVQ   tile_off(R13), R12
	MOVQ   tile_b(R13), R8
	BYTES4(tile_ldb(R13), R9)
	MOVQ   tile_segLen(R13), R11
	MOVQ   tile_segs(R13), R15
	ROWS6(CLEAR)
	MOVQ   tile_rows(R13), AX
	CMPQ   tile_width(R13), $8
	JEQ    half
	TILES(LOAD16, ROW, store, whole1, step1, whole2, step2, whole3, step3, whole4, step4, whole5, step5, whole6, step6)

half:
	TILES(LOAD8, HALF, storeHalf, half1, stepHalf1, half2, stepHalf2, half3, stepHalf3, half4, stepHalf4, half5, stepHalf5, half6, stepHalf6)

	STORE(store, addend, limit, put, LOADBIAS16, BIASES16, ADDROW, LIMITS16, PUTROW)

done:
	VZEROUPPER
	RET

	STORE(storeHalf, addendHalf, limitHalf, putHalf, LOADBIAS8, BIASES8, ADDHALF, LIMITS8, PUTHALF)
	VZEROUPPER
	RET
