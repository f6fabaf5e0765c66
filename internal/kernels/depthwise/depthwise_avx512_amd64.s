//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"
#include "depthwise_avx512_amd64.h"

// The kernel for any window. DX is taps left, Z17 weights.

#define MULADD(z, tap) VFMADD231PS tap, Z17, z

#define TAPS(tap, PIXELS) \
	MOVQ    AX, SI;            \
	LEAQ    (AX)(R8*4), BP;    \
	MOVQ    BX, DI;            \
	MOVQ    strip_kw(R13), DX; \
tap: \
	VMOVUPS (DI), Z17;         \
	PIXELS(MULADD);            \
	ADDQ    R10, SI;           \
	ADDQ    R10, BP;           \
	ADDQ    R11, DI;           \
	DECQ    DX;                \
	JNZ     tap

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

	WINDOWS(eight, row8, pixels, PIXELS8, TAPS(tap8, PIXELS8))
	WINDOWS(seven, row7, pixels, PIXELS7, TAPS(tap7, PIXELS7))
	WINDOWS(six, row6, pixels, PIXELS6, TAPS(tap6, PIXELS6))
	WINDOWS(five, row5, pixels, PIXELS5, TAPS(tap5, PIXELS5))
	WINDOWS(four, row4, pixels, PIXELS4, TAPS(tap4, PIXELS4))
	WINDOWS(three, row3, pixels, PIXELS3, TAPS(tap3, PIXELS3))
	WINDOWS(two, row2, pixels, PIXELS2, TAPS(tap2, PIXELS2))
	WINDOWS(one, row1, pixels, PIXELS1, TAPS(tap1, PIXELS1))

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
	PLACE(strip_x(R13), R12, AX)
	PLACE(strip_w(R13), R12, BX)
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
	PLACE(strip_y(R13), R12, DI)
	MOVL        $64, DX
	PIXELS4(PUT)
	ADDQ        $256, R12
	JMP         alone

done:
	VZEROUPPER
	RET
