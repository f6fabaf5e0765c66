//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of the kernel; distances are in bytes:
//	R13 the strip
//	R12 position among the channels, R15 their end
//	R14 pixels left
//	AX  row of taps, SI tap of the first pixel, BP of the fifth
//	BX  row of weights, DI weight, CX rows left, DX taps left
//	R8  from a window to the next, R9 three times that
//	R10 from a tap to the next, R11 from a weight to the next
//	Z0…Z7 sums, Z17 weights, Z29 bias, Z30 and Z31 bounds

#define MULADD1 VFMADD231PS (SI), Z17, Z0
#define MULADD2 MULADD1; VFMADD231PS (SI)(R8*1), Z17, Z1
#define MULADD3 MULADD2; VFMADD231PS (SI)(R8*2), Z17, Z2
#define MULADD4 MULADD3; VFMADD231PS (SI)(R9*1), Z17, Z3
#define MULADD5 MULADD4; VFMADD231PS (BP), Z17, Z4
#define MULADD6 MULADD5; VFMADD231PS (BP)(R8*1), Z17, Z5
#define MULADD7 MULADD6; VFMADD231PS (BP)(R8*2), Z17, Z6
#define MULADD8 MULADD7; VFMADD231PS (BP)(R9*1), Z17, Z7

#define START1 VMOVAPS Z29, Z0
#define START2 START1; VMOVAPS Z29, Z1
#define START3 START2; VMOVAPS Z29, Z2
#define START4 START3; VMOVAPS Z29, Z3
#define START5 START4; VMOVAPS Z29, Z4
#define START6 START5; VMOVAPS Z29, Z5
#define START7 START6; VMOVAPS Z29, Z6
#define START8 START7; VMOVAPS Z29, Z7

// Of two values one of which is a NaN, VMAXPS and VMINPS give the one that
// comes first here.
#define PUT(z) \
	VMAXPS  z, Z30, z; \
	VMINPS  z, Z31, z; \
	VMOVUPS z, (DI);   \
	ADDQ    DX, DI

#define PUT1 PUT(Z0)
#define PUT2 PUT1; PUT(Z1)
#define PUT3 PUT2; PUT(Z2)
#define PUT4 PUT3; PUT(Z3)
#define PUT5 PUT4; PUT(Z4)
#define PUT6 PUT5; PUT(Z5)
#define PUT7 PUT6; PUT(Z6)
#define PUT8 PUT7; PUT(Z7)

// PIXELS computes n neighbouring pixels of 16 channels.
#define PIXELS(n, label, row, tap, START, MULADDS, PUTS) \
label: \
	START;                      \
	MOVQ    x-8(SP), AX;        \
	MOVQ    strip_w(R13), BX;   \
	ADDQ    R12, BX;            \
	MOVQ    strip_kh(R13), CX;  \
row: \
	MOVQ    AX, SI;             \
	LEAQ    (AX)(R8*4), BP;     \
	MOVQ    BX, DI;             \
	MOVQ    strip_kw(R13), DX;  \
tap: \
	VMOVUPS (DI), Z17;          \
	MULADDS;                    \
	ADDQ    R10, SI;            \
	ADDQ    R10, BP;            \
	ADDQ    R11, DI;            \
	DECQ    DX;                 \
	JNZ     tap;                \
	MOVQ    strip_xRow(R13), DX; \
	LEAQ    (AX)(DX*4), AX;     \
	MOVQ    strip_wRow(R13), DX; \
	LEAQ    (BX)(DX*4), BX;     \
	DECQ    CX;                 \
	JNZ     row;                \
	MOVQ    y-16(SP), DI;       \
	MOVQ    strip_yPix(R13), DX; \
	SHLQ    $2, DX;             \
	PUTS;                       \
	MOVQ    DI, y-16(SP);       \
	JMP     pixels

// BIAS sets z to the bias of 16 channels, or 0.
#define BIAS(none, at, z) \
	VPXORQ  z, z, z;             \
	MOVQ    strip_bias(R13), AX; \
	TESTQ   AX, AX;              \
	JZ      none;                \
	VMOVUPS at(AX)(R12*1), z;    \
none:

// func depthwiseAVX512(t *strip)
// There are at least 16 channels and a tap.
TEXT ·depthwiseAVX512(SB), NOSPLIT, $24-8
	MOVQ         t+0(FP), R13
	XORL         R12, R12
	MOVQ         strip_channels(R13), R15
	SHLQ         $2, R15
	MOVQ         strip_xCol(R13), R10
	SHLQ         $2, R10
	MOVQ         strip_wCol(R13), R11
	SHLQ         $2, R11
	MOVQ         strip_xPix(R13), R8
	SHLQ         $2, R8
	LEAQ         (R8)(R8*2), R9
	MOVL         $0xff800000, AX      // −Inf and +Inf limit nothing
	VPBROADCASTD AX, Z30
	MOVL         $0x7f800000, AX
	VPBROADCASTD AX, Z31
	CMPB         strip_clamp(R13), $0
	JEQ          start
	VBROADCASTSS strip_lo(R13), Z30
	VBROADCASTSS strip_hi(R13), Z31

start:
	CMPQ strip_pixels(R13), $1
	JEQ  alone

	// 16 channels at a time; the last end with the channels.
channels:
	MOVQ R15, CX
	SUBQ R12, CX
	JLE  done
	CMPQ CX, $64
	JGE  first
	LEAQ -64(R15), R12

first:
	BIAS(zero, 0, Z29)
	MOVQ strip_x(R13), AX
	ADDQ R12, AX
	MOVQ AX, next-24(SP)
	MOVQ strip_y(R13), AX
	ADDQ R12, AX
	MOVQ AX, y-16(SP)
	MOVQ strip_pixels(R13), R14

	// Eight pixels, or what is left in two parts alike.
pixels:
	MOVQ R14, CX
	CMPQ CX, $8
	JLE  take
	CMPQ CX, $16
	JLT  halve
	MOVL $8, CX
	JMP  take

halve:
	INCQ CX
	SHRQ $1, CX

take:
	SUBQ  CX, R14
	MOVQ  next-24(SP), AX
	MOVQ  AX, x-8(SP)
	MOVQ  CX, DX
	IMULQ R8, DX
	ADDQ  DX, AX
	MOVQ  AX, next-24(SP)
	CMPQ  CX, $4
	JGT   more
	JEQ   four
	CMPQ  CX, $2
	JGT   three
	JEQ   two
	TESTQ CX, CX
	JNZ   one
	ADDQ  $64, R12
	JMP   channels

more:
	CMPQ CX, $6
	JGT  most
	JEQ  six
	JMP  five

most:
	CMPQ CX, $7
	JEQ  seven

	PIXELS(8, eight, row8, tap8, START8, MULADD8, PUT8)
	PIXELS(7, seven, row7, tap7, START7, MULADD7, PUT7)
	PIXELS(6, six, row6, tap6, START6, MULADD6, PUT6)
	PIXELS(5, five, row5, tap5, START5, MULADD5, PUT5)
	PIXELS(4, four, row4, tap4, START4, MULADD4, PUT4)
	PIXELS(3, three, row3, tap3, START3, MULADD3, PUT3)
	PIXELS(2, two, row2, tap2, START2, MULADD2, PUT2)
	PIXELS(1, one, row1, tap1, START1, MULADD1, PUT1)

	// One pixel: 64 channels at a time, then as above.
alone:
	MOVQ R15, CX
	SUBQ R12, CX
	CMPQ CX, $256
	JLT  channels
	BIAS(zero0, 0, Z0)
	BIAS(zero1, 64, Z1)
	BIAS(zero2, 128, Z2)
	BIAS(zero3, 192, Z3)
	MOVQ strip_x(R13), AX
	ADDQ R12, AX
	MOVQ strip_w(R13), BX
	ADDQ R12, BX
	MOVQ strip_kh(R13), CX

aloneRow:
	MOVQ AX, SI
	MOVQ BX, DI
	MOVQ strip_kw(R13), DX

aloneTap:
	VMOVUPS     (DI), Z17
	VMOVUPS     64(DI), Z18
	VMOVUPS     128(DI), Z19
	VMOVUPS     192(DI), Z20
	VFMADD231PS (SI), Z17, Z0
	VFMADD231PS 64(SI), Z18, Z1
	VFMADD231PS 128(SI), Z19, Z2
	VFMADD231PS 192(SI), Z20, Z3
	ADDQ        R10, SI
	ADDQ        R11, DI
	DECQ        DX
	JNZ         aloneTap
	MOVQ        strip_xRow(R13), DX
	LEAQ        (AX)(DX*4), AX
	MOVQ        strip_wRow(R13), DX
	LEAQ        (BX)(DX*4), BX
	DECQ        CX
	JNZ         aloneRow
	MOVQ        strip_y(R13), DI
	ADDQ        R12, DI
	MOVL        $64, DX
	PUT4
	ADDQ        $256, R12
	JMP         alone

done:
	VZEROUPPER
	RET
