//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../asm/avx_amd64.h"

// Registers of all three kernels; distances are in bytes:
//	R13 the strip
//	R12 position among the channels, R15 their end
//	AX  row of taps, SI tap, CX rows left, DX taps left
//	BX  row of weights, DI weight
//	R8  from a window to the next, R9 three times that
//	R10 from a tap to the next, R11 from a weight to the next

#define CHANNELS \
	MOVQ t+0(FP), R13;                \
	XORL R12, R12;                    \
	BYTES4(strip_channels(R13), R15); \
	BYTES4(strip_xCol(R13), R10)

// TAPS runs TAP over the window from channel R12 on, and ROWEND after each of
// its rows.
#define TAPS(row, tap, TAP, ROWEND) \
	PLACE(strip_x(R13), R12, AX); \
	MOVQ strip_kh(R13), CX;       \
row: \
	MOVQ AX, SI;                  \
	MOVQ strip_kw(R13), DX;       \
tap: \
	TAP;                          \
	ADDQ R10, SI;                 \
	DECQ DX;                      \
	JNZ  tap;                     \
	ROWEND;                       \
	MOVQ strip_xRow(R13), DX;     \
	LEAQ (AX)(DX*4), AX;          \
	DECQ CX;                      \
	JNZ  row

// WTAPS is the same with weights.
#define WTAPS(row, tap, TAP) \
	MOVQ strip_x(R13), AX;     \
	MOVQ strip_w(R13), BX;     \
	ADDQ R12, AX;              \
	ADDQ R12, BX;              \
	MOVQ strip_kh(R13), CX;    \
row: \
	MOVQ AX, SI;               \
	MOVQ BX, DI;               \
	MOVQ strip_kw(R13), DX;    \
tap: \
	TAP;                       \
	ADDQ R10, SI;              \
	ADDQ R11, DI;              \
	DECQ DX;                   \
	JNZ  tap;                  \
	MOVQ strip_xRow(R13), DX;  \
	LEAQ (AX)(DX*4), AX;       \
	MOVQ strip_wRow(R13), DX;  \
	LEAQ (BX)(DX*4), BX;       \
	DECQ CX;                   \
	JNZ  row

// BLOCKS goes on with the next block of channels: wide ones while there are
// enough, then narrow ones, of which the last ends with the channels.
#define BLOCKS(next, wide, narrow, done, bytes) \
next: \
	MOVQ R15, CX;      \
	SUBQ R12, CX;      \
	JLE  done;         \
	CMPQ CX, $bytes;   \
	JGE  wide;         \
	CMPQ CX, $32;      \
	JGE  narrow;       \
	LEAQ -32(R15), R12; \
	JMP  narrow

#define FOUR16 \
	VMOVUPS     (DI), Y8;              \
	VMOVUPS     32(DI), Y9;            \
	VFMADD231PS (SI), Y8, Y0;          \
	VFMADD231PS 32(SI), Y9, Y1;        \
	VFMADD231PS (SI)(R8*1), Y8, Y2;    \
	VFMADD231PS 32(SI)(R8*1), Y9, Y3;  \
	VFMADD231PS (SI)(R8*2), Y8, Y4;    \
	VFMADD231PS 32(SI)(R8*2), Y9, Y5;  \
	VFMADD231PS (SI)(R9*1), Y8, Y6;    \
	VFMADD231PS 32(SI)(R9*1), Y9, Y7

#define FOUR8 \
	VMOVUPS     (DI), Y8;           \
	VFMADD231PS (SI), Y8, Y0;       \
	VFMADD231PS (SI)(R8*1), Y8, Y2; \
	VFMADD231PS (SI)(R8*2), Y8, Y4; \
	VFMADD231PS (SI)(R9*1), Y8, Y6

#define ONE32 \
	LOAD4((DI), Y8, Y9, Y10, Y11); \
	VFMADD231PS (SI), Y8, Y0;      \
	VFMADD231PS 32(SI), Y9, Y1;    \
	VFMADD231PS 64(SI), Y10, Y2;   \
	VFMADD231PS 96(SI), Y11, Y3

#define ONE8 \
	VMOVUPS     (DI), Y8;     \
	VFMADD231PS (SI), Y8, Y0

#define LIMIT(y) CLAMP(y, Y14, Y15)
#define LIMIT4(w, x, y, z) LIMIT(w); LIMIT(x); LIMIT(y); LIMIT(z)

// BIAS8 starts the sum of 8 channels.
#define BIAS8(taps) \
	VXORPS  Y0, Y0, Y0;                 \
	NONZERO(strip_bias(R13), AX, taps); \
	VMOVUPS (AX)(R12*1), Y0

// PUT32 and PUT8 store so many channels of a pixel and go on with the next block.
#define PUT32(next) \
	PLACE(strip_y(R13), R12, AX); \
	VMOVUPS Y0, (AX);             \
	VMOVUPS Y1, 32(AX);           \
	VMOVUPS Y2, 64(AX);           \
	VMOVUPS Y3, 96(AX);           \
	ADDQ    $128, R12;            \
	JMP     next

#define PUT8(next) \
	MOVQ    strip_y(R13), AX;  \
	VMOVUPS Y0, (AX)(R12*1);   \
	ADDQ    $32, R12;          \
	JMP     next

// RESULT is where the block of Y starts, AX, and how far it is to the next pixel's,
// DX.
#define RESULT \
	PLACE(strip_y(R13), R12, AX); \
	BYTES4(strip_yPix(R13), DX)

#define PUTPIXEL(x, y) \
	VMOVUPS x, (AX);   \
	VMOVUPS y, 32(AX); \
	ADDQ    DX, AX

// func depthwiseAsm(t *strip)
// The number of pixels is 4 or 1.
TEXT ·depthwiseAsm(SB), NOSPLIT, $0-8
	CHANNELS
	BYTES4(strip_wCol(R13), R11)
	BYTES4(strip_xPix(R13), R8)
	LEAQ         (R8)(R8*2), R9
	FILL($0xff800000, AX, X14, Y14) // −Inf and +Inf limit nothing
	FILL($0x7f800000, AX, X15, Y15)
	LOADLIMITS(strip_clamp(R13), strip_lo(R13), strip_hi(R13), Y14, Y15, start)

start:
	CMPQ strip_pixels(R13), $1
	JEQ  next1
	BLOCKS(next4, wide4, narrow4, done, 64)

wide4:
	VXORPS  Y0, Y0, Y0
	VXORPS  Y1, Y1, Y1
	NONZERO(strip_bias(R13), AX, wideTaps4)
	VMOVUPS (AX)(R12*1), Y0
	VMOVUPS 32(AX)(R12*1), Y1

wideTaps4:
	VMOVAPS Y0, Y2
	VMOVAPS Y1, Y3
	VMOVAPS Y0, Y4
	VMOVAPS Y1, Y5
	VMOVAPS Y0, Y6
	VMOVAPS Y1, Y7
	WTAPS(wideRow4, wideTap4, FOUR16)
	LIMIT4(Y0, Y1, Y2, Y3)
	LIMIT4(Y4, Y5, Y6, Y7)
	RESULT
	PUTPIXEL(Y0, Y1)
	PUTPIXEL(Y2, Y3)
	PUTPIXEL(Y4, Y5)
	VMOVUPS Y6, (AX)
	VMOVUPS Y7, 32(AX)
	ADDQ    $64, R12
	JMP     next4

narrow4:
	BIAS8(narrowTaps4)

narrowTaps4:
	VMOVAPS Y0, Y2
	VMOVAPS Y0, Y4
	VMOVAPS Y0, Y6
	WTAPS(narrowRow4, narrowTap4, FOUR8)
	LIMIT4(Y0, Y2, Y4, Y6)
	RESULT
	VMOVUPS Y0, (AX)
	ADDQ    DX, AX
	VMOVUPS Y2, (AX)
	ADDQ    DX, AX
	VMOVUPS Y4, (AX)
	ADDQ    DX, AX
	VMOVUPS Y6, (AX)
	ADDQ    $32, R12
	JMP     next4

	BLOCKS(next1, wide1, narrow1, done, 128)

wide1:
	ZERO4(Y0, Y1, Y2, Y3)
	NONZERO(strip_bias(R13), AX, wideTaps1)
	LOAD4((AX)(R12*1), Y0, Y1, Y2, Y3)

wideTaps1:
	WTAPS(wideRow1, wideTap1, ONE32)
	LIMIT4(Y0, Y1, Y2, Y3)
	PUT32(next1)

narrow1:
	BIAS8(narrowTaps1)

narrowTaps1:
	WTAPS(narrowRow1, narrowTap1, ONE8)
	LIMIT(Y0)
	PUT8(next1)

done:
	VZEROUPPER
	RET

#define MAX32 \
	VMAXPS (SI), Y0, Y0;   \
	VMAXPS 32(SI), Y1, Y1; \
	VMAXPS 64(SI), Y2, Y2; \
	VMAXPS 96(SI), Y3, Y3

#define MAX8 \
	VMAXPS (SI), Y0, Y0

#define NOTHING

// func maxPoolAsm(t *strip)
TEXT ·maxPoolAsm(SB), NOSPLIT, $0-8
	CHANNELS
	BLOCKS(next, wide, narrow, done, 128)

wide:
	PLACE(strip_x(R13), R12, AX)
	LOAD4((AX), Y0, Y1, Y2, Y3)
	TAPS(wideRow, wideTap, MAX32, NOTHING)
	PUT32(next)

narrow:
	MOVQ    strip_x(R13), AX
	VMOVUPS (AX)(R12*1), Y0
	TAPS(narrowRow, narrowTap, MAX8, NOTHING)
	PUT8(next)

done:
	VZEROUPPER
	RET

#define SUM32 \
	VADDPS (SI), Y4, Y4;   \
	VADDPS 32(SI), Y5, Y5; \
	VADDPS 64(SI), Y6, Y6; \
	VADDPS 96(SI), Y7, Y7

#define SUMROW32 \
	VADDPS Y4, Y0, Y0; \
	VADDPS Y5, Y1, Y1; \
	VADDPS Y6, Y2, Y2; \
	VADDPS Y7, Y3, Y3; \
	ZERO4(Y4, Y5, Y6, Y7)

#define SUM8 \
	VADDPS (SI), Y4, Y4

#define SUMROW8 \
	VADDPS Y4, Y0, Y0; \
	VXORPS Y4, Y4, Y4

// func sumPoolAsm(t *strip)
TEXT ·sumPoolAsm(SB), NOSPLIT, $0-8
	CHANNELS
	VBROADCASTSS strip_scale(R13), Y15
	ZERO4(Y4, Y5, Y6, Y7)
	BLOCKS(next, wide, narrow, done, 128)

wide:
	ZERO4(Y0, Y1, Y2, Y3)
	TAPS(wideRow, wideTap, SUM32, SUMROW32)
	VMULPS  Y15, Y0, Y0
	VMULPS  Y15, Y1, Y1
	VMULPS  Y15, Y2, Y2
	VMULPS  Y15, Y3, Y3
	PUT32(next)

narrow:
	VXORPS  Y0, Y0, Y0
	TAPS(narrowRow, narrowTap, SUM8, SUMROW8)
	VMULPS  Y15, Y0, Y0
	PUT8(next)

done:
	VZEROUPPER
	RET
