//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"
#include "../asm/bf16_amd64.h"

// Registers of all three kernels; distances are in bytes:
//	R13 the strip
//	R12 position among the channels of X, R15 their end
//	AX  row of taps, SI tap, CX rows left, DX taps left
//	BX  row of weights, DI weight
//	R8  from a window to the next, R9 three times that
//	R10 from a tap to the next, R11 from a weight to the next
//	Z0…Z7 sums, of even and of odd channels for each pixel
//	Z28 mask of the odd channels, Z29…Z31 orders, K1…K3 channels to store

// SPLIT splits 32 channels into the even ones, Z11, and the odd ones, Z10.
#define SPLIT(from) \
	VMOVDQU16.Z from, K1, Z10; \
	VPSLLD      $16, Z10, Z11; \
	VPANDD      Z28, Z10, Z10

#define FOUR(OP) \
	SPLIT((SI));       \
	OP(Z0, Z1);        \
	SPLIT((SI)(R8*1)); \
	OP(Z2, Z3);        \
	SPLIT((SI)(R8*2)); \
	OP(Z4, Z5);        \
	SPLIT((SI)(R9*1)); \
	OP(Z6, Z7)

#define ONE(OP) \
	SPLIT((SI)); \
	OP(Z0, Z1)

// ROWS runs WEIGHTS and PIXELS, which is FOUR or ONE, over all taps.
#define ROWS(row, tap, WEIGHTS, PIXELS, OP) \
row: \
	MOVQ AX, SI;                  \
	MOVQ BX, DI;                  \
	MOVQ stripBF16_kw(R13), DX;   \
tap: \
	WEIGHTS;                      \
	PIXELS(OP);                   \
	ADDQ R10, SI;                 \
	ADDQ R11, DI;                 \
	DECQ DX;                      \
	JNZ  tap;                     \
	MOVQ stripBF16_xRow(R13), DX; \
	LEAQ (AX)(DX*2), AX;          \
	MOVQ stripBF16_wRow(R13), DX; \
	LEAQ (BX)(DX*4), BX;          \
	DECQ CX;                      \
	JNZ  row

// EACH applies OP to the sums of each pixel.
#define EACH(OP, a, b, c, d, e, f, g, h) OP(a, b); OP(c, d); OP(e, f); OP(g, h)

// STRIP is a whole kernel: START sets Z0 and Z1, WEIGHTS loads what OP needs of
// a tap, END finishes a sum.
#define STRIP(START, WEIGHTS, OP, END) \
	MOVQ         t+0(FP), R13;                            \
	MOVL         $0xffff0000, AX;                         \
	VPBROADCASTD AX, Z28;                                 \
	VMOVDQU16    ·zipWords(SB), Z29;                      \
	VMOVDQU32    ·zipFloats+0(SB), Z30;                   \
	VMOVDQU32    ·zipFloats+64(SB), Z31;                  \
	BYTES2(stripBF16_xCol(R13), R10);                     \
	BYTES4(stripBF16_wCol(R13), R11);                     \
	BYTES2(stripBF16_xPix(R13), R8);                      \
	LEAQ         (R8)(R8*2), R9;                          \
	BYTES2(stripBF16_channels(R13), R15);                 \
	MOVE(stripBF16_x(R13), AX, x-8(SP));                  \
	MOVE(stripBF16_y(R13), AX, y-16(SP));                 \
	MOVE(stripBF16_f(R13), AX, f-24(SP));                 \
	MOVE(stripBF16_pixels(R13), AX, left-32(SP));         \
group: \
	XORL         R12, R12;                                \
block: \
	MOVQ    R15, CX;                                      \
	SUBQ    R12, CX;                                      \
	JLE     more;                                         \
	SHRQ    $1, CX;                                       \
	MASKS;                                                \
	START;                                                \
	PLACE(x-8(SP), R12, AX);                              \
	MOVQ    stripBF16_w(R13), BX;                         \
	LEAQ    (BX)(R12*2), BX;                              \
	MOVQ    stripBF16_kh(R13), CX;                        \
	CMPQ    stripBF16_pixels(R13), $1;                    \
	JEQ     row1;                                         \
	VMOVAPS Z0, Z2;                                       \
	VMOVAPS Z1, Z3;                                       \
	VMOVAPS Z0, Z4;                                       \
	VMOVAPS Z1, Z5;                                       \
	VMOVAPS Z0, Z6;                                       \
	VMOVAPS Z1, Z7;                                       \
	ROWS(row4, tap4, WEIGHTS, FOUR, OP);                  \
	END(Z2); END(Z3); END(Z4); END(Z5); END(Z6); END(Z7); \
	JMP     put;                                          \
	ROWS(row1, tap1, WEIGHTS, ONE, OP);                   \
put: \
	END(Z0);                                              \
	END(Z1);                                              \
	MOVL    $4, CX;                                       \
	MOVQ    stripBF16_pixels(R13), DX;                    \
	CMPQ    DX, CX;                                       \
	CMOVQLT DX, CX;                                       \
	MOVQ    stripBF16_yPix(R13), DX;                      \
	NONZERO(f-24(SP), AX, narrow);                        \
	SHLQ    $2, DX;                                       \
	LEAQ    (AX)(R12*2), AX;                              \
	EACH(PUTWIDE, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7);        \
narrow: \
	MOVQ    y-16(SP), AX;                                 \
	SHLQ    $1, DX;                                       \
	ADDQ    R12, AX;                                      \
	LEAQ    64(R12), BX;                                  \
	CMPQ    BX, R15;                                      \
	JGT     part;                                         \
	EACH(PUT, 0, 1, 2, 3, 4, 5, 6, 7);                    \
part: \
	EACH(PUTPART, 0, 1, 2, 3, 4, 5, 6, 7);                \
next: \
	ADDQ    $64, R12;                                     \
	JMP     block;                                        \
more: \
	SUBQ    $4, left-32(SP);                              \
	JLE     done;                                         \
	MOVQ    x-8(SP), AX;                                  \
	LEAQ    (AX)(R8*4), AX;                               \
	MOVQ    AX, x-8(SP);                                  \
	MOVQ    stripBF16_yPix(R13), DX;                      \
	MOVQ    y-16(SP), AX;                                 \
	LEAQ    (AX)(DX*8), AX;                               \
	MOVQ    AX, y-16(SP);                                 \
	SHLQ    $4, DX;                                       \
	NONZERO(f-24(SP), AX, group);                         \
	ADDQ    DX, AX;                                       \
	MOVQ    AX, f-24(SP);                                 \
	JMP     group;                                        \
done: \
	VZEROUPPER;                                           \
	RET

// NEXTPIXEL goes on to the next pixel, or block of channels.
#define NEXTPIXEL \
	ADDQ DX, AX; \
	DECQ CX;     \
	JZ   next

#define ZIP(even, odd) \
	VCVTNE2PS2BF16(even, odd, 10); \
	VPERMW    Z10, Z29, Z10

#define PUT(even, odd) \
	ZIP(even, odd);      \
	VMOVDQU16 Z10, (AX); \
	NEXTPIXEL

// Stores with a mask are slow.
#define PUTPART(even, odd) \
	ZIP(even, odd);          \
	VMOVDQU16 Z10, K1, (AX); \
	NEXTPIXEL

#define PUTWIDE(even, odd) \
	VMOVAPS   Z30, Z10;        \
	VPERMI2PS odd, even, Z10;  \
	VMOVAPS   Z31, Z11;        \
	VPERMI2PS odd, even, Z11;  \
	VMOVUPS   Z10, K2, (AX);   \
	VMOVUPS   Z11, K3, 64(AX); \
	NEXTPIXEL

// Bias and weights are spread: even channels of 32, then odd ones.
#define BIAS \
	MOVQ    stripBF16_bias(R13), AX; \
	VMOVUPS (AX)(R12*2), Z0;         \
	VMOVUPS 64(AX)(R12*2), Z1

#define WEIGHTS \
	VMOVUPS (DI), Z8;   \
	VMOVUPS 64(DI), Z9

#define PRODUCT(even, odd) \
	VFMADD231PS Z8, Z11, even; \
	VFMADD231PS Z9, Z10, odd

#define LIMIT(z) CLAMP(z, Z26, Z27)

// func depthwiseBF16AVX512(t *stripBF16)
TEXT ·depthwiseBF16AVX512(SB), NOSPLIT, $32-8
	MOVQ         t+0(FP), R13
	INFINITE(Z26, Z27)
	LOADLIMITS(stripBF16_clamp(R13), stripBF16_lo(R13), stripBF16_hi(R13), Z26, Z27, start)

start:
	STRIP(BIAS, WEIGHTS, PRODUCT, LIMIT)

#define NOTHING
#define NOTHING1(z)

#define LOWEST \
	MOVL         $0xff800000, AX; \
	VPBROADCASTD AX, Z0;          \
	VMOVAPS      Z0, Z1

#define LARGER(even, odd) \
	VMAXPS Z11, even, even; \
	VMAXPS Z10, odd, odd

// func maxPoolBF16AVX512(t *stripBF16)
TEXT ·maxPoolBF16AVX512(SB), NOSPLIT, $32-8
	STRIP(LOWEST, NOTHING, LARGER, NOTHING1)

#define ZERO \
	VPXORQ Z0, Z0, Z0; \
	VPXORQ Z1, Z1, Z1

#define SUM(even, odd) \
	VADDPS Z11, even, even; \
	VADDPS Z10, odd, odd

#define MEAN(z) \
	VMULPS Z27, z, z

// func sumPoolBF16AVX512(t *stripBF16)
TEXT ·sumPoolBF16AVX512(SB), NOSPLIT, $32-8
	MOVQ         t+0(FP), R13
	VBROADCASTSS stripBF16_scale(R13), Z27
	STRIP(ZERO, NOTHING, SUM, MEAN)

// func spreadAVX512(dst, src []float32)
TEXT ·spreadAVX512(SB), NOSPLIT, $0-48
	MOVQ      dst_base+0(FP), DI
	MOVQ      dst_len+8(FP), CX
	MOVQ      src_base+24(FP), SI
	VMOVDQU32 ·evenAndOdd+0(SB), Z30
	VMOVDQU32 ·evenAndOdd+64(SB), Z31

loop:
	VMOVUPS   (SI), Z0
	VMOVUPS   64(SI), Z1
	VMOVAPS   Z30, Z2
	VPERMI2PS Z1, Z0, Z2
	VMOVAPS   Z31, Z3
	VPERMI2PS Z1, Z0, Z3
	VMOVUPS   Z2, (DI)
	VMOVUPS   Z3, 64(DI)
	ADDQ      $128, SI
	ADDQ      $128, DI
	SUBQ      $32, CX
	JGT       loop
	VZEROUPPER
	RET
