//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "depthwise_avx512_amd64.h"

// The kernel for any window; BP is the tap of the fifth pixel, R9 three times R8,
// DX taps left, Z17 weights.

#define MULADD1 VFMADD231PS (SI), Z17, Z0
#define MULADD2 MULADD1; VFMADD231PS (SI)(R8*1), Z17, Z1
#define MULADD3 MULADD2; VFMADD231PS (SI)(R8*2), Z17, Z2
#define MULADD4 MULADD3; VFMADD231PS (SI)(R9*1), Z17, Z3
#define MULADD5 MULADD4; VFMADD231PS (BP), Z17, Z4
#define MULADD6 MULADD5; VFMADD231PS (BP)(R8*1), Z17, Z5
#define MULADD7 MULADD6; VFMADD231PS (BP)(R8*2), Z17, Z6
#define MULADD8 MULADD7; VFMADD231PS (BP)(R9*1), Z17, Z7

#define TAPS(tap, MULADDS) \
	MOVQ    AX, SI;            \
	LEAQ    (AX)(R8*4), BP;    \
	MOVQ    BX, DI;            \
	MOVQ    strip_kw(R13), DX; \
tap: \
	VMOVUPS (DI), Z17;         \
	MULADDS;                   \
	ADDQ    R10, SI;           \
	ADDQ    R10, BP;           \
	ADDQ    R11, DI;           \
	DECQ    DX;                \
	JNZ     tap

#define TAPS1 TAPS(tap1, MULADD1)
#define TAPS2 TAPS(tap2, MULADD2)
#define TAPS3 TAPS(tap3, MULADD3)
#define TAPS4 TAPS(tap4, MULADD4)
#define TAPS5 TAPS(tap5, MULADD5)
#define TAPS6 TAPS(tap6, MULADD6)
#define TAPS7 TAPS(tap7, MULADD7)
#define TAPS8 TAPS(tap8, MULADD8)

// func depthwiseAVX512(t *strip)
// There are at least 16 channels and a tap.
TEXT ·depthwiseAVX512(SB), NOSPLIT, $24-8
	STRIP(start)
	LEAQ (R8)(R8*2), R9
	CMPQ strip_pixels(R13), $1
	JEQ  alone

	CHANNELS(channels, whole, zero, pixels, take, halve, done)
	CMPQ CX, $4
	JGT  more
	JEQ  four
	CMPQ CX, $2
	JGT  three
	JEQ  two
	JMP  one

more:
	CMPQ CX, $6
	JEQ  six
	JLT  five
	CMPQ CX, $7
	JEQ  seven

	WINDOWS(eight, row8, pixels, START8, TAPS8, PUT8)
	WINDOWS(seven, row7, pixels, START7, TAPS7, PUT7)
	WINDOWS(six, row6, pixels, START6, TAPS6, PUT6)
	WINDOWS(five, row5, pixels, START5, TAPS5, PUT5)
	WINDOWS(four, row4, pixels, START4, TAPS4, PUT4)
	WINDOWS(three, row3, pixels, START3, TAPS3, PUT3)
	WINDOWS(two, row2, pixels, START2, TAPS2, PUT2)
	WINDOWS(one, row1, pixels, START1, TAPS1, PUT1)

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
